// The console's numbers in a real browser without a head: what is fetched at first, how soon something is seen, what many
// changing twins cost, whether memory stays, how soon a year is drawn anew, long tasks, a tree of a hundred thousand, and the way
// back after a restart.
//
//   node bench/console.mjs BUILD [--json FILE] [--samples N] [--only first,busy,...]     N: samples of the year (31536000: one a
//   second; default 3153600). Parts: first, busy, year, events, restart, memory, tree.
//
// Where it says "CPU" the time is that of the main thread itself, as the browser traces it: what else runs on the machine is not in it.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { loadavg, tmpdir } from "node:os";
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
  results[name] = { value, unit, reach, load: loadavg()[0] };
  console.log(`${name.padEnd(64)} ${String(Math.round(value * 10) / 10).padStart(10)} ${unit.padEnd(6)} reach ${reach.padEnd(12)} load ${loadavg()[0].toFixed(1)}`);
};

// ---- plants and servers

/** A root, `areas` under it, and `each` units under every area; areas 0: units right under the root. */
function makePlant(name, areas, each, rules) {
  const folder = join(home, name), twin = (id) => JSON.stringify({ $dtId: id, $metadata: { $model: "dtmi:bench:Unit;1" } }), twins = [twin("plant")], links = [];
  for (const part of ["models", "twins", "rules"]) mkdirSync(join(folder, part), { recursive: true });
  writeFileSync(join(folder, "gemel.conf"), "");
  const contents = [{ "@type": "Telemetry", name: "load", schema: "double" }, { "@type": "Relationship", name: "contains" }];
  writeFileSync(join(folder, "models", "unit.json"), JSON.stringify({ "@context": "dtmi:dtdl:context;3", "@id": "dtmi:bench:Unit;1", "@type": "Interface", contents }));
  writeFileSync(join(folder, "rules", "bench.rules"), rules);
  const put = (above, id) => { twins.push(twin(id)); links.push(JSON.stringify({ $dtId: above, $relationshipId: `in-${id}`, $targetId: id, $relationshipName: "contains" })); };
  for (let a = 0; a < areas; a++) put("plant", `area${a}`);
  for (let i = 0; i < Math.max(areas, 1) * each; i++) put(areas === 0 ? "plant" : `area${Math.floor(i / each)}`, `unit${i}`);
  writeFileSync(join(folder, "twins", "all.ndjson"), ['{"Section":"Header"}', '{"fileVersion":"1.0.0"}', '{"Section":"Twins"}', ...twins, '{"Section":"Relationships"}', ...links].join("\n"));
}

async function serve(plant, http) {
  const child = spawn(join(resolve(build), "gemel"), ["serve", join(home, plant), "--http", http, "--mqtt", "127.0.0.1:0", "--data", join(home, `${plant}-data`)], { stdio: ["ignore", "pipe", "ignore"] });
  let out = "";
  for await (const chunk of child.stdout) {
    out += chunk;
    const ready = /^ready http=(\S+)/m.exec(out);
    if (ready !== null) return { child, address: ready[1] };
  }
  throw new Error("the server did not start");
}
async function end(server, signal) {
  const gone = new Promise((go) => server.child.on("close", go));
  server.child.kill(signal);
  await gone;
}

async function ingest(address, lines) {
  const reply = await fetch(`http://${address}/v1/ingest`, { method: "POST", headers: { "content-type": "application/x-ndjson" }, body: lines.join("\n") });
  if (!reply.ok) throw new Error(await reply.text());
}
const loads = (value) => Array.from({ length: TWINS }, (_, i) => `{"$twin":"unit${i}","load":${value(i)}}`);

/** Every unit's load once a second, until it is called. */
function feed(address) {
  let on = true;
  const over = (async () => {
    for (let n = 0; on; n++) {
      const begun = Date.now();
      await ingest(address, loads((i) => (n + i) % 997));
      await sleep(Math.max(0, 1000 - (Date.now() - begun)));
    }
  })();
  return async () => { on = false; await over; };
}

// Events of rules and alarms, to fill the time bar and the list.
const UNITS = "on twins (SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:bench:Unit;1'))";
const RULES = [`rule busy ${UNITS} when T.load > 1000 then event 'busy'`,
  ...["critical", "high", "medium", "low"].map((p, k) => `rule ${p}Load ${UNITS} when T.load > ${2000 + 10 * k} AND T.load < ${2010 + 10 * k} then alarm ${p} 'The load is above what is allowed'`)].join("\n") + "\n";

