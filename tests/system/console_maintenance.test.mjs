// Planned maintenance in the console: a fleet of 500 assets as rows of which only those in sight are in the page, what limits a plan, what
// it saves, asking for another one, and the way from a window to a work order.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { consoleAt, openBrowser } from "./browser.mjs";
import { broken, faint } from "./look.mjs";
import { json, serve, start, tempDir, until, writePlant } from "./support.mjs";

const WAIT = 120000, PUMPS = 470, FANS = 30; // assets
let server, browser, page, folder;

const number = (name) => ({ "@type": "Property", name, schema: "double" });
const MODELS = [
  { "@context": "dtmi:dtdl:context;3", "@id": "dtmi:fleet:Pump;1", "@type": "Interface", displayName: "Pump", contents: [number("hours"), { "@type": "Property", name: "place", schema: "string" }] },
  { "@context": "dtmi:dtdl:context;3", "@id": "dtmi:fleet:Fan;1", "@type": "Interface", displayName: "Fan", contents: [number("rul"), number("rulLow"), number("rulHigh"), number("failureCost")] }];

/** Pumps by their age, fans by predictions. Of two halls one pump may be out at a time, and all of theirs have to be done soon. */
function fleet() {
  const twins = [];
  for (let i = 0; i < PUMPS; i++) twins.push([`pump${i}`, "dtmi:fleet:Pump;1", { hours: i < 12 ? 8800 : (i * 37) % 8000, place: i < 6 ? "north" : i < 12 ? "south" : "yard" }]);
  for (let i = 0; i < FANS; i++) twins.push([`fan${i}`, "dtmi:fleet:Fan;1", { rul: 200 + 40 * i, rulLow: 100 + 30 * i, rulHigh: 300 + 50 * i, failureCost: 9000 }]);
  return twins;
}

const of = (model) => `SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:fleet:${model};1')`;
const PUMP = { of: `${of("Pump")} AND T.place = 'yard'`, work: "Overhaul", lasts: "2d", cost: 4000, life: { mean: 9000, shape: 3.5, age: "hours" }, failure: { cost: 25000, lasts: "6d" }, needs: { fitters: 1 } };
const ENTRIES = [
  // A wide gap: the first plan that keeps all limits will do, however slow the machine is.
  { name: "yard", horizon: "15d", window: "1d", timeLimit: "90s", gap: 0.5, crews: { fitters: 9, crane: 2 },
    redundancy: ["north", "south"].map((name) => ({ name, of: `SELECT * FROM DIGITALTWINS T WHERE T.place = '${name}'`, out: 1 })),
    assets: [PUMP, { ...PUMP, of: `${of("Pump")} AND T.place != 'yard'`, work: "Overhaul in the hall", lasts: "1d", latest: "9d" }, { of: of("Fan"), work: "New bearings", lasts: "1d", cost: 900, life: { mean: 900 }, prediction: { low: "rulLow", rul: "rul", high: "rulHigh" }, failure: { cost: "failureCost" }, needs: { fitters: 2, crane: 1 } }],
    compare: { horizon: "200d", lanes: 40 } },
  { name: "rush", horizon: "10d", window: "1d", crews: { fitters: 1 }, assets: [{ ...PUMP, work: "Check", latest: "2d" }] }];

function makePlant(dir) {
  writePlant(dir, MODELS, fleet());
  writeFileSync(join(dir, "rules", "fleet.maintenance"), JSON.stringify({ maintenance: ENTRIES }));
  return dir;
}

before(async () => {
  folder = tempDir("console-maintenance");
  server = await serve(makePlant(join(folder.dir, "plant")), join(folder.dir, "data"));
  browser = await openBrowser(server.http);
  page = browser.page;
});

after(async () => {
  await browser?.close();
  await server?.stop();
  folder?.remove();
});

const { open, param, has, tooWide } = consoleAt(() => ({ page, http: server.http }));
const plan = async (name = "yard", headers = {}) => (await json(server.http, `/v1/maintenance/${name}`, { headers })).body;
const orders = async () => (await json(server.http, "/v1/workorders?limit=10000")).body.items;
const status = () => page.getByTestId("maintenance-status");
const rows = () => page.locator("[data-job]");

