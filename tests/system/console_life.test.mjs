// A twin's whole life in the console: the ribbon, the thread, as-designed against as-built, bills of materials, and what systems
// amount to from their parts.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { consoleAt, openBrowser } from "./browser.mjs";
import { serve, start, tempDir, until, json } from "./support.mjs";

let server, browser, page, data, plant;

function makePlant(dir) {
  for (const folder of ["models", "twins", "rules"]) mkdirSync(join(dir, folder), { recursive: true });
  writeFileSync(join(dir, "models", "all.json"), JSON.stringify([
    { "@context": ["dtmi:dtdl:context;3", "dtmi:dtdl:extension:quantitativeTypes;1"], "@id": "dtmi:life:Pump;1", "@type": "Interface", displayName: "Pump", contents: [
      { "@type": ["Telemetry", "Power"], name: "power", schema: "double", unit: "kilowatt" }, { "@type": "Property", name: "running", schema: "boolean", writable: true },
      { "@type": "Property", name: "state", schema: "string", writable: true }] },
    { "@context": "dtmi:dtdl:context;3", "@id": "dtmi:life:Station;1", "@type": "Interface", displayName: "Station", contents: [{ "@type": "Relationship", name: "contains" }] }]));
  const model = (name) => ({ $metadata: { $model: `dtmi:life:${name};1` } });
  const link = (a, b) => JSON.stringify({ $dtId: a, $relationshipId: `in-${b}`, $targetId: b, $relationshipName: "contains" });
  const pump = (id, more) => JSON.stringify({ $dtId: id, ...model("Pump"), ...more });
  writeFileSync(join(dir, "twins", "all.ndjson"), ['{"Section":"Twins"}', JSON.stringify({ $dtId: "site", ...model("Station") }), JSON.stringify({ $dtId: "station1", ...model("Station") }),
    pump("pump7", { running: true, state: "good" }), pump("pump8", { running: true, state: "worn" }), pump("pump9", { running: false, state: "good" }),
    '{"Section":"Relationships"}', link("site", "station1"), link("station1", "pump7"), link("station1", "pump8"), link("station1", "pump9")].join("\n"));
  writeFileSync(join(dir, "rules", "all.rollups"), JSON.stringify({ rollups: [
    { name: "power", function: "sum", property: "power", relationship: "contains" },
    { name: "pumps", function: "kOfN", property: "running", k: 2, relationship: "contains" },
    { name: "state", function: "worst", property: "state", states: ["good", "worn", "broken"], relationship: "contains" },
    { name: "all power", function: "sum", property: "power" }] }));
  return dir;
}

const fact = (twin, phase, key, said, more = {}) => ({ twin, phase, key, ...said, from: "2023-06-01T00:00:00Z", ...more });
const FACTS = [
  fact("pump7", "as-designed", "bore", { value: 50, unit: "mm", min: 49.9, max: 50.1 }),
  fact("pump7", "as-designed", "material", { value: "1.4408" }),
  fact("pump7", "as-designed", "shaft", { value: 24, unit: "mm", min: 23.99, max: 24.01 }),
  fact("pump7", "as-designed", "test pressure", { value: 16, unit: "bar" }, { from: "2023-09-01T00:00:00Z" }),
  fact("pump7", "as-built", "bore", { value: 50.2, unit: "mm" }, { from: "2024-01-05T00:00:00Z", cause: "acceptance test 12", author: "lab" }),
  fact("pump7", "as-built", "shaft", { value: 24.002, unit: "mm" }, { from: "2024-01-05T00:00:00Z" }),
  fact("pump7", "as-built", "serialNumber", { value: "SN-0007" }, { from: "2024-01-05T00:00:00Z" }),
  fact("pump7", "as-operated", "operating hours", { value: 8123, unit: "h" }, { from: "2025-01-05T00:00:00Z" }),
  fact("pump7", "maintained", "inspection 3", { value: "seal replaced" }, { from: "2025-03-05T00:00:00Z", to: "2026-03-05T00:00:00Z" }),
  ...["motor M2", "impeller I4"].map((part, i) => fact("pump7", "as-designed", `bom/${10 * (i + 1)}`, { part })),
  fact("pump7", "as-designed", "bom/30", { part: "bolt M8", quantity: 8 }),
  fact("pump7", "as-designed", "bom/30~a2", { part: "bolt M8 A2", quantity: 8, more: { alternate: true } }),
  fact("motor M2", "as-designed", "bom/1~early", { part: "bearing 6204", quantity: 2, more: { serials: "1-99" } }),
  fact("motor M2", "as-designed", "bom/1~late", { part: "bearing 6205", quantity: 2, more: { serials: "101-" } }),
  fact("motor M2", "as-designed", "bom/2", { part: "bolt M8", quantity: 4 }),
  fact("bolt M8", "as-designed", "mass", { value: 12, unit: "g" }),
  fact("bearing 6204", "as-designed", "mass", { value: 0.1, unit: "kg" }),
  fact("bearing 6205", "as-designed", "mass", { value: 0.12, unit: "kg" }),
  fact("impeller31", "maintained", "installedIn", { part: "pump7", position: "1" }, { from: "2024-01-05T00:00:00Z" }),
];

