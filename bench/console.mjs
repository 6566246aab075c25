// The console's numbers in a real browser without a head: what is fetched at first, how soon something is seen, what many
// changing twins cost, whether memory stays, how soon a year is drawn anew, long tasks, and the way back after a restart.
//
//   node bench/console.mjs BUILD [--json FILE] [--samples N]     N: samples of the year (31536000: one a second; default 3153600)
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(join(root, "tests", "system", "package.json"));
const { chromium } = (await import(pathToFileURL(require.resolve("playwright-core")))).default;
const [build, ...rest] = process.argv.slice(2);
const option = (name, otherwise) => (rest.includes(name) ? rest[rest.indexOf(name) + 1] : otherwise);
const SAMPLES = Number(option("--samples", "3153600")), TWINS = 10000, YEAR = 365 * 86400e3;
const BROWSER = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((p) => existsSync(p));
const home = mkdtempSync(join(tmpdir(), "gemel-console-"));
const sleep = (ms) => new Promise((go) => setTimeout(go, ms));
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const results = {};
const tell = (name, value, unit, reach) => {
  results[name] = { value, unit, reach };
  console.log(`${name.padEnd(58)} ${String(Math.round(value * 10) / 10).padStart(10)} ${unit.padEnd(6)} reach ${reach}`);
};

function makePlant() {
  mkdirSync(join(home, "plant", "models"), { recursive: true });
  mkdirSync(join(home, "plant", "twins"));
  writeFileSync(join(home, "plant", "gemel.conf"), "");
  const contents = [{ "@type": "Telemetry", name: "load", schema: "double" }, { "@type": "Relationship", name: "contains" }];
  writeFileSync(join(home, "plant", "models", "unit.json"), JSON.stringify({ "@context": "dtmi:dtdl:context;3", "@id": "dtmi:bench:Unit;1", "@type": "Interface", contents }));
  const twin = (id) => JSON.stringify({ $dtId: id, $metadata: { $model: "dtmi:bench:Unit;1" } }), twins = [twin("plant")], links = [];
  for (let i = 0; i < TWINS; i++) {
    twins.push(twin(`unit${i}`));
    links.push(JSON.stringify({ $dtId: "plant", $relationshipId: `r${i}`, $targetId: `unit${i}`, $relationshipName: "contains" }));
  }
  writeFileSync(join(home, "plant", "twins", "all.ndjson"), ['{"Section":"Header"}', '{"fileVersion":"1.0.0"}', '{"Section":"Twins"}', ...twins, '{"Section":"Relationships"}', ...links].join("\n"));
}

let server;
async function serve(http) {
  server = spawn(join(resolve(build), "gemel"), ["serve", join(home, "plant"), "--http", http, "--mqtt", "127.0.0.1:0", "--data", join(home, "data")], { stdio: ["ignore", "pipe", "ignore"] });
  let out = "";
  for await (const chunk of server.stdout) {
    out += chunk;
    const ready = /^ready http=(\S+)/m.exec(out);
    if (ready !== null) return ready[1];
  }
  throw new Error("the server did not start");
}
const ended = (child) => new Promise((go) => child.on("close", go));

async function ingest(address, lines) {
  const reply = await fetch(`http://${address}/v1/ingest`, { method: "POST", headers: { "content-type": "application/x-ndjson" }, body: lines.join("\n") });
  if (!reply.ok) throw new Error(await reply.text());
}

const end = Date.now() - 60e3; // of the year that is ingested
async function year(address) {
  const step = YEAR / SAMPLES, BATCH = 200000;
  for (let i = 0; i < SAMPLES; i += BATCH) {
    const lines = [];
    for (let j = i; j < Math.min(SAMPLES, i + BATCH); j++) {
      const t = end - YEAR + j * step;
      lines.push(`{"$twin":"plant","$time":"${new Date(t).toISOString()}","load":${(10 * Math.sin(t / 86400e3) + Math.sin(t / 60e3)).toFixed(3)}}`);
    }
    await ingest(address, lines);
  }
}

