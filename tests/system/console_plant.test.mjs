// The console on a waterworks whose past is known: scrub back, zoom, ask, look into futures and dead letters.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { consoleAt, openBrowser } from "./browser.mjs";
import { ROOT, json, serve, tempDir, until } from "./support.mjs";

const PLANT = join(ROOT, "examples", "pumphouse");
const MINUTE = 60000;
let server, browser, page, data, begin;

/** A level that rises by a metre an hour for the last ten hours, and is not measured in the hour before the last. */
async function measure() {
  const lines = [];
  begin = Date.now() - 600 * MINUTE;
  for (let i = 0; i <= 600; i++) {
    if (i > 480 && i < 540) continue;
    lines.push(JSON.stringify({ $twin: "tower", $time: new Date(begin + i * MINUTE).toISOString(), level: i / 60 }));
  }
  const sent = await fetch(`http://${server.http}/v1/ingest`, { method: "POST", headers: { "content-type": "application/x-ndjson" }, body: lines.join("\n") });
  assert.ok(sent.ok, await sent.text());
}

before(async () => {
  data = tempDir("console-plant");
  server = await serve(PLANT, data.dir);
  await measure();
  browser = await openBrowser(server.http);
  page = browser.page;
});

after(async () => {
  await browser?.close();
  await server?.stop();
  data?.remove();
});

const { open, param } = consoleAt(() => ({ page, http: server.http }));
const level = () => page.getByTestId("value-level").textContent();

test("scrubbing back shows the twin as it was, in the address too, and leads back to now", { timeout: 60000 }, async () => {
  await open("twin=tower&plot=level&range=24h");
  await until(async () => (await level()) === "10", 10000, "the live level is not there");
  const then = new Date(begin + 120 * MINUTE + 1000).toISOString();
  await open(`twin=tower&plot=level&range=24h&at=${then}`);
  await until(async () => (await level()) === "2", 10000, async () => `the level then is ${await level()}`);
  assert.match(await page.getByTestId("then").textContent(), /As it was at/);
  await browser.shots("past");
  const scrubber = page.getByTestId("scrubber");
  await scrubber.focus();
  const before = param("at");
  await page.keyboard.press("ArrowRight");
  await until(() => param("at") !== before, 5000, "the scrubber does not move the page's time");
  await until(async () => Number(await level()) > 2, 10000, "the values do not follow the scrubber");
  await page.getByTestId("pause").click();
  await until(async () => (await level()) === "10", 10000, "not back at now");
  assert.equal(await page.getByTestId("then").count(), 0);
});

test("before a twin came to be the page says that it was not there", { timeout: 60000 }, async () => {
  await open(`twin=tower&at=${new Date(begin - 60 * MINUTE).toISOString()}`);
  await until(async () => /did not exist/.test(await page.textContent("main")), 10000, "a twin that was not there is shown");
});

test("a plot shows gaps as gaps, zooms by keys into the address, and gives its samples as CSV", { timeout: 60000 }, async () => {
  await open("twin=tower&plot=level&range=24h");
  const chart = page.getByTestId("chart");
  await chart.locator("canvas").waitFor();
  // Columns of pixels without the line's colour, between the first and the last that have it.
  const gap = () => chart.locator("canvas").evaluate((canvas) => {
    const { width, height } = canvas, pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data, inked = [];
    for (let x = 0; x < width; x++)
      for (let y = 0; y < height; y++) {
        const i = 4 * (y * width + x);
        if (pixels[i] < 100 && pixels[i + 2] > 180 && pixels[i + 3] > 100) { inked.push(x); break; }
      }
    return inked.reduce((most, x, i) => Math.max(most, i > 0 ? x - inked[i - 1] - 1 : 0), 0);
  });
  await until(async () => (await gap()) > 15, 10000, "the hour without measurements is drawn over");
  await chart.focus();
  await page.keyboard.press("+");
  await until(() => param("from") !== null, 5000, "the zoom is not in the address");
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByTestId("plot-csv").click()]);
  const rows = readFileSync(await file.path(), "utf8").trim().split("\r\n");
  assert.equal(rows[0], "time,property,unit,value");
  assert.ok(rows.length > 100 && rows[1].includes(",level,m,"), rows[1]);
  await page.getByTestId("zoom-out").click();
  await until(() => param("from") === null, 5000, "not zoomed out");
});

test("the model and the document of a twin, with what changed since", { timeout: 60000 }, async () => {
  await open("twin=tower");
  await page.getByTestId("panel-model").click();
  await until(async () => (await page.getByTestId("model").textContent()).includes("dtmi:gemel:pumphouse:Tower;1"), 10000, "no model");
  await page.getByTestId("panel-raw").click();
  await page.getByTestId("raw").getByText("$dtId").waitFor();
  await json(server.http, "/digitaltwins/tower?api-version=2023-10-31", { method: "PATCH", headers: { "content-type": "application/json-patch+json" }, body: '[{"op":"replace","path":"/area","value":61}]' });
  await until(async () => /≠area61was 60/.test(await page.getByTestId("raw").textContent()), 10000, "the difference is not told");
  await browser.shots("twin");
});