test("a plan is asked for with what its route takes, and is there when it is made", { timeout: 180000 }, async () => {
  await open("view=fleet");
  await page.getByTestId("to-maintenance").click();
  await until(() => param("view") === "maintenance", WAIT, "the fleet does not lead there");
  await page.getByTestId("maintenance-never").waitFor({ timeout: WAIT });
  const { body: api } = await json(server.http, "/v1/openapi.json");
  const taken = Object.keys(api.paths["/v1/maintenance/{name}/make"].post.requestBody.content["application/json"].schema.properties);
  const fields = await page.locator(".make-form input").evaluateAll((all) => all.map((f) => f.name));
  assert.deepEqual([...fields].sort(), [...taken].sort(), "the form is not the route's");
  await page.locator(".make-form [name='lanes']").fill("25");
  await page.locator(".make-form [name='timeLimit']").fill("100");
  await page.getByTestId("maintenance-send").press("Enter");
  await status().waitFor({ timeout: WAIT });
  const made = await plan();
  assert.equal(made.compare.lanes, 25, "what was typed was not asked for");
  const placed = made.items.filter((i) => i.window !== undefined).length;
  assert.ok(placed >= 12 && made.items.length === PUMPS + FANS);
  await has(status(), new RegExp(`^${placed} of 500 assets have a window, ${500 - placed} are left`), "what is planned");
});

test("progress is told while it runs, and nothing else can be asked for", { timeout: 120000 }, async () => {
  const before = (await plan()).at;
  // How far it is depends on the machine: here the list says so until it is let go.
  await page.route("**/v1/maintenance", async (route) => {
    const reply = await route.fetch(), list = await reply.json();
    Object.assign(list.items[0], { running: true, share: 0.4 });
    await route.fulfill({ json: list });
  });
  await open("view=maintenance");
  await has(page.getByTestId("maintenance-running"), /40 % of the time limit/, "no progress");
  assert.equal(await page.getByTestId("maintenance-send").isDisabled(), true);
  await browser.shot("maintenance-running");
  await page.unroute("**/v1/maintenance");
  await page.getByTestId("maintenance-running").waitFor({ state: "detached", timeout: WAIT });
  assert.equal((await plan()).at, before);
});

test("500 assets are rows of which those in sight are in the page; keys, order and filter are in the address", { timeout: 180000 }, async () => {
  const { items } = await plan();
  await open("view=maintenance");
  await rows().first().waitFor({ timeout: WAIT });
  await has(page.getByTestId("jobs-count"), /^500 assets/, "the count");
  assert.ok((await rows().count()) < 80, `${await rows().count()} rows are in the page`);
  assert.deepEqual(await rows().evaluateAll((all) => all.slice(0, 5).map((r) => Number(r.dataset.window))), items.slice(0, 5).map((i) => i.window));
  await rows().first().focus();
  await page.keyboard.press("End");
  await page.locator(`[data-row='499']:focus`).waitFor({ timeout: WAIT });
  assert.ok((await rows().count()) < 80, "scrolling fills the page");
  await page.keyboard.press("Home");
  await page.locator(`[data-row='0']:focus`).waitFor({ timeout: WAIT });
  await page.getByTestId("jobs-by").selectOption("risk");
  const risky = items.reduce((most, i) => (i.failsBefore > most.failsBefore ? i : most)).failsBefore;
  await until(async () => items.filter((i) => i.failsBefore === risky).map((i) => i.twin).includes(await rows().first().getAttribute("data-job")), WAIT, "the riskiest is not first");
  await page.getByTestId("jobs-find").fill("fan1");
  await has(page.getByTestId("jobs-count"), /^11 of 500 assets/, "the filter");
  await until(() => param("by") === "risk" && param("find") === "fan1", WAIT, "not in the address");
  await page.reload();
  await has(page.getByTestId("jobs-count"), /^11 of 500 assets/, "the address does not lead back");
  assert.equal(await page.getByTestId("jobs-by").inputValue(), "risk");
});