const post = (address, path, body, headers = {}) => fetch(`http://${address}${path}`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });

before(async () => {
  plant = tempDir("life");
  data = tempDir("life-data");
  server = await serve(makePlant(plant.dir), data.dir);
  for (const f of FACTS) { // one at a time: each is known from then on
    const sent = await post(server.http, "/v1/thread", f);
    assert.equal(sent.status, 204, `${JSON.stringify(f)}: ${await sent.text()}`);
  }
  const measured = ["pump7", "pump8"].map((id, i) => JSON.stringify({ $twin: id, $time: new Date().toISOString(), power: 1.5 + i }));
  assert.ok((await fetch(`http://${server.http}/v1/ingest`, { method: "POST", headers: { "content-type": "application/x-ndjson" }, body: measured.join("\n") })).ok);
  browser = await openBrowser(server.http, { acceptDownloads: true });
  page = browser.page;
});

after(async () => {
  await browser?.close();
  await server?.stop();
  data?.remove();
  plant?.remove();
});

const { open, param, has, tooWide } = consoleAt(() => ({ page, http: server.http }));
const rows = (of) => page.locator(`${of} tbody tr`);

test("the ribbon on the twin's page shows the phases, by keys too, and leads to the whole thread", { timeout: 120000 }, async () => {
  await open("twin=pump7");
  const ribbon = page.getByTestId("ribbon");
  await ribbon.waitFor({ timeout: 30000 });
  for (const phase of ["as-designed", "as-built", "as-operated", "maintained"]) assert.ok(await ribbon.locator(`[data-phase='${phase}'] .mark`).count() > 0, `${phase} has no mark`);
  assert.match(await ribbon.locator("[data-phase='decommissioned']").textContent(), /nothing known/);
  assert.match(await ribbon.locator("[data-phase='as-built'] .mark").first().getAttribute("aria-label"), /out of tolerance/);
  await ribbon.locator("[data-phase='as-designed'] .mark").first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await has(page.getByTestId("ribbon-facts"), /bore.*50\.2 mm.*acceptance test 12/s, "the fact is not told");
  await browser.shots("life-ribbon");
  await page.getByTestId("ribbon-facts").getByRole("button", { name: "Close" }).focus();
  await page.keyboard.press("Escape");
  await until(async () => (await page.getByTestId("ribbon-facts").count()) === 0, 20000, "Escape does not close");
  await page.getByTestId("to-life").click();
  await until(() => param("view") === "life", 20000, "not in the address");
  await page.getByTestId("thread-list").waitFor({ timeout: 30000 });
});

test("the thread is filtered, follows the page's time, and tells what was known then", { timeout: 120000 }, async () => {
  await open("twin=pump7&view=life");
  const count = page.getByTestId("thread-count");
  await has(count, /^1[23] of 13 facts/, "the facts that hold");
  await page.getByTestId("thread-filter").fill("shaft");
  await has(count, /^2 of 13/, "the filter");
  await page.getByTestId("phase-as-built").uncheck();
  await has(count, /^1 of 13/, "a phase that is hidden");
  await page.getByTestId("thread-filter").fill("no such thing");
  await has(page.getByTestId("thread-list"), /No fact fits the filter/, "an empty list without a reason");
  await open("twin=pump7&view=life&at=2023-07-01T00:00:00Z");
  await has(count, /^7 of 13/, "what held in July 2023");
  await page.getByTestId("known").selectOption("then"); // nobody had written it down yet
  await has(page.getByTestId("life-none"), /Nothing was known of it/, "what was known then");
  await until(() => param("known") === "then", 20000, "not in the address");
  await open("twin=pump8&view=life");
  await has(page.getByTestId("life-none"), /no fact is known/, "a life without facts says why it is empty");
});

test("as-built against as-designed tells what is out of tolerance without colour", { timeout: 120000 }, async () => {
  await open("twin=pump7&view=life&chapter=diff");
  await has(page.getByTestId("diff-out"), /✗ 1 value is out of tolerance/, "the count");
  await has(page.locator("[data-testid='diff'] tr[data-key='bore']"), /✗ out of tolerance.*50 mm \[49\.9 … 50\.1\].*50\.2 mm/s, "the bore");
  await has(page.locator("[data-testid='diff'] tr[data-key='shaft']"), /✓ within tolerance/, "the shaft");
  await has(page.locator("[data-testid='diff'] tr[data-key='serialNumber']"), /\+ added/, "the serial number");
  await browser.shots("life-diff");
  await page.getByTestId("diff-second").selectOption("decommissioned");
  await has(page.getByTestId("diff"), /− missing/, "what a phase does not say");
});

