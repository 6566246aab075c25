// The views of the console that show many twins at once: the plant in space, the tree of a large plant, answers as graphs and
// plots, and what was measured beside what is estimated and expected.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { consoleAt, openBrowser } from "./browser.mjs";
import { ROOT, copyExample, ingest, json, serve, tempDir, until } from "./support.mjs";

const MINUTE = 60000, AREAS = 100, PUMPS = 200; // twins of the plant: the waterworks, a hall, its areas and their pumps
let server, browser, page, data, plant, begin;

function makePlant() {
  plant = tempDir("views");
  const p = copyExample("pumphouse", plant.dir, ["models", "behaviors", "scene", "twins"]);
  const types = [["Hall", "Area"], ["Area", "Unit"]].map(([name, of]) => ({
    "@context": "dtmi:dtdl:context;3", "@id": `dtmi:views:${name};1`, "@type": "Interface", displayName: name,
    contents: [{ "@type": "Relationship", name: "contains", target: `dtmi:views:${of};1` }] }));
  types.push({ "@context": "dtmi:dtdl:context;3", "@id": "dtmi:views:Unit;1", "@type": "Interface", displayName: "Unit",
    contents: [{ "@type": "Telemetry", name: "load", schema: "double" }] });
  writeFileSync(join(p, "models", "views.json"), JSON.stringify(types));
  const twin = (id, model) => JSON.stringify({ $dtId: id, $metadata: { $model: `dtmi:views:${model};1` } });
  const link = (a, b) => JSON.stringify({ $dtId: a, $relationshipId: `in-${b}`, $targetId: b, $relationshipName: "contains" });
  const twins = [twin("hall", "Hall")], links = [];
  for (let a = 0; a < AREAS; a++) {
    twins.push(twin(`area${a}`, "Area"));
    links.push(link("hall", `area${a}`));
    for (let u = 0; u < PUMPS; u++) {
      twins.push(twin(`unit${a}-${u}`, "Unit"));
      links.push(link(`area${a}`, `unit${a}-${u}`));
    }
  }
  writeFileSync(join(p, "twins", "z.ndjson"), ['{"Section":"Header"}', '{"fileVersion":"1.0.0"}', '{"Section":"Twins"}', ...twins, '{"Section":"Relationships"}', ...links].join("\n"));
  mkdirSync(join(p, "data"));
}

before(async () => {
  makePlant();
  data = tempDir("views-data");
  server = await serve(plant.dir, data.dir);
  begin = Date.now() - 300 * MINUTE;
  const lines = [];
  for (let i = 0; i <= 300; i++) lines.push({ $twin: "tower", $time: new Date(begin + i * MINUTE).toISOString(), level: 2 + Math.sin(i / 20) });
  lines.push({ $twin: "well", $time: new Date(begin + 10 * MINUTE).toISOString(), level: 14 });
  lines.push({ $twin: "unit7-3", $time: new Date(begin).toISOString(), load: 5 }); // nothing has come from it since
  await ingest(server.http, lines);
  browser = await openBrowser(server.http, { space: true });
  page = browser.page;
});

after(async () => {
  await browser?.close();
  await server?.stop();
  data?.remove();
  plant?.remove();
});

const { open, param, tooWide } = consoleAt(() => ({ page, http: server.http }));
const label = (id) => page.locator(`[data-label='${id}']`);

test("the geometry is shown with its twins; picking, the tree and the address agree", { timeout: 120000 }, async () => {
  await open("twin=tower&view=scene&color=value:level");
  await page.locator("[data-testid='scene'][data-model='waterworks.gltf'][data-twins='9']").waitFor({ timeout: 40000 });
  await until(async () => /^tower: /.test(await label("tower").textContent().catch(() => "")), 30000, "the tower does not tell its level");
  assert.match(await label("tower").textContent(), /^tower: [\d.]+ m$/);
  const low = Number(await page.getByTestId("scale-low").inputValue()), high = Number(await page.getByTestId("scale-high").inputValue());
  assert.ok(low <= 1 && high >= 14, `the scale ${low} to ${high} leaves out what was measured`);
  // The colour of the well, at the top of the scale, is on the picture; then a scale that it falls out of changes the picture.
  const picture = () => page.locator("[data-testid='scene'] canvas").evaluate((c) => c.toDataURL());
  const before = await picture();
  await page.getByTestId("scale-high").fill("1000");
  await page.getByTestId("scale-high").press("Enter");
  await until(async () => (await picture()) !== before, 20000, "the scale does not change the colours");
  // A click on the tower's tank selects nothing else.
  await page.click("nav [data-twin='pump1']");
  await until(() => param("twin") === "pump1", 20000, "the tree does not select");
  await page.locator(".scene-label.selected[data-label='pump1'], .hint").first().waitFor();
  const canvas = page.locator("[data-testid='scene'] canvas"), box = await canvas.boundingBox();
  const hit = async () => {
    // Somewhere on the picture stands the town; its neighbours are ground.
    for (let x = 0.55; x < 0.95; x += 0.04) for (let y = 0.35; y < 0.8; y += 0.06) {
      await page.mouse.click(box.x + box.width * x, box.y + box.height * y);
      if ((await page.locator("nav .node.selected .name").getAttribute("data-twin")) === "town") return true;
    }
    return false;
  };
  assert.ok(await hit(), "no click on the picture selects the town");
  await until(() => param("twin") === "town", 20000, "picking is not in the address");
});