test("what limits the plan is drawn beside it, with the conflicts that were avoided, and what it saves", { timeout: 120000 }, async () => {
  const made = await plan();
  await open("view=maintenance");
  await page.getByTestId("crews").waitFor({ timeout: WAIT });
  const most = (values) => Math.max(...values);
  for (const c of made.crews) await has(page.locator(".strip", { hasText: c.name }), new RegExp(`most ${most(c.busy)} of ${most(c.size)}`), `crew ${c.name}`);
  for (const g of made.redundancy) {
    assert.ok(most(g.planned) <= g.out, `${g.name}: ${most(g.planned)} are out`);
    const over = g.alone.filter((n) => n > g.out).length;
    await has(page.locator(`[data-group='${g.name}']`), over === 0 ? /No conflict to avoid/ : new RegExp(`Conflicts avoided in ${over} window.*up to ${most(g.alone)} would be out`), g.name);
  }
  assert.ok(made.redundancy.some((g) => most(g.alone) > 1), "the plant avoids no conflict: the test shows nothing");
  for (const p of made.compare.policies) assert.equal(await page.locator(`[data-policy='${p.policy}'] .policy-bar`).count(), 1);
  await has(page.locator("[data-policy='runToFailure']"), /Run to failure.*±.*±.*±/s, "cost with its spread");
  const { found } = await faint(page);
  assert.deepEqual(found, []);
});

test("a window becomes a work order when it is confirmed, once; the rest can be ordered together", { timeout: 180000 }, async () => {
  const job = (await plan()).items.find((i) => i.window !== undefined);
  await open("view=maintenance");
  await page.locator(`[data-job='${job.twin}']`).press("Enter");
  await until(() => param("twin") === job.twin, WAIT, "what was chosen is not in the address");
  await has(page.getByTestId("job"), new RegExp(`${job.work}.*Life left`, "s"), "what is known of it");
  for (const theme of ["light", "dark"]) {
    await browser.theme(theme);
    assert.deepEqual((await faint(page)).found, [], theme);
  }
  await browser.shots("maintenance");
  for (const part of ["crews", "redundancy-groups", "policies"]) {
    await page.getByTestId(part).scrollIntoViewIfNeeded();
    await browser.shots(`maintenance-${part}`);
  }
  await page.getByTestId("job-order").press("Enter");
  assert.equal((await orders()).length, 0, "it is ordered before it is confirmed");
  await page.getByTestId("job-order-really").getByRole("button", { name: "Back" }).click();
  await page.getByTestId("job-order").click();
  await page.getByTestId("job-order-send").press("Enter");
  await has(page.getByTestId("job-ordered"), /Work order .* \(open\)/, "the order is not shown");
  const [order] = await orders();
  assert.deepEqual([order.twin, order.text, order.evidence.maintenance, order.evidence.from], [job.twin, job.work, "yard", job.from]);
  await page.getByTestId("jobs-order").click();
  await page.getByTestId("jobs-order-send").click();
  await has(page.getByTestId("job"), /work orders? opened, 1 was there|opened, 1 were there already/, "what came of it");
  assert.equal((await orders()).length, (await plan()).items.filter((i) => i.window !== undefined).length, "not one for each window");
  await has(page.getByTestId("windows"), /Everything that has a window is ordered/, "more can be ordered");
  const again = await json(server.http, "/v1/maintenance/yard/orders", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ twins: [job.twin] }) });
  assert.deepEqual([again.status, again.body], [200, { opened: [], there: 1 }]);
  for (const twins of [["nobody"], "pump1", [], [7]]) assert.equal((await json(server.http, "/v1/maintenance/yard/orders", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ twins }) })).status, 400, JSON.stringify(twins));
});

