// How the console looks and feels on every view: contrast after WCAG 2.1 AA in both themes, a walk without a mouse, and a tablet
// held upright on which nothing is cut off or covered. The pictures of it are kept, to be looked at.
import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { consoleAt, openBrowser } from "./browser.mjs";
import { broken, faint } from "./look.mjs";
import { ROOT, ingest, serve, tempDir, until } from "./support.mjs";

const WAIT = 40000;
const VIEWS = ["twin", "life", "system", "graph", "futures", "query", "fleet", "maintenance", "alarms", "orders", "plans", "letters", "setup&part=models", "setup&part=mappings", "setup&part=rules", "setup&part=users"];
let server, browser, page, folder;

before(async () => {
  folder = tempDir("console-look");
  const plant = join(folder.dir, "waterworks");
  cpSync(join(ROOT, "examples", "pumphouse"), plant, { recursive: true });
  writeFileSync(join(plant, "rules", "look.rules"), `rule worn on twins (SELECT * FROM DIGITALTWINS P WHERE IS_OF_MODEL(P, 'dtmi:gemel:pumphouse:Pump;1'))
  when P.wear > 0.8 then alarm critical 'The pump is worn' consequence 'It lifts no water any more' response 'Change the impeller' then work order 'Change the impeller'
rule full on twins (SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:gemel:pumphouse:Tower;1')) when T.level > 4 then alarm low 'The tower is nearly full'\n`);
  server = await serve(plant, join(folder.dir, "data"));
  const begin = Date.now() - 3600e3, at = (minute) => new Date(begin + minute * 60000).toISOString();
  await ingest(server.http, [...Array.from({ length: 60 }, (_, i) => ({ $twin: "tower", $time: at(i), level: 3 + i / 50 })), { $twin: "well", $time: at(0), level: 15 },
    { $twin: "pump1", $time: at(50), rotation: 1, flow: 8, motor: { vibration: 2, power: 12, temperature: 40 } }]);
  await fetch(`http://${server.http}/v1/ingest`, { method: "POST", headers: { "content-type": "application/x-ndjson" }, body: '{"$twin":"nobody","level":1}' }); // a dead letter
  await fetch(`http://${server.http}/digitaltwins/pump2?api-version=2023-10-31`, { method: "PATCH", headers: { "content-type": "application/json-patch+json" }, body: '[{"op":"replace","path":"/wear","value":0.9}]' });
  browser = await openBrowser(server.http);
  page = browser.page;
});

after(async () => {
  await browser?.close();
  await server?.stop();
  folder?.remove();
});

const { open: show, param } = consoleAt(() => ({ page, http: server.http }));
const open = async (hash) => {
  await show(hash);
  await page.locator("main section, main .empty").first().waitFor({ timeout: WAIT });
  await page.waitForTimeout(250); // what is asked for first has come, or says that it is on its way
};

test("texts have the contrast of WCAG AA on every view, light and dark", { timeout: 300000 }, async () => {
  for (const view of VIEWS) {
    await open(`twin=pump2&view=${view}`);
    for (const theme of ["light", "dark"]) {
      await browser.theme(theme);
      const { found, seen } = await faint(page);
      assert.ok(seen > 20, `${view} shows only ${seen} texts`);
      assert.deepEqual(found, [], `${view}, ${theme}`);
    }
    await browser.shots(`look-${view.replace("setup&part=", "setup-")}`);
  }
});

test("everything can be done without a mouse, and one sees where one is", { timeout: 300000 }, async () => {
  await open("twin=tower");
  const focused = () => page.evaluate(() => {
    const e = document.activeElement, style = getComputedStyle(e);
    return { what: `${e.tagName.toLowerCase()} ${e.dataset.testid ?? e.dataset.twin ?? e.dataset.tab ?? e.getAttribute("aria-label") ?? e.textContent.trim().slice(0, 30)}`, ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0, body: e === document.body };
  });
  const reached = [];
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press("Tab");
    const f = await focused();
    if (f.body) break;
    assert.ok(f.ring, `one does not see that ${f.what} has the focus`);
    reached.push(f.what);
  }
  for (const wanted of [/stop/, /theme/, /input/, /button waterworks/, /pause/, /scrubber/, /happened/, /range/, /button twin$/, /chart/, /plot-csv/, /order-new/]) assert.ok(reached.some((r) => wanted.test(r)), `Tab does not reach ${wanted}: ${reached.join(", ")}`);
  // Search, and down the tree.
  await page.keyboard.press("/");
  await page.keyboard.type("pump2");
  await page.locator("nav .found [data-twin='pump2']").waitFor({ timeout: WAIT });
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await until(() => param("twin") === "pump2", WAIT, "Enter does not select what was found");
  await page.fill("nav input[type='search']", "");
  await page.locator("nav [data-twin='waterworks']").focus();
  for (const below of ["well", "pump1"]) {
    await page.keyboard.press("ArrowDown");
    await until(async () => (await page.evaluate(() => document.activeElement?.dataset.twin)) === below, WAIT, "the arrows do not lead down the tree");
  }
  await page.keyboard.press("Enter");
  await until(() => param("twin") === "pump1", WAIT, "Enter in the tree does not select");
  // To the alarms by the arrows of the tabs; the first is acknowledged.
  await page.locator("[data-tab='twin']").focus();
  for (let i = 0; i < 20 && (await page.evaluate(() => document.activeElement?.dataset.tab)) !== "alarms"; i++) await page.keyboard.press("ArrowRight");
  await until(() => param("view") === "alarms", WAIT, () => `the arrows lead to ${param("view")}`);
  const worn = page.getByTestId("alarm-worn@pump2");
  await worn.getByTestId("do-acknowledge").focus();
  await page.keyboard.press("Enter");
  await until(async () => /active, acknowledged/.test(await worn.textContent()), WAIT, "Enter does not acknowledge");
  await worn.getByTestId("do-shelve").focus();
  await page.keyboard.press("Space");
  await page.getByTestId("shelve-reason").focus();
  await page.keyboard.type("the part is on its way");
  await page.keyboard.press("Enter");
  await worn.waitFor({ state: "detached", timeout: WAIT });
  // What happened, and out of the list again.
  await page.getByTestId("happened").focus();
  await page.keyboard.press("Enter");
  await page.locator("[data-testid='happenings'] .happening").first().waitFor({ timeout: WAIT });
  await browser.shots("happenings");
  await page.keyboard.press("Escape");
  await page.getByTestId("happenings").waitFor({ state: "detached", timeout: WAIT });
});

test("on a tablet held upright nothing is cut off, covered or out of reach", { timeout: 300000 }, async () => {
  await page.setViewportSize({ width: 768, height: 1024 });
  for (const view of VIEWS) {
    await open(`twin=pump2&view=${view}`);
    assert.deepEqual(await broken(page), [], view);
    await browser.shot(`tablet-${view.replace("setup&part=", "setup-")}`);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  assert.deepEqual(browser.faults, []);
});