test("others are ghosted and hidden, by keys too, and the scene follows the page's time", { timeout: 120000 }, async () => {
  await open("twin=tower&view=scene&color=value:level");
  await until(async () => (await label("tower").count()) === 1, 40000, "no labels");
  await page.getByTestId("scene").focus();
  await page.keyboard.press("g");
  await until(() => param("others") === "ghosted", 20000, "G does not ghost");
  await page.keyboard.press("h");
  await until(() => param("others") === "hidden", 20000, "H does not hide");
  await page.keyboard.press("f");
  await page.getByTestId("scene-others").selectOption("shown");
  await page.keyboard.press("Escape");
  const then = begin + 31 * MINUTE + 1000; // the sine's top
  await open(`twin=tower&view=scene&color=value:level&at=${new Date(then).toISOString()}`);
  await until(async () => (await label("tower").textContent().catch(() => "")) === "tower: 3 m", 40000, async () => `then: ${await label("tower").textContent().catch(() => "nothing")}`);
  await browser.shots("scene");
  await page.setViewportSize({ width: 820, height: 1180 });
  await browser.shots("scene-tablet");
  await page.setViewportSize({ width: 1280, height: 800 });
});

test("where there is no geometry a scheme is drawn, and says when it is cut", { timeout: 120000 }, async () => {
  await open("twin=area7&view=scene");
  await page.locator("[data-testid='scene']").waitFor({ timeout: 40000 });
  await page.getByTestId("scene-file").selectOption("");
  await page.locator("[data-testid='scene'][data-model='']").waitFor({ timeout: 40000 });
  assert.equal(await page.locator("[data-testid='scene']").getAttribute("data-twins"), "400");
  await until(async () => /Only 400 twins/.test(await page.textContent("main")), 20000, "it is not told that twins are missing");
  await until(async () => (await label("area7").count()) === 1, 20000, "the selected twin is not drawn");
  await browser.shots("scheme");
});

test("a plant of twenty thousand twins is searched and scrolled, and tells who has fallen silent", { timeout: 120000 }, async () => {
  await open("twin=hall");
  await page.locator("nav [data-twin='area7']").scrollIntoViewIfNeeded({ timeout: 30000 });
  await page.locator("nav [data-silent='area7']").waitFor({ timeout: 40000 });
  assert.match(await page.locator("nav [data-silent='area7']").getAttribute("title"), /^1 of 201 twins/);
  assert.equal(await page.locator("nav [data-silent='area8']").count(), 0);
  await page.locator("nav [data-silent='hall']").waitFor({ timeout: 40000 });
  await page.locator("nav .node", { has: page.locator("[data-twin='area7']") }).locator("button.twist").click();
  await page.locator("nav [data-twin='unit7-0']").waitFor({ timeout: 30000 });
  assert.ok((await page.locator("nav .node").count()) < 120, "rows out of sight are in the page");
  await page.locator("nav .tree").evaluate((t) => t.scrollTo(0, 1e9));
  await page.locator(`nav [data-twin='area${AREAS - 1}']`).waitFor({ timeout: 30000 });
  await page.keyboard.press("/");
  await page.keyboard.type("unit42-17");
  await page.locator("nav .found [data-twin='unit42-17']").click({ timeout: 30000 });
  await until(() => param("twin") === "unit42-17", 20000, "the search does not select");
  await page.fill("nav input[type='search']", "");
  await browser.shots("tree");
});