makePlant();
const address = await serve("127.0.0.1:0");
const browser = await chromium.launch({ executablePath: BROWSER, args: ["--headless", "--no-sandbox", "--enable-unsafe-swiftshader", "--js-flags=--expose-gc", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
const url = (hash) => `http://${address}/#${hash}`;

async function newPage(prepare) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, bypassCSP: true }), page = await context.newPage();
  await page.addInitScript(() => {
    window.longest = 0;
    new PerformanceObserver((list) => { for (const e of list.getEntries()) window.longest = Math.max(window.longest, e.duration); }).observe({ entryTypes: ["longtask"] });
    new MutationObserver((_, me) => {
      if (document.querySelector("main section h2") === null) return;
      me.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() => (window.meaningful = performance.now())));
    }).observe(document, { childList: true, subtree: true });
  });
  if (prepare !== undefined) await prepare(page);
  return { page, context, cdp: await context.newCDPSession(page) };
}
const live = (page) => page.waitForFunction(() => document.querySelector("[data-testid='connection']")?.classList.contains("live") === true, null, { timeout: 60000 });

// ---- what is fetched at first, and how soon something is seen
{
  const times = [];
  let bytes = 0;
  for (let i = 0; i < 5; i++) {
    const scripts = new Set();
    const { page, context } = await newPage();
    page.on("response", (r) => { if (/\.js$/.test(new URL(r.url()).pathname)) scripts.add(r.url()); });
    await page.goto(url(""));
    await page.waitForFunction(() => window.meaningful !== undefined, null, { timeout: 60000 });
    times.push(await page.evaluate(() => window.meaningful));
    bytes = 0;
    for (const script of scripts) bytes += gzipSync(Buffer.from(await (await fetch(script)).arrayBuffer()), { level: 9 }).length;
    await context.close();
  }
  tell("JavaScript of the first view, gzip", bytes / 1000, "kB", "250");
  tell("first meaningful paint, median of 5", median(times), "ms", "500");
}

// ---- 10,000 twins that change once a second, in a table that follows them
{
  const { page, context, cdp } = await newPage();
  let on = true;
  const feed = (async () => {
    for (let n = 0; on; n++) {
      const begun = Date.now();
      await ingest(address, Array.from({ length: TWINS }, (_, i) => `{"$twin":"unit${i}","load":${(n + i) % 997}}`));
      await sleep(Math.max(0, 1000 - (Date.now() - begun)));
    }
  })();
  const q = encodeURIComponent("SELECT T.$dtId, T.load FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:bench:Unit;1')");
  await page.goto(url(`view=query&follow=yes&query=${q}`));
  await live(page);
  await sleep(5000);
  await cdp.send("Performance.enable");
  const busy = async () => (await cdp.send("Performance.getMetrics")).metrics.find((m) => m.name === "TaskDuration").value;
  const before = await busy(), begun = Date.now();
  await sleep(15000);
  tell("10,000 twins at 1 Hz in view: main thread busy", (100 * (await busy() - before)) / ((Date.now() - begun) / 1000), "%", "30");
  on = false;
  await feed;
  await context.close();
}

// ---- memory after use: views, twins, zooms and moments, again and again
{
  const { page, context, cdp } = await newPage();
  await page.goto(url("twin=plant"));
  await live(page);
  const heap = async () => {
    for (let i = 0; i < 3; i++) await cdp.send("HeapProfiler.collectGarbage");
    await cdp.send("Performance.enable");
    return (await cdp.send("Performance.getMetrics")).metrics.find((m) => m.name === "JSHeapUsedSize").value / 1e6;
  };
  const round = async (n) => {
    for (const view of ["twin", "graph", "query", "fleet", "alarms", "letters", "scene", "twin"]) {
      await page.evaluate(([v, id]) => { location.hash = `twin=${id}&view=${v}&range=${id.length % 2 ? "5m" : "1y"}`; }, [view, `unit${n % 50}`]);
      await sleep(view === "scene" ? 900 : 250);
    }
  };
  for (let n = 0; n < 4; n++) await round(n);
  const before = await heap();
  for (let n = 0; n < 25; n++) await round(n);
  const after = await heap();
  tell("heap before 200 changes of view", before, "MB", "-");
  tell("heap growth over them", after - before, "MB", "about 0");
  await context.close();
}

