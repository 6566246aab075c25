// The fleet of jet engines with recorded flights, in the browser: who is endangered and how surely, what stands out, an engine's
// page, its signals over all flights, and back to a flight of the past. The records are made here, in the layout of NASA's files.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openBrowser } from "./browser.mjs";
import { ROOT, json, serve, start, tempDir, until } from "./support.mjs";

const WAIT = 60000, TRAIN = 10, LEFT = [8, 40, 90, 15, 60, 120], SENSORS = 21; // cycles that are left to each engine of the fleet
let folder, server, browser, page, untrained = null;

// Noise that is the same each time: a linear congruential generator, twelve of it are nearly normal.
let seed = 7;
const noise = () => { let sum = -6; for (let i = 0; i < 12; i++) { seed = (seed * 1664525 + 1013904223) >>> 0; sum += seed / 2 ** 32; } return sum; };
const lifeOf = (unit) => 140 + ((unit * 37) % 100);

/** A flight: every third sensor shows the wear, the others only noise, two nothing at all. */
function flight(unit, cycle, life) {
  const wear = Math.exp(5 * (cycle / life - 1)), sensors = Array.from({ length: SENSORS }, (_, s) => (100 + s + (s > 1 ? 0.1 * noise() : 0) + (s % 3 === 2 ? (s % 2 === 0 ? 1 : -1) * wear : 0)).toFixed(4));
  return `${unit} ${cycle} ${(0.001 * noise()).toFixed(4)} ${(0.0001 * noise()).toFixed(4)} 100 ${sensors.join(" ")}`;
}
const flights = (unit, life, last) => Array.from({ length: last }, (_, i) => flight(unit, i + 1, life));

async function gemel(...args) {
  const run = start(...args);
  return { code: await run.ended, err: run.err };
}

before(async () => {
  folder = tempDir("console-turbofan");
  const data = join(folder.dir, "cmapss"), plant = join(folder.dir, "turbofan");
  mkdirSync(data);
  cpSync(join(ROOT, "examples", "turbofan"), plant, { recursive: true });
  rmSync(join(plant, "data"), { recursive: true, force: true });
  writeFileSync(join(data, "train_FD001.txt"), Array.from({ length: TRAIN }, (_, i) => flights(i + 1, lifeOf(i + 1), lifeOf(i + 1))).flat().join("\n") + "\n");
  writeFileSync(join(data, "test_FD001.txt"), LEFT.map((left, i) => flights(i + 1, lifeOf(i + 51), lifeOf(i + 51) - left)).flat().join("\n") + "\n");
  writeFileSync(join(data, "RUL_FD001.txt"), LEFT.join("\n") + "\n");
  const trained = await gemel("train", "turbofan", "--data", data, "--set", "FD001", "--out", join(plant, "insight", "turbofan"), "--threads", "1");
  if (trained.code !== 0) { untrained = trained.err; return; }
  server = await serve(plant, join(folder.dir, "data"));
  const flown = await gemel("replay", plant, "--data", join(data, "test_FD001.txt"), "--mqtt", server.mqtt, "--rate", "max");
  assert.equal(flown.code, 0, flown.err);
  await until(async () => (await json(server.http, "/v1/rul")).body.items.length === LEFT.length, WAIT, "not every engine has a prediction");
  browser = await openBrowser(server.http);
  page = browser.page;
});

after(async () => {
  await browser?.close();
  await server?.stop();
  folder?.remove();
});

const param = (name) => new URLSearchParams(new URL(page.url()).hash.slice(1)).get(name);

test("the fleet is ranked, and leads to the engine, its signals, and a flight of its past", { timeout: 240000 }, async (t) => {
  if (untrained !== null) {
    assert.match(untrained, /XGBoost/i, untrained);
    t.skip("built without XGBoost");
    return;
  }
  await page.goto(`http://${server.http}/#view=fleet`);
  const rows = page.locator("[data-testid='table']").first().locator("tbody tr");
  await until(async () => (await rows.count()) === LEFT.length, WAIT, async () => `${await rows.count()} engines are ranked`);
  await until(async () => /^engine-001/.test(await rows.first().textContent()), WAIT, async () => `the most endangered is ${await rows.first().textContent()}`);
  assert.equal(await page.locator(".interval svg").count(), LEFT.length, "not every prediction shows its interval");
  const cycles = (await page.locator("[data-testid='table']").first().locator("tbody tr td.number:nth-child(2)").allTextContents()).map(Number);
  assert.deepEqual(cycles, [...cycles].sort((a, b) => a - b));
  await browser.shots("turbofan-fleet");
  await rows.first().getByRole("button", { name: "engine-001" }).click();
  await until(() => param("twin") === "engine-001" && param("view") === null, WAIT, "the fleet does not lead to the engine");
  // What rules made of the prediction stands above its values.
  await page.getByTestId("twin-alarms").waitFor({ timeout: WAIT });
  // All flights of one signal that shows the wear: a cycle is an hour, from the first of January 2026.
  await page.goto("about:blank");
  await page.goto(`http://${server.http}/#twin=engine-001&plot=T24&plot=rul&from=2026-01-01T00:00:00.000Z&to=2026-01-12T00:00:00.000Z`);
  await page.locator("[data-testid='chart'][data-drawn]").waitFor({ timeout: WAIT });
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByTestId("plot-csv").click()]);
  let csv = "";
  for await (const chunk of await file.createReadStream()) csv += chunk;
  const flown = csv.split("\r\n").filter((l) => l.includes(",T24,")).length;
  assert.ok(flown >= lifeOf(51) - LEFT[0] - 2, `the plot holds ${flown} of ${lifeOf(51) - LEFT[0]} flights`);
  await browser.shots("turbofan-engine");
  // Back to its fiftieth flight, and on by the scrubber.
  await page.goto("about:blank");
  await page.goto(`http://${server.http}/#twin=engine-001&plot=T24&from=2026-01-01T00:00:00.000Z&to=2026-01-12T00:00:00.000Z&at=2026-01-03T01:30:00.000Z`);
  const cycle = async () => Number((await page.getByTestId("value-cycle").textContent({ timeout: WAIT })).replace(/\D/g, ""));
  await until(async () => (await cycle()) === 50, WAIT, async () => `then it is on flight ${await cycle()}`);
  await browser.shots("turbofan-past");
  await page.getByTestId("scrubber").focus();
  await page.keyboard.press("ArrowRight");
  await until(async () => (await cycle()) > 50, WAIT, "the values do not follow the scrubber");
  await page.getByTestId("pause").click();
  await until(async () => (await cycle()) === lifeOf(51) - LEFT[0], WAIT, "not back at the last flight");
  assert.deepEqual(browser.faults, []);
});