test("a fact and a document are added by form, and the document comes back as it went", { timeout: 120000 }, async () => {
  await open("twin=pump7&view=life");
  await page.getByTestId("life-add").click();
  assert.equal(await page.getByTestId("fact-save").isDisabled(), true, "an empty fact could be sent");
  await page.getByTestId("fact-key").fill("bore");
  await page.getByTestId("fact-value").fill("50.05");
  await page.getByTestId("fact-unit").fill("mm");
  await page.getByTestId("fact-from").fill("2024-01-05T00:00:01");
  await page.getByTestId("fact-cause").fill("gauge was wrong");
  await browser.shots("life-form");
  await page.getByTestId("fact-save").click();
  await has(page.getByTestId("life-told"), /Added: bore/, "not added");
  await page.getByTestId("chapter-diff").click();
  await has(page.getByTestId("diff-out"), /✓ Nothing is out of tolerance/, "the correction changes nothing");
  await page.getByTestId("chapter-thread").click();
  await page.getByTestId("life-add").click();
  await page.getByTestId("fact-kind").selectOption("part");
  await page.getByTestId("fact-key").fill("installedIn");
  await page.getByTestId("fact-value").fill("pump7"); // in itself
  await page.getByTestId("fact-save").click();
  await page.locator("[data-testid='fact-form'] [role='alert']").waitFor({ timeout: 20000 });
  await page.getByTestId("life-document").click();
  await page.getByTestId("fact-key").fill("manual");
  await page.getByTestId("fact-file").setInputFiles({ name: "manual.txt", mimeType: "text/plain", buffer: Buffer.from("turn it on\n") });
  await page.getByTestId("fact-save").click();
  const link = page.getByTestId("document-manual.txt");
  await link.waitFor({ timeout: 30000 });
  const [file] = await Promise.all([page.waitForEvent("download", { timeout: 30000 }), link.click()]);
  assert.equal(readFileSync(await file.path(), "utf8"), "turn it on\n");
});

test("the bill of materials is a tree with sums, effectivity and where-used", { timeout: 120000 }, async () => {
  await open("twin=pump7&view=life&chapter=bom");
  const bom = page.getByTestId("bom");
  await has(bom, /motor M2/, "no bill");
  assert.equal(await rows("[data-testid='bom']").count(), 6);
  await has(page.locator("[data-row='bearing 6204']"), /1-99/, "serials");
  await has(page.getByTestId("sum-mass"), /0\.584|0\.58/, "the mass"); // 12 bolts of 12 g, 2 x 0.1 kg, 2 x 0.12 kg
  await has(page.getByTestId("sum-mass"), /1 part says nothing: impeller I4/, "what is missing is not named");
  await has(page.getByTestId("sum-cost"), /no part says it/, "a sum of nothing");
  await page.getByTestId("bom-alternates").check();
  await has(page.locator("[data-row='bolt M8 A2']"), /alternate/, "no alternate");
  await browser.shots("life-bom");
  await page.getByTestId("bom-close").click();
  await until(async () => (await page.locator("[data-row='bearing 6205']").count()) === 0, 20000, "branches do not close");
  await page.locator("[data-row='motor M2'] .bom-twist").press("Enter");
  await page.locator("[data-row='bearing 6205']").waitFor({ timeout: 20000 });
  await page.locator("[data-part='bolt M8']").first().click();
  await until(() => param("twin") === "bolt M8", 20000, "a part can not be followed");
  await has(page.getByTestId("where-used"), /8 × at 30 → pump7/, "where it is used");
  await has(page.getByTestId("bom-none"), /has no bill of materials/, "an empty bill says why");
  await open("twin=motor%20M2&view=life&chapter=bom");
  await has(page.getByTestId("gaps"), /No part at position 1.*100/, "the gap is not told");
  await page.getByTestId("bom-serial").fill("0120");
  await until(async () => (await page.locator("[data-row='bearing 6204']").count()) === 0 && (await page.locator("[data-row='bearing 6205']").count()) === 1, 30000, "the serial does not choose");
  await open("twin=pump7&view=life&chapter=bom&at=2023-01-01T00:00:00Z");
  await has(page.getByTestId("bom-none"), /at this time/, "a bill before there was one");
});

