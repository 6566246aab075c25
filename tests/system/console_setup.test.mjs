// Setting a plant up from the console: models and what they inherit, mappings tried on messages, rules over the past, users and
// their tokens; who may only look; how estimators do; a server that goes and comes back while one acts.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openBrowser } from "./browser.mjs";
import { ROOT, serve, tempDir, until } from "./support.mjs";

const WAIT = 30000;
let server, browser, page, folder, plant;

before(async () => {
  folder = tempDir("console-setup");
  plant = join(folder.dir, "plant");
  cpSync(join(ROOT, "examples", "pumphouse"), plant, { recursive: true });
  mkdirSync(join(plant, "mappings"), { recursive: true });
  writeFileSync(join(plant, "models", "big.json"), JSON.stringify({ "@context": "dtmi:dtdl:context;4", "@id": "dtmi:setup:BigTower;1", "@type": "Interface", displayName: "Big tower",
    extends: "dtmi:gemel:pumphouse:Tower;1", contents: [{ "@type": "Property", name: "stairs", schema: "integer" }] }));
  writeFileSync(join(plant, "mappings", "float.json"), JSON.stringify({ mappings: [{ name: "floats", topic: "site/{twin}/float", twin: "{twin}", values: [{ from: "/cm", to: "level", unit: "cm" }] }] }));
  server = await serve(plant, join(folder.dir, "data"));
  const begin = Date.now() - 2 * 3600e3, lines = [];
  for (let i = 0; i < 120; i++) lines.push(JSON.stringify({ $twin: "tower", $time: new Date(begin + i * 60000).toISOString(), level: i >= 40 && i < 60 ? 1 : 3 }));
  const sent = await fetch(`http://${server.http}/v1/ingest`, { method: "POST", headers: { "content-type": "application/x-ndjson" }, body: lines.join("\n") });
  assert.ok(sent.ok, await sent.text());
  browser = await openBrowser(server.http);
  page = browser.page;
});

after(async () => {
  await browser?.close();
  await server?.stop();
  folder?.remove();
});

const live = () => until(async () => (await page.getByTestId("connection").textContent()) === "Live", WAIT, "never live");
const open = async (hash) => {
  await page.goto("about:blank");
  await page.goto(`http://${server.http}/#${hash}`);
  await live();
};

test("a model shows what it brings and what it inherits, and from whom", { timeout: 120000 }, async () => {
  await open("view=setup");
  await page.locator("[data-testid='model-list'] button", { hasText: "Big tower" }).click({ timeout: WAIT });
  const rows = () => page.$$eval("[data-testid='model-page'] tbody tr", (all) => all.map((r) => [...r.children].map((c) => c.textContent.trim())));
  await until(async () => (await rows()).some((r) => r[0].startsWith("stairs") && r[4] === "itself"), WAIT, "its own property is not there");
  assert.ok((await rows()).some((r) => r[0].startsWith("level") && r[4] === "dtmi:gemel:pumphouse:Tower;1"), JSON.stringify(await rows()));
  await browser.shots("setup-models");
});

test("a mapping is tried on a message while one types, also one that is not in force", { timeout: 120000 }, async () => {
  await open("view=setup");
  await page.getByTestId("setup-mappings").click({ timeout: WAIT });
  await page.getByTestId("mapping-topic").fill("site/tower/float", { timeout: WAIT });
  await page.getByTestId("mapping-payload").fill('{"cm":250}');
  const result = async () => (await page.getByTestId("mapping-result").count()) === 1 ? page.getByTestId("mapping-result").textContent() : "";
  await until(async () => /Taken by floats.*tower.*→ 2\.5 m/s.test(await result()), WAIT, async () => `it says ${await result()}`);
  await browser.shots("setup-mappings");
  await page.getByTestId("mapping-payload").fill("250");
  await until(async () => /✗/.test(await result()), WAIT, "a payload that does not fit is taken");
  await page.getByTestId("mapping-topic").fill("elsewhere");
  await until(async () => /no mapping takes this topic/.test(await result()), WAIT, "a topic of nobody is taken");
});

test("a rule is run over the past, as it is and changed", { timeout: 120000 }, async () => {
  await open("view=setup");
  await page.getByTestId("setup-rules").click({ timeout: WAIT });
  await until(() => /part=rules/.test(page.url()), WAIT, "the part is not in the address");
  await page.getByTestId("open-towerLow").click({ timeout: WAIT });
  await page.getByTestId("rule-run").click();
  const result = async () => (await page.getByTestId("rule-result").count()) === 1 ? page.getByTestId("rule-result").textContent() : "";
  await until(async () => /It would have fired once/.test(await result()), WAIT, async () => `it says ${await result()}`);
  await browser.shots("setup-rules");
  const text = await page.getByTestId("rule-text").inputValue();
  await page.getByTestId("rule-text").fill(text.replace("T.level < 1.5", "T.level < 0.5"));
  await page.getByTestId("rule-run").click();
  await until(async () => /It would not have fired/.test(await result()), WAIT, async () => `changed it says ${await result()}`);
  await page.getByTestId("rule-text").fill("rule nonsense");
  await page.getByTestId("rule-run").click();
  await page.locator("[data-testid='dry-run'] [role='alert']").waitFor({ timeout: WAIT });
});

test("estimators tell how they do", { timeout: 120000 }, async () => {
  await open("view=fleet");
  await page.getByTestId("estimator-waterworks").waitFor({ timeout: WAIT });
  await browser.shots("fleet-estimators");
});