test("limits that can not be kept and answers that say no stand there as sentences", { timeout: 120000 }, async () => {
  await open("view=maintenance");
  await page.getByTestId("maintenance-entry").selectOption("rush");
  await until(() => param("entry") === "rush", WAIT, "the entry is not in the address");
  await page.getByTestId("maintenance-never").waitFor({ timeout: WAIT });
  await page.getByTestId("maintenance-send").click();
  await has(page.getByTestId("maintenance-trouble"), /no plan keeps all limits: crew 'fitters' has 1 in the window from/, "the limit is not named");
  await browser.shots("maintenance-infeasible");
  // A fan without what its failure costs: the refusal names it.
  const patch = (op) => fetch(`http://${server.http}/digitaltwins/fan3?api-version=2023-10-31`, { method: "PATCH", headers: { "content-type": "application/json-patch+json" }, body: JSON.stringify([op]) });
  assert.ok((await patch({ op: "remove", path: "/failureCost" })).ok);
  await page.getByTestId("maintenance-entry").selectOption("yard");
  await page.getByTestId("maintenance-ask").click();
  await page.getByTestId("maintenance-send").click();
  await has(page.locator("[data-testid='maintenance-make'] [role='alert']"), /'fan3' has no number of 0 or more in 'failureCost'/, "the refusal");
  assert.ok((await patch({ op: "add", path: "/failureCost", value: 9000 })).ok);
});

test("on a tablet nothing is cut off or covered", { timeout: 120000 }, async () => {
  await page.setViewportSize({ width: 768, height: 1024 });
  await open("view=maintenance&twin=pump3");
  await page.getByTestId("policies").waitFor({ timeout: WAIT });
  assert.deepEqual(await broken(page), []);
  assert.ok((await tooWide()) <= 0);
  await browser.shots("maintenance-tablet");
  await page.setViewportSize({ width: 1280, height: 800 });
  assert.deepEqual(browser.faults, []);
});

test("a reader sees the plan and may order nothing; who is kept to some twins is told why there is none", { timeout: 180000 }, async () => {
  const own = tempDir("maintenance-reader"), dir = makePlant(join(own.dir, "plant"));
  const add = async (...args) => { const run = start("user", "add", dir, ...args, "--data", own.dir); assert.equal(await run.ended, 0, run.err); return run.out.trim(); };
  const admin = await add("anna", "--role", "admin"), reader = await add("rita", "--role", "reader"), scoped = await add("sam", "--role", "operator", "--scope", "pump1");
  const mine = await serve(dir, own.dir), as = (token) => ({ authorization: `Bearer ${token}`, "content-type": "application/json" });
  const visit = async (token, look) => {
    const seen = await openBrowser(mine.http);
    try {
      await seen.page.goto(`http://${mine.http}/#view=maintenance&twin=pump1`);
      const field = seen.page.locator("[data-testid='sign-in'] input");
      await field.fill(token);
      await field.press("Enter");
      await look(seen.page);
      assert.deepEqual(seen.faults, []);
    } finally {
      await seen.close();
    }
  };
  try {
    assert.equal((await json(mine.http, "/v1/maintenance/yard/make", { method: "POST", headers: as(admin), body: '{"lanes":0}' })).status, 202);
    await until(async () => (await json(mine.http, "/v1/maintenance/yard", { headers: as(admin) })).body.status !== undefined, WAIT, "no plan");
    await visit(reader, async (p) => {
      await p.locator("[data-job]").first().waitFor({ timeout: WAIT });
      await until(async () => await p.getByTestId("jobs-order").isDisabled(), WAIT, "a reader may order");
      await p.getByTestId("maintenance-ask").click();
      assert.equal(await p.getByTestId("maintenance-send").isDisabled(), true, "a reader may ask for a plan");
      await has(p.getByTestId("policies"), /Nothing was compared/, "no policies, no reason");
    });
    assert.equal((await json(mine.http, "/v1/maintenance/yard/orders", { method: "POST", headers: as(reader), body: "{}" })).status, 403);
    await visit(scoped, async (p) => { await has(p.locator("main"), /whole plant/, "no reason is given"); });
  } finally {
    await mine.stop();
    own.remove();
  }
});