test("a query completes names of the models and answers as a table that sorts and follows the page's time", { timeout: 60000 }, async () => {
  await open("view=query");
  const field = page.getByTestId("query");
  await field.fill("");
  await field.pressSequentially("SELECT T.$dtId, T.leve");
  await page.getByTestId("offer").getByText("level", { exact: true }).waitFor({ timeout: 10000 });
  await page.keyboard.press("Tab");
  await field.pressSequentially(" FROM DIGITALTWINS T WHERE T.level > 0");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+Enter");
  const cells = (n) => page.$$eval(`[data-testid='table'] tbody td:nth-child(${n})`, (all) => all.map((c) => c.textContent));
  await until(async () => (await cells(1)).length === 2, 10000, "two twins have a level");
  assert.deepEqual(await page.$$eval("[data-testid='table'] thead th", (all) => all.map((c) => c.textContent.trim())), ["$dtId", "level"]);
  await page.click("[data-testid='table'] thead th:nth-child(2) button");
  assert.deepEqual(await cells(1), ["tower", "well"]);
  await page.click("[data-testid='table'] thead th:nth-child(2) button");
  assert.deepEqual(await cells(1), ["well", "tower"]);
  await browser.shots("query");
  await field.fill("SELECT nonsense");
  await page.keyboard.press("Control+Enter");
  await page.locator("[role='alert']", { hasText: "or FROM, but the query ends here" }).waitFor({ timeout: 10000 });
});

test("what if: two scenarios side by side, their fans arrive and stay in the address", { timeout: 60000 }, async () => {
  await open("twin=tower&view=futures");
  await page.getByTestId("add-scenario").click();
  await page.getByTestId("scenario").nth(1).locator("select").selectOption("town.demandFactor");
  await page.getByTestId("change-value").fill("2");
  await page.getByTestId("unknowns").locator("select").last().selectOption("town.demandFactor");
  await page.getByTestId("horizon").selectOption("1h");
  await page.getByTestId("lanes").selectOption("64");
  await page.getByTestId("run-futures").click();
  await until(async () => (await page.getByTestId("run-done").count()) === 2, 30000, "the futures do not end");
  const ends = await page.$$eval(".ends tr td:nth-child(2)", (all) => all.map((c) => Number(/: ([\d.]+)/.exec(c.textContent)[1])));
  assert.ok(ends.length === 2 && ends[1] < ends[0], `twice the demand leaves less water: ${ends}`);
  await page.evaluate(() => document.querySelector("main").scrollTo(0, 1e6));
  await browser.shots("what-if");
  await page.reload();
  await until(async () => (await page.getByTestId("run-done").count()) === 2, 10000, "a shared address does not show the futures");
  await page.getByTestId("verify").first().click();
  await page.getByTestId("verified").waitFor({ timeout: 10000 });
});

test("a dead letter says why, and what the twin would take", { timeout: 60000 }, async () => {
  await json(server.http, "/v1/ingest", { method: "POST", headers: { "content-type": "application/x-ndjson" }, body: '{"$twin":"tower","levl":3}' });
  await open("view=letters");
  await page.getByTestId("why").first().click({ timeout: 10000 });
  await until(async () => /level \(double, m\)/.test(await page.getByTestId("explanation").textContent()), 10000, "not explained");
  await browser.shots("letters");
});

test("the graph grows by hops, hides relationships, and selects", { timeout: 60000 }, async () => {
  await open("twin=tower&view=graph");
  const nodes = () => page.locator("[data-node]").count();
  await until(async () => (await nodes()) > 4, 15000, "no graph");
  await page.getByTestId("hops").selectOption("1");
  await until(async () => (await nodes()) === 5, 10000, async () => `${await nodes()} twins one hop around the tower`); // main, valve, controller, waterworks
  const place = () => page.locator("[data-node='valve']").getAttribute("transform");
  const before = await place();
  await page.getByTestId("hops").selectOption("2");
  await until(async () => (await nodes()) === 10, 10000, "not all twins");
  assert.equal(await place(), before, "what was in sight moved");
  await page.getByLabel("contains").uncheck();
  await page.locator("[data-node='valve'] circle").click();
  await until(() => param("twin") === "valve", 5000, "the graph does not select");
  await browser.shots("graph");
});

test("views without anything in them say why", { timeout: 60000 }, async () => {
  for (const [view, words] of [["fleet", /Nothing is predicted|no insight/], ["alarms", /Nothing needs attention/]]) {
    await open(`view=${view}`);
    await until(async () => words.test(await page.textContent("main")), 10000, `${view} does not say why it is empty`);
    await browser.shots(view);
  }
  assert.deepEqual(browser.faults, []);
});