makePlant("plant", 0, TWINS, RULES);
let server = await serve("plant", "127.0.0.1:0");
const address = server.address;
const browser = await chromium.launch({ executablePath: BROWSER, args: ["--headless", "--no-sandbox", "--enable-unsafe-swiftshader", "--js-flags=--expose-gc", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
const url = (hash, at = address) => `http://${at}/#${hash}`;

// ---- pages

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
const taskSeconds = async (cdp) => (await cdp.send("Performance.getMetrics")).metrics.find((m) => m.name === "TaskDuration").value;

/** The longest task of the page's main thread while work goes on, in ms of CPU. */
async function longestTask(page, work) {
  await browser.startTracing(page, { categories: ["toplevel", "disabled-by-default-devtools.timeline", "__metadata"] });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const mains = new Set(traceEvents.filter((e) => e.name === "thread_name" && e.args?.name === "CrRendererMain").map((e) => `${e.pid}/${e.tid}`));
  return Math.max(0, ...traceEvents.filter((e) => e.name === "RunTask" && mains.has(`${e.pid}/${e.tid}`)).map((e) => (e.tdur ?? 0) / 1000));
}

async function busyShare(cdp, seconds) {
  await cdp.send("Performance.enable");
  const before = await taskSeconds(cdp), begun = Date.now();
  await sleep(seconds * 1000);
  return (100 * (await taskSeconds(cdp) - before)) / ((Date.now() - begun) / 1000);
}

async function heapMB(cdp) {
  for (let i = 0; i < 3; i++) await cdp.send("HeapProfiler.collectGarbage");
  await cdp.send("Performance.enable");
  return (await cdp.send("Performance.getMetrics")).metrics.find((m) => m.name === "JSHeapUsedSize").value / 1e6;
}

// ---- parts

/** What is fetched at first, and how soon something is seen. */
async function first() {
  const times = [], work = [];
  let bytes = 0;
  for (let i = 0; i < 9; i++) {
    const scripts = new Set(), { page, context, cdp } = await newPage();
    page.on("response", (r) => { if (/\.js$/.test(new URL(r.url()).pathname)) scripts.add(r.url()); });
    await cdp.send("Performance.enable");
    await page.goto(url(""));
    await page.waitForFunction(() => window.meaningful !== undefined, null, { timeout: 60000 });
    times.push(await page.evaluate(() => window.meaningful));
    work.push(1000 * await taskSeconds(cdp));
    bytes = 0;
    for (const script of scripts) bytes += gzipSync(Buffer.from(await (await fetch(script)).arrayBuffer()), { level: 9 }).length;
    await context.close();
  }
  tell("JavaScript of the first view, gzip", bytes / 1000, "kB", "250");
  tell("first meaningful paint, median of 9", median(times), "ms", "500");
  tell("main thread until then, median of 9", median(work), "ms", "-");
}

/** 10,000 twins that change once a second, in a table that follows them, in the tree and in space. */
async function busy() {
  const stop = feed(address), q = encodeURIComponent("SELECT T.$dtId, T.load FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:bench:Unit;1')");
  for (const [what, hash] of [["table", `view=query&follow=yes&query=${q}`], ["tree", "twin=unit7"], ["3D", "twin=plant&view=scene&color=value:load"]]) {
    const { page, context, cdp } = await newPage();
    await page.goto(url(hash));
    await live(page);
    await sleep(6000);
    tell(`10,000 twins at 1 Hz in view, ${what}: main thread busy`, await busyShare(cdp, 12), "%", "30");
    await context.close();
  }
  await stop();
}

const yearEnd = Date.now() - 60e3;
async function year() {
  const step = YEAR / SAMPLES, BATCH = 200000;
  for (let i = 0; i < SAMPLES; i += BATCH) {
    const lines = [];
    for (let j = i; j < Math.min(SAMPLES, i + BATCH); j++) {
      const t = yearEnd - YEAR + j * step;
      lines.push(`{"$twin":"plant","$time":"${new Date(t).toISOString()}","load":${(10 * Math.sin(t / 86400e3) + Math.sin(t / 60e3)).toFixed(3)}}`);
    }
    await ingest(address, lines);
  }
  const { page, context } = await newPage();
  await page.goto(url("twin=plant&plot=load&range=1y"));
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

/** 1,000 active alarms and 100,000 events, all of them the server's own. */
async function events() {
  for (let n = 0; n < 10; n++) {
    await ingest(address, loads(() => 1500));
    await ingest(address, loads(() => 0));
  }
  await ingest(address, loads((i) => (i < 1000 ? 2005 + 10 * (i % 4) : 0)));
  const count = async () => (await (await fetch(`http://${address}/v1/marks?buckets=1`)).json()).total;
  for (let i = 0; i < 600 && (await count()) < 102000; i++) await sleep(100);
  const begun = performance.now();
  await (await fetch(`http://${address}/v1/marks?buckets=600&examples=1`)).text();
  tell(`${(await count()).toLocaleString("en")} happenings, counted by the server for a time bar`, performance.now() - begun, "ms", "-");
  for (const [what, hash] of [["the list", "view=alarms&range=7d"], ["by kind, opened", "view=alarms&range=7d&group=name"], ["a flood", "view=alarms&range=5m&flood=yes"], ["a plot", "twin=unit0&plot=load&range=5m"]]) {
    const { page, context } = await newPage();
    await page.goto(url(hash));
    await live(page);
    await page.locator(hash.includes("alarms") ? "main .alarm, main .alarm-group" : "[data-testid='chart'] canvas").first().waitFor({ timeout: 60000 });
    await sleep(3000);
    await page.evaluate(() => (window.longest = 0));
    const cpu = await longestTask(page, async () => {
      if (what.includes("opened")) await page.locator(".group-name").first().click();
      await page.getByTestId("scrubber").focus();
      for (let i = 0; i < 20; i++) { await page.keyboard.press("ArrowLeft"); await sleep(100); }
      await page.getByTestId("pause").click();
      await page.getByTestId("happened").click();
      await sleep(8000); // lists and marks are asked for again
    });
    tell(`1,000 alarms, 100,000 events, ${what}: longest task, CPU`, cpu, "ms", "100");
    tell("the same by the clock", await page.evaluate(() => window.longest), "ms", "100");
    await context.close();
  }
  await ingest(address, loads(() => 0));
}

async function restart() {
  const { page, context } = await newPage();
  await page.goto(url("twin=plant&plot=load&range=5m"));
  await live(page);
  await page.evaluate(() => (window.same = true));
  await ingest(address, ['{"$twin":"plant","load":1}']);
  await end(server, "SIGKILL");
  await page.waitForFunction(() => !document.querySelector("[data-testid='connection']").classList.contains("live"), null, { timeout: 30000 });
  server = await serve("plant", address);
  const begun = Date.now();
  await ingest(address, Array.from({ length: 20 }, (_, i) => `{"$twin":"plant","$time":"${new Date(Date.now() - 20000 + i * 1000).toISOString()}","load":${i}}`));
  await live(page);
  tell("live again after the server is", Date.now() - begun, "ms", "-");
  await sleep(7000); // what came at once is read from the history within five seconds
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

/** Half an hour of use: everything that is done every so often is done SPEED times as often, and twins report as much faster. */
async function memory() {
  const SPEED = 20, SECONDS = 1800 / SPEED, views = ["twin", "graph", "query", "fleet", "alarms", "orders", "letters", "plans", "scene", "setup", "futures", "twin"];
  const { page, context, cdp } = await newPage((p) => p.addInitScript((speed) => {
    const plain = window.setInterval.bind(window);
    window.setInterval = (call, ms, ...rest) => plain(call, Math.max(4, ms / speed), ...rest);
  }, SPEED));
  await page.goto(url("twin=plant"));
  await live(page);
  let on = true;
  const over = (async () => { for (let n = 0; on; n++) { await ingest(address, Array.from({ length: 60 }, (_, i) => `{"$twin":"unit${i}","load":${(n + i) % 997}}`)); await sleep(1000 / SPEED); } })();
  const use = async (n) => {
    const view = views[n % views.length];
    await page.evaluate(([v, id, range]) => { location.hash = `twin=${id}&view=${v}&range=${range}`; }, [view, `unit${n % 50}`, ["5m", "1y", "24h"][n % 3]]);
    await sleep(view === "scene" ? 900 : 300);
    if (view === "twin") { for (const key of ["+", "ArrowLeft", "-"]) { await page.getByTestId("chart").press(key).catch(() => undefined); await sleep(60); } }
    if (n % 7 === 3) { await page.getByTestId("pause").click(); await sleep(200); await page.getByTestId("pause").click(); }
  };
  for (let n = 0; n < 2 * views.length; n++) await use(n); // everything has been seen once
  const points = [], begun = Date.now();
  for (let n = 0; Date.now() - begun < SECONDS * 1000; n++) {
    await use(n);
    if (n % views.length === views.length - 1) points.push([((Date.now() - begun) / 1000 / SECONDS) * 30, await heapMB(cdp)]);
  }
  on = false;
  await over;
  const mean = (k) => points.reduce((s, p) => s + p[k], 0) / points.length, x = mean(0), y = mean(1);
  const slope = points.reduce((s, p) => s + (p[0] - x) * (p[1] - y), 0) / points.reduce((s, p) => s + (p[0] - x) ** 2, 0);
  console.log(`   heap after collection, MB at simulated minutes: ${points.map((p) => `${p[0].toFixed(0)}: ${p[1].toFixed(1)}`).join(", ")}`);
  tell("heap after half an hour of simulated use", points.at(-1)[1], "MB", "-");
  tell("its growth over that half hour (least squares)", slope * 30, "MB", "about 0");
  await context.close();
}

/** A hundred thousand twins in the tree. */
async function tree() {
  makePlant("large", 100, 1000, RULES);
  const big = await serve("large", "127.0.0.1:0");
  await ingest(big.address, Array.from({ length: 1000 }, (_, i) => `{"$twin":"unit${i * 97}","load":${i % 3 === 0 ? 2005 : 5}}`));
  const { page, context, cdp } = await newPage(), timed = async (name, reach, work) => { const begun = Date.now(); await work(); tell(name, Date.now() - begun, "ms", reach); };
  const node = (id) => page.locator(`nav [data-twin='${id}']`), row = (id) => page.locator("nav .node", { has: page.locator(`[data-twin='${id}']`) });
  await timed("100,000 twins: page to tree", "-", async () => { await page.goto(url("twin=plant", big.address)); await node("area0").waitFor({ timeout: 60000 }); });
  await timed("100,000 twins: worst alarm rolled up to the root", "-", () => row("plant").locator(".alarm-badge").waitFor({ timeout: 60000 }));
  await timed("100,000 twins: an area of 1,000 opened", "-", async () => { await row("area0").locator("button.twist").click(); await node("unit0").waitFor({ timeout: 60000 }); });
  await timed("100,000 twins: scrolled to the end of it", "-", async () => {
    await page.locator("nav .tree").evaluate((t) => t.scrollTo(0, 500 * 28));
    await page.waitForFunction(() => document.querySelector("nav [data-twin='unit510']") !== null || (document.querySelector("nav .tree").scrollTo(0, 510 * 28), false), null, { timeout: 60000 });
  });
  await timed("100,000 twins: found by name", "-", async () => { await page.fill("nav input[type='search']", "unit99999"); await page.locator("nav .found [data-twin='unit99999']").waitFor({ timeout: 60000 }); });
  const begun = performance.now();
  for (let i = 0; i < 5; i++) await (await fetch(`http://${big.address}/v1/alarms/rollup?twin=plant`)).text();
  tell("100,000 twins: roll-up of the root and 100 areas, on the server", (performance.now() - begun) / 5, "ms", "-");
  await page.fill("nav input[type='search']", "");
  tell("100,000 twins: main thread busy while looked at", await busyShare(cdp, 8), "%", "30");
  tell("100,000 twins: heap", await heapMB(cdp), "MB", "-");
  await context.close();
  await end(big, "SIGTERM");
}

const parts = { first, busy, year, events, restart, memory, tree };
const only = option("--only", Object.keys(parts).join(",")).split(",");
for (const [name, part] of Object.entries(parts)) if (only.includes(name)) await part();
await browser.close();
await end(server, "SIGTERM");
rmSync(home, { recursive: true, force: true });
if (rest.includes("--json")) writeFileSync(option("--json"), JSON.stringify(results, null, 1));