test("a part moves, and each assembly remembers", { timeout: 120000 }, async () => {
  await open("twin=impeller31&view=life");
  await has(page.getByTestId("where"), /It is in pump7 at 1/, "where it is");
  await page.getByTestId("life-move").click();
  await page.getByTestId("move-into").fill("pump8");
  await page.getByTestId("move-position").fill("2");
  await page.getByTestId("fact-save").click();
  await has(page.getByTestId("where"), /It is in pump8 at 2/, "it has not moved");
  await open("twin=pump7&view=life&chapter=bom&at=2024-02-01T00:00:00Z");
  await page.getByTestId("bom-installed").selectOption("installed");
  await has(page.getByTestId("bom"), /impeller31/, "what was installed then");
  await open("twin=pump7&view=life&chapter=bom");
  await page.getByTestId("bom-installed").selectOption("installed");
  await has(page.getByTestId("bom-none"), /Nothing is installed/, "what has left is still there");
});

test("a system shows what it amounts to, and the systems below it", { timeout: 120000 }, async () => {
  await open("twin=site&view=system");
  await has(page.getByTestId("amount-power"), /sum.*4 kW.*of 2 members.*1 without a value/s, "the sum");
  await has(page.getByTestId("amount-state"), /worn/, "the worst state");
  await has(page.locator("[data-system='station1']"), /4 kW.*works.*worn/s, "below");
  await has(page.getByTestId("amounts-plant"), /all power.*4 kW/s, "the plant");
  await page.locator("[data-system='station1'] .link").click();
  await has(page.getByTestId("amount-pumps"), /✓ works.*2 work, 2 are needed.*none may fail/s, "two of three");
  await fetch(`http://${server.http}/digitaltwins/pump8?api-version=2023-10-31`, { method: "PATCH", headers: { "content-type": "application/json-patch+json" }, body: JSON.stringify([{ op: "replace", path: "/running", value: false }]) });
  await has(page.getByTestId("amount-pumps"), /✗ does not work.*1 too few/s, "it does not follow");
  await browser.shots("system");
  await open("twin=pump7&view=system&at=2026-01-01T00:00:00Z");
  await has(page.getByTestId("amounts-none"), /no system of any roll-up/, "no system says why");
  await has(page.getByTestId("amounts"), /always those of now/, "the page's time");
});

test("narrow pages have everything in reach", { timeout: 120000 }, async () => {
  await page.setViewportSize({ width: 820, height: 1180 });
  for (const [name, hash] of [["ribbon", "twin=pump7"], ["thread", "twin=pump7&view=life"], ["diff", "twin=pump7&view=life&chapter=diff"], ["bom", "twin=pump7&view=life&chapter=bom"], ["system", "twin=site&view=system"]]) {
    await open(hash);
    await page.locator("main section").first().waitFor({ timeout: 30000 });
    const wide = await tooWide();
    assert.ok(wide <= 0, `${name} is ${wide} px too wide`);
    await browser.shots(`life-tablet-${name}`);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  assert.deepEqual(browser.faults, []);
});

test("a reader sees the thread and may not add; who is kept to a part sees no sum of others", { timeout: 120000 }, async () => {
  const own = tempDir("life-reader"), dir = makePlant(join(own.dir, "plant"));
  const add = async (...args) => { const run = start("user", "add", dir, ...args, "--data", own.dir); assert.equal(await run.ended, 0, run.err); return run.out.trim(); };
  const admin = await add("anna", "--role", "admin"), reader = await add("rita", "--role", "reader", "--scope", "pump7");
  const mine = await serve(dir, own.dir);
  try {
    assert.equal((await post(mine.http, "/v1/thread", FACTS[0], { authorization: `Bearer ${admin}` })).status, 204);
    const seen = await openBrowser(mine.http);
    try {
      await seen.page.goto(`http://${mine.http}/#twin=pump7&view=life`);
      const field = seen.page.locator("[data-testid='sign-in'] input");
      await field.fill(reader);
      await field.press("Enter");
      await has(seen.page.getByTestId("thread-count"), /^1 fact/, "the fact");
      await until(async () => (await seen.page.getByTestId("principal").count()) === 1, 30000, "nobody is named");
      await until(async () => await seen.page.getByTestId("life-add").isDisabled(), 20000, "a reader may add");
      assert.match(await seen.page.textContent("main"), /Your role may look and not add facts/);
      const told = await json(mine.http, "/v1/rollups?twin=pump7", { headers: { authorization: `Bearer ${reader}` } });
      assert.deepEqual(told.body, { items: [] });
      const whole = await json(mine.http, "/v1/rollups?plant=true", { headers: { authorization: `Bearer ${reader}` } });
      assert.deepEqual(whole.body, { items: [], declared: 4, outside: 1 });
      assert.deepEqual(seen.faults, []);
    } finally {
      await seen.close();
    }
  } finally {
    await mine.stop();
    own.remove();
  }
});