test("the graph leaves out what a hop has too much of, hides relationships and is as of the page's time", { timeout: 120000 }, async () => {
  await open("twin=area7&view=graph");
  await page.getByTestId("hops").selectOption("1");
  await until(async () => /more are not drawn: at most 60 a hop/.test(await page.textContent("main")), 40000, "it is not told that twins are missing");
  await until(async () => (await page.locator("[data-node]").count()) === 61, 30000, "not the root and sixty");
  await page.getByLabel("contains").uncheck();
  await until(async () => (await page.locator("[data-node]").count()) === 1, 30000, "hidden relationships are still walked");
  await open(`twin=area7&view=graph&at=${new Date(begin - 60 * MINUTE).toISOString()}`);
  await until(async () => /did not exist/.test(await page.textContent("main .empty")), 30000, "a graph of a time before there were twins");
});

test("a query's answer as a plot, as bars and as a graph", { timeout: 120000 }, async () => {
  const ask = (q, as) => open(`view=query&range=24h&as=${as}&query=${encodeURIComponent(q)}`);
  await ask("SELECT T.$dtId, T.level FROM DIGITALTWINS T WHERE T.level > 0", "plot");
  await page.locator("[data-testid='query-plot'] canvas").waitFor({ timeout: 30000 });
  assert.match(await page.locator("[data-testid='query-plot']").textContent(), /tower \[m\]/);
  await browser.shots("query-plot");
  await page.getByTestId("as-graph").click();
  await until(async () => (await page.locator("[data-testid='query-graph'] [data-node]").count()) === 2, 30000, "the answer is no graph");
  await until(() => param("as") === "graph", 20000, "the shape is not in the address");
  await ask("SELECT COUNT() AS n FROM DIGITALTWINS", "plot");
  await until(async () => /20,111/.test(await page.getByTestId("query-bars").textContent({ timeout: 30000 })), 30000, "no bars of numbers without twins");
});

test("a forecast stands to the right of now, and the years are one zoom away", { timeout: 120000 }, async () => {
  await open("twin=tower&plot=level&range=3h");
  const chart = page.locator("[data-testid='chart'] canvas");
  await chart.waitFor({ timeout: 30000 });
  // The band's edges are drawn in the line's colour, thinner than it: count what is inked at the right end.
  const right = () => chart.evaluate((c) => {
    const w = c.width, h = c.height, x0 = Math.round(w * 0.85), d = c.getContext("2d").getImageData(x0, 0, w - x0 - 30, h - 80).data;
    let n = 0;
    for (let i = 0; i < d.length; i += 4) if (d[i + 2] > d[i] + 25 && d[i + 3] > 20) n++;
    return n;
  });
  await page.getByTestId("plot-forecast").click();
  await until(() => param("forecast") === "yes", 20000, "not in the address");
  await until(async () => (await right()) > 200, 40000, async () => `no fan: ${await right()} inked, ${await page.textContent(".plot")}`);
  await browser.shots("forecast");
  await page.getByTestId("range").selectOption("1y");
  await page.getByTestId("chart").focus();
  for (let i = 0; i < 6; i++) await page.keyboard.press("+");
  const days = () => (Date.parse(param("to")) - Date.parse(param("from"))) / 86400e3; // NaN before the first zoom is in the address
  await until(() => days() < 10, 20000, () => `six zooms into a year leave ${days()} days`);
});

test("a narrow page has everything in reach", { timeout: 120000 }, async () => {
  await page.setViewportSize({ width: 820, height: 1180 });
  for (const view of ["twin", "graph", "query", "futures", "fleet", "maintenance", "alarms", "orders", "plans", "letters", "setup"]) {
    await open(`twin=tower&view=${view}`);
    await page.locator("main section, main .empty").first().waitFor({ timeout: 30000 });
    for (const cell of await page.locator("[data-testid^='value-']").all()) assert.ok((await cell.boundingBox()).height < 60, `${view}: a number is broken over lines`);
    assert.ok((await tooWide()) <= 0, `${view} is ${await tooWide()} px too wide`);
    await page.screenshot({ path: join(process.env.GM_SCREENSHOTS ?? join(ROOT, "build", "screenshots"), `${view}-tablet.png`) });
  }
  assert.deepEqual(browser.faults, []);
});

test("the scene's files are the plant's and nothing else", { timeout: 60000 }, async () => {
  const list = await json(server.http, "/v1/scene");
  assert.deepEqual(list.body.files.map((f) => f.name), ["waterworks.gltf"]);
  const file = await fetch(`http://${server.http}/v1/scene/waterworks.gltf`);
  assert.equal((await file.json()).asset.version, "2.0");
  const again = await fetch(`http://${server.http}/v1/scene/waterworks.gltf`, { headers: { "if-none-match": file.headers.get("etag") } });
  assert.equal(again.status, 304);
  assert.equal((await fetch(`http://${server.http}/v1/scene/..%2Fgemel.conf`)).status, 404);
});