test("the fleet is ranked by risk, with intervals and the signals that lead to plots of them", { timeout: 120000 }, async () => {
  // This plant predicts nothing, so what the server would say of one that does is put in its mouth.
  const life = (twin, rul, low, high) => ({ twin, model: "engines", version: 3, at: new Date().toISOString(), rul, health: rul / 100, intervals: { 90: [low, high] } });
  await page.route("**/v1/rul*", (route) => route.fulfill({ json: { items: [life("tower", 80, 60, 95), life("well", 12, 5, 25)], models: [{ model: "engines", version: 3, retraining: true }] } }));
  await page.route("**/v1/anomalies*", (route) => route.fulfill({ json: { items: [{ sequence: 1, twin: "well", detector: "pca", open: true, start: new Date().toISOString(), score: 4, signals: [{ property: "level", share: 0.7 }] }] } }));
  await open("view=fleet");
  const rows = () => page.$$eval("[data-testid='table'] >> nth=0 >> tbody tr", (all) => all.map((r) => r.textContent));
  await until(async () => (await rows()).length === 2, WAIT, "not two twins");
  assert.match((await rows())[0], /^well12.*5 – 25.*level 70 %/s);
  assert.match((await rows())[1], /^tower80.*none stands out/s);
  await browser.shots("fleet");
  await page.getByRole("button", { name: "level 70 %" }).click();
  await until(() => /twin=well/.test(page.url()) && /plot=level/.test(page.url()), WAIT, () => `the drivers lead to ${page.url()}`);
  await page.unrouteAll();
});

test("the server goes while one is about to act, and comes back without a reload", { timeout: 180000 }, async () => {
  await open("twin=pump1");
  await page.getByTestId("command-setSpeed").click({ timeout: WAIT });
  await page.evaluate(() => { window.kept = true; });
  const address = server.http;
  await server.stop();
  await page.getByTestId("stale-banner").waitFor({ timeout: WAIT });
  server = await serve(plant, join(folder.dir, "data"), { http: address });
  await live();
  assert.equal(await page.evaluate(() => window.kept), true, "the page was reloaded");
  await page.getByTestId("act-check").click({ timeout: WAIT });
  await page.locator("[data-testid='trial'][data-permitted='true']").waitFor({ timeout: WAIT });
});

test("users come and go with tokens that are shown once; a reader looks and may not act", { timeout: 240000 }, async () => {
  const signIn = async (token) => {
    const field = page.locator("[data-testid='sign-in'] input");
    await field.waitFor({ timeout: WAIT });
    await field.fill(token);
    await field.press("Enter");
  };
  const add = async (name, role) => {
    await page.getByTestId("user-name").fill(name, { timeout: WAIT });
    await page.getByTestId("user-role").selectOption(role);
    await page.getByTestId("user-add").click();
    await until(async () => new RegExp(`The token of ${name}`).test(await page.getByTestId("new-token").textContent({ timeout: WAIT })), WAIT, "no token");
    const token = await page.getByTestId("token").inputValue();
    return token;
  };
  await open("view=setup");
  await page.getByTestId("setup-users").click({ timeout: WAIT });
  const anna = await add("anna", "admin");
  await page.getByTestId("token-close").click();
  await signIn(anna);
  await page.getByTestId("user-anna").waitFor({ timeout: WAIT });
  const rita = await add("rita", "reader");
  await browser.shots("setup-users");
  await page.getByTestId("token-close").click();
  assert.equal((await page.textContent("main")).includes(rita), false, "the token is still on the page");
  await page.getByTestId("sign-out").click();
  await signIn(rita);
  await until(async () => /rita.*reader/.test(await page.getByTestId("principal").textContent({ timeout: WAIT })), WAIT, "it is not rita");
  await page.evaluate(() => { location.hash = "#twin=pump1"; });
  const command = page.getByTestId("command-setSpeed");
  await command.waitFor({ timeout: WAIT });
  await until(() => command.isDisabled(), WAIT, "a reader may command");
  for (const id of ["set-speed", "order-new", "stop"]) assert.equal(await page.getByTestId(id).isDisabled(), true, `a reader may ${id}`);
  assert.match(await page.getByTestId("commands").textContent(), /Your role may look and not act/);
  await page.getByTestId("commands").scrollIntoViewIfNeeded();
  await browser.shots("reader-twin");
  const refused = await fetch(`http://${server.http}/v1/commands`, { method: "POST", headers: { authorization: `Bearer ${rita}`, "content-type": "application/json" }, body: '{"twin":"pump1","command":"setSpeed","value":0.5}' });
  assert.equal(refused.status, 403);
  await page.getByTestId("sign-out").click();
  await signIn(anna);
  await until(async () => /anna/.test(await page.getByTestId("principal").textContent({ timeout: WAIT })), WAIT, "it is not anna");
  await page.evaluate(() => { location.hash = "#view=setup"; });
  await page.getByTestId("setup-users").click({ timeout: WAIT });
  await page.getByTestId("revoke-rita").click({ timeout: WAIT });
  await page.getByTestId("really-rita").click();
  await until(async () => (await fetch(`http://${server.http}/v1/whoami`, { headers: { authorization: `Bearer ${rita}` } })).status === 401, WAIT, "a revoked token is still good");
  assert.deepEqual(browser.faults, []);
});
