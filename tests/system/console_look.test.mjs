// How the console looks and feels on every view: contrast after WCAG 2.1 AA in both themes, a walk without a mouse, and a tablet
// held upright on which nothing is cut off or covered. The pictures of it are kept, to be looked at.
import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openBrowser } from "./browser.mjs";
import { ROOT, serve, tempDir, until } from "./support.mjs";

const WAIT = 40000;
const VIEWS = ["twin", "life", "system", "graph", "futures", "query", "fleet", "alarms", "orders", "plans", "letters", "setup&part=models", "setup&part=mappings", "setup&part=rules", "setup&part=users"];
let server, browser, page, folder;

async function ingest(...lines) {
  const sent = await fetch(`http://${server.http}/v1/ingest`, { method: "POST", headers: { "content-type": "application/x-ndjson" }, body: lines.map((l) => JSON.stringify(l)).join("\n") });
  assert.ok(sent.ok, await sent.text());
}

before(async () => {
  folder = tempDir("console-look");
  const plant = join(folder.dir, "waterworks");
  cpSync(join(ROOT, "examples", "pumphouse"), plant, { recursive: true });
  writeFileSync(join(plant, "rules", "look.rules"), `rule worn on twins (SELECT * FROM DIGITALTWINS P WHERE IS_OF_MODEL(P, 'dtmi:gemel:pumphouse:Pump;1'))
  when P.wear > 0.8 then alarm critical 'The pump is worn' consequence 'It lifts no water any more' response 'Change the impeller' then work order 'Change the impeller'
rule full on twins (SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:gemel:pumphouse:Tower;1')) when T.level > 4 then alarm low 'The tower is nearly full'\n`);
  server = await serve(plant, join(folder.dir, "data"));
  const begin = Date.now() - 3600e3, at = (minute) => new Date(begin + minute * 60000).toISOString();
  await ingest(...Array.from({ length: 60 }, (_, i) => ({ $twin: "tower", $time: at(i), level: 3 + i / 50 })), { $twin: "well", $time: at(0), level: 15 }, 
    { $twin: "pump1", $time: at(50), rotation: 1, flow: 8, motor: { vibration: 2, power: 12, temperature: 40 } });
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

const open = async (hash) => {
  await page.goto("about:blank");
  await page.goto(`http://${server.http}/#${hash}`);
  await until(async () => (await page.getByTestId("connection").textContent()) === "Live", WAIT, "never live");
  await page.locator("main section, main .empty").first().waitFor({ timeout: WAIT });
  await page.waitForTimeout(250); // what is asked for first has come, or says that it is on its way
};
const param = (name) => new URLSearchParams(new URL(page.url()).hash.slice(1)).get(name);

/** Texts on the page that have too little contrast with what is behind them, by the colours that are in force. */
const faint = () => page.evaluate(() => {
  const parse = (css) => { const [r, g, b, a = 1] = (css.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number); return { r, g, b, a }; };
  const over = (top, below) => ({ r: top.r * top.a + below.r * (1 - top.a), g: top.g * top.a + below.g * (1 - top.a), b: top.b * top.a + below.b * (1 - top.a), a: 1 });
  const part = (v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const luminance = (c) => 0.2126 * part(c.r) + 0.7152 * part(c.g) + 0.0722 * part(c.b);
  const ground = (e) => {
    const layers = [];
    for (let at = e; at !== null; at = at.parentElement) {
      const c = parse(getComputedStyle(at).backgroundColor);
      if (c.a > 0) layers.push(c);
      if (c.a === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
  };
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  for (let node = walk.nextNode(); node !== null; node = walk.nextNode()) {
    const e = node.parentElement, text = node.data.trim();
    // What can not be used now is exempt (WCAG 2.1, 1.4.3); so is what is not there to be read.
    if (text === "" || e.closest("[disabled], [aria-hidden='true'], svg, script, style, option, .u-hz") !== null || e.checkVisibility?.() === false) continue;
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    if (box.width === 0 || style.visibility === "hidden") continue;
    const back = ground(e), ink = over(parse(style.color), back), a = luminance(ink), b = luminance(back);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    seen++;
    if (ratio < (large ? 3 : 4.5)) found.push(`${text.slice(0, 40)} (${e.tagName.toLowerCase()}.${e.className}): ${ratio.toFixed(2)}`);
  }
  return { found: [...new Set(found)], seen };
});

test("texts have the contrast of WCAG AA on every view, light and dark", { timeout: 300000 }, async () => {
  for (const view of VIEWS) {
    await open(`twin=pump2&view=${view}`);
    for (const theme of ["light", "dark"]) {
      await browser.theme(theme);
      const { found, seen } = await faint();
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

/** What sticks out of the page, is cut off without an ellipsis, or lies under something else. */
const broken = () => page.evaluate(() => {
  const found = [], wide = document.documentElement.clientWidth, name = (e) => `${e.tagName.toLowerCase()}.${e.className} “${(e.getAttribute("aria-label") ?? e.textContent).trim().slice(0, 30)}”`;
  const scrolls = (e) => { for (let at = e.parentElement; at !== null; at = at.parentElement) if (/auto|scroll/.test(getComputedStyle(at).overflowX)) return true; return false; };
  if (document.documentElement.scrollWidth > wide) found.push(`the page is ${document.documentElement.scrollWidth - wide} px too wide`);
  for (const e of document.querySelectorAll("button, input, select, textarea, th, td, h1, h2, p, label, .chip, legend")) {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (box.width === 0 || e.checkVisibility?.() === false || e.closest("svg") !== null) continue;
    if ((box.right > wide + 1 || box.left < -1) && !scrolls(e)) found.push(`${name(e)} sticks out to ${Math.round(box.right)}`);
    if (/button|th|h1|h2|label/i.test(e.tagName) && e.scrollWidth > e.clientWidth + 2 && style.overflowX === "hidden" && style.textOverflow !== "ellipsis") found.push(`${name(e)} is cut off`);
    if (/^T[HD]$/.test(e.tagName) && box.width < 50 && box.height > 60 && !/\s/.test(e.textContent.trim()) && e.textContent.trim().length > 3) found.push(`${name(e)} is squeezed to ${Math.round(box.width)} px`);
    if (!/BUTTON|INPUT|SELECT/.test(e.tagName)) continue;
    const x = box.left + box.width / 2, y = box.top + box.height / 2, main = document.querySelector("main").getBoundingClientRect();
    const inside = e.closest("main") === null || (y > main.top && y < main.bottom && y < innerHeight);
    if (!inside || x < 0 || x > wide || y < 0 || y > innerHeight || scrolls(e) && e.closest(".table-box, .tree, nav") !== null) continue;
    const top = document.elementFromPoint(x, y);
    if (top !== null && top !== e && !e.contains(top) && !top.contains(e) && top.closest("label")?.contains(e) !== true) found.push(`${name(e)} lies under ${name(top)}`);
  }
  return [...new Set(found)];
});

test("on a tablet held upright nothing is cut off, covered or out of reach", { timeout: 300000 }, async () => {
  await page.setViewportSize({ width: 768, height: 1024 });
  for (const view of VIEWS) {
    await open(`twin=pump2&view=${view}`);
    assert.deepEqual(await broken(), [], view);
    await browser.shot(`tablet-${view.replace("setup&part=", "setup-")}`);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  assert.deepEqual(browser.faults, []);
});
