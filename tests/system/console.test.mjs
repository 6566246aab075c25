// The console in a real browser on the machine's own plant: values move, plots draw, and a lost connection says so.
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { ROOT, serve, start, tempDir, until } from "./support.mjs";

const SHOTS = process.env.GM_SCREENSHOTS ?? join(ROOT, "build", "screenshots");
const BROWSER = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((p) => existsSync(p));

let server, agent, browser, page, data, profile;
const faults = [];

before(async () => {
  assert.ok(BROWSER, "chromium is missing: tools/setup test installs it");
  mkdirSync(SHOTS, { recursive: true });
  data = tempDir("console");
  profile = tempDir("chromium");
  server = await serve(join(ROOT, "examples", "machine"), data.dir);
  agent = start("agent", "--mqtt", server.mqtt, "--interval", "500ms");
  browser = await chromium.launchPersistentContext(profile.dir, {
    executablePath: BROWSER,
    viewport: { width: 1280, height: 800 },
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync"],
  });
  page = await browser.newPage();
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error") faults.push(message.text()); });
  page.on("request", (request) => { if (!request.url().startsWith(`http://${server.http}`) && !request.url().startsWith("data:")) faults.push(`fetched ${request.url()}`); });
  await page.goto(`http://${server.http}/`);
});

after(async () => {
  await browser?.close();
  agent?.child.kill("SIGTERM");
  await agent?.ended;
  await server?.stop();
  data?.remove();
  profile?.remove();
});

const connection = () => page.getByTestId("connection").textContent();

test("the page is live and shows the machine's twin", { timeout: 60000 }, async () => {
  await until(async () => (await connection()) === "Live", 15000, "never live");
  await page.waitForSelector("nav .name", { timeout: 15000 });
  await page.waitForSelector("main section.twin h2", { timeout: 15000 });
});

test("values change every second", { timeout: 60000 }, async () => {
  const values = () => page.$$eval("[data-testid^='value-']", (cells) => cells.map((c) => c.textContent).join("|"));
  const seen = new Set();
  await until(async () => seen.add(await values()).size >= 4, 30000, () => `only ${seen.size} different pictures of the values`);
});

test("the plot draws and grows", { timeout: 60000 }, async () => {
  await page.waitForSelector("[data-testid='chart'] canvas", { timeout: 15000 });
  const ink = () => page.$eval("[data-testid='chart'] canvas", (canvas) => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let blue = 0; // the first series is drawn in #2f7ed8
    for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 2] > 150 && pixels[i] < 120 && pixels[i + 3] > 128) blue++;
    return blue;
  });
  const first = await until(async () => await ink(), 20000, "no line was drawn");
  await until(async () => (await ink()) !== first, 20000, "the line does not move");
  await page.screenshot({ path: join(SHOTS, "machine-light.png") });
});

test("search finds a twin below the root and shows it", { timeout: 60000 }, async () => {
  await page.keyboard.press("/");
  await page.keyboard.type("mem");
  await page.waitForSelector("nav .found .name", { timeout: 10000 });
  const id = await page.$eval("nav .found .name", (b) => b.dataset.twin);
  await page.click("nav .found .name");
  await until(async () => (await page.textContent("main h2")).includes(id), 10000, "the twin found was not shown");
  assert.ok(page.url().includes(encodeURIComponent(id)), "the view is not in the address");
});

test("dark is dark and keeps its contrast", { timeout: 60000 }, async () => {
  for (let i = 0; i < 3 && (await page.getAttribute("html", "data-theme")) !== "dark"; i++) await page.getByTestId("theme").click();
  const contrast = await page.evaluate(() => {
    const luminance = (css) => {
      const [r, g, b] = css.match(/[\d.]+/g).slice(0, 3).map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const section = document.querySelector("section");
    const back = luminance(getComputedStyle(section).backgroundColor);
    return [".values th", ".dim"].map((s) => {
      const ink = luminance(getComputedStyle(section.querySelector(s)).color);
      return (Math.max(ink, back) + 0.05) / (Math.min(ink, back) + 0.05);
    });
  });
  for (const ratio of contrast) assert.ok(ratio >= 4.5, `contrast ${ratio}`);
  await page.screenshot({ path: join(SHOTS, "machine-dark.png") });
});

test("a lost connection says so at once, and a regained one goes on without a reload", { timeout: 90000 }, async () => {
  assert.deepEqual(faults, [], "the page had errors or fetched from elsewhere");
  const http = server.http, mqtt = server.mqtt;
  server.child.kill("SIGKILL");
  await server.ended;
  await page.getByTestId("stale-banner").waitFor({ timeout: 8000 });
  assert.notEqual(await connection(), "Live");
  assert.equal(await page.locator("[data-testid='chart'] canvas").count(), 1, "the plot was taken away");
  await page.screenshot({ path: join(SHOTS, "machine-lost.png") });
  server = await serve(join(ROOT, "examples", "machine"), data.dir, { http, mqtt });
  await until(async () => (await connection()) === "Live", 20000, "did not come back to life");
  assert.equal(await page.getByTestId("stale-banner").count(), 0);
});