// ---- a year, zoomed
await year(address);
{
  const { page, context } = await newPage();
  await page.goto(url(`twin=plant&plot=load&range=1y`));
  await live(page);
  await page.waitForFunction(() => Number(document.querySelector("[data-testid='chart']")?.dataset.drawn ?? 0) > 0, null, { timeout: 60000 });
  const times = [];
  for (let i = 0; i < 12; i++) {
    await sleep(600);
    times.push(await page.evaluate((key) => new Promise((go) => {
      const chart = document.querySelector("[data-testid='chart']"), n = chart.dataset.drawn, begun = performance.now();
      const look = () => (chart.dataset.drawn !== n ? go(performance.now() - begun) : requestAnimationFrame(look));
      chart.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      requestAnimationFrame(look);
    }), i < 6 ? "+" : i < 9 ? "ArrowLeft" : "-"));
  }
  tell(`a year of ${SAMPLES.toLocaleString("en")} samples, zoomed to drawn, median`, median(times), "ms", "150");
  tell("the same, the slowest of 12", Math.max(...times), "ms", "150");
  await context.close();
}

// ---- 1,000 active alarms and 100,000 events
{
  const alarms = JSON.stringify({ leftOut: 0, items: Array.from({ length: 1000 }, (_, i) => ({
    id: `high@unit${i}`, name: "high", twin: `unit${i}`, state: "unacknowledged", priority: ["critical", "high", "medium", "low"][i % 4], active: true, acknowledged: false,
    raised: new Date(Date.now() - i * 1000).toISOString(), changed: new Date(Date.now() - i * 1000).toISOString(), text: "The load is above what is allowed.", chattering: false, count: 1 })) });
  const events = JSON.stringify({ items: Array.from({ length: 100000 }, (_, i) => ({ sequence: i, twin: `unit${i % TWINS}`, detector: "d", open: false, start: new Date(Date.now() - i * 3000).toISOString(), score: 1, signals: [] })) });
  const fill = (body) => (route) => route.fulfill({ contentType: "application/json", body });
  const { page, context } = await newPage(async (p) => {
    await p.route("**/v1/alarms?**", fill(alarms));
    await p.route("**/v1/anomalies?**", fill(events));
  });
  await page.goto(url("view=alarms&range=7d"));
  await live(page);
  await page.locator("li.alarm").first().waitFor({ timeout: 60000 });
  await sleep(3000);
  await page.evaluate(() => (window.longest = 0));
  await page.getByTestId("scrubber").focus();
  for (let i = 0; i < 20; i++) { await page.keyboard.press("ArrowLeft"); await sleep(100); }
  await page.getByTestId("pause").click();
  await sleep(12000); // lists and marks are asked for again
  tell("1,000 alarms and 100,000 events: longest task", await page.evaluate(() => window.longest), "ms", "100");
  await context.close();
}

// ---- a restart
{
  const { page, context } = await newPage();
  await page.goto(url("twin=plant&plot=load&range=5m"));
  await live(page);
  await page.evaluate(() => (window.same = true));
  await ingest(address, [`{"$twin":"plant","load":1}`]);
  const gone = ended(server);
  server.kill("SIGKILL");
  await gone;
  await page.waitForFunction(() => !document.querySelector("[data-testid='connection']").classList.contains("live"), null, { timeout: 30000 });
  await serve(address);
  const begun = Date.now();
  await ingest(address, Array.from({ length: 20 }, (_, i) => `{"$twin":"plant","$time":"${new Date(Date.now() - 20000 + i * 1000).toISOString()}","load":${i}}`));
  await live(page);
  tell("live again after the server is", Date.now() - begun, "ms", "-");
  await sleep(1500);
  const same = await page.evaluate(() => window.same === true);
  await page.getByTestId("plot-csv").waitFor();
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByTestId("plot-csv").click()]);
  const stream = await file.createReadStream();
  let text = "";
  for await (const chunk of stream) text += chunk;
  const seen = text.trim().split("\r\n").slice(1).filter((l) => Date.parse(l.split(",")[0]) > begun - 21000).length;
  tell("samples from while it was away that the plot holds", seen, "of 20", "20, no reload");
  if (!same) console.log("the page was loaded again");
  await context.close();
}

await browser.close();
const gone = ended(server);
server.kill("SIGTERM");
await gone;
rmSync(home, { recursive: true, force: true });
if (rest.includes("--json")) writeFileSync(option("--json"), JSON.stringify(results, null, 1));
