// The console of a plant that asks for tokens: it asks for one, keeps it in the tab, and forgets it when told to.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { openBrowser } from "./browser.mjs";
import { serve, start, tempDir, until } from "./support.mjs";

const BROWSER = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((p) => existsSync(p));

function makePlant(dir) {
  for (const folder of ["models", "twins"]) mkdirSync(join(dir, folder), { recursive: true });
  writeFileSync(join(dir, "models", "room.json"), JSON.stringify({ "@context": "dtmi:dtdl:context;3", "@id": "dtmi:test:Room;1",
    "@type": "Interface", contents: [{ "@type": "Property", name: "seats", schema: "integer" }] }));
  writeFileSync(join(dir, "twins", "all.ndjson"), '{"Section":"Twins"}\n{"$dtId":"hall","$metadata":{"$model":"dtmi:test:Room;1"},"seats":5}\n');
  return dir;
}

test("the console asks for a token, shows the plant with it, and nothing without", { timeout: 90000 }, async () => {
  assert.ok(BROWSER, "chromium is missing: tools/setup test installs it");
  const data = tempDir("console-access"), profile = tempDir("chromium-access");
  const plant = makePlant(join(data.dir, "plant"));
  const added = start("user", "add", plant, "anna", "--data", data.dir);
  assert.equal(await added.ended, 0, added.err);
  const server = await serve(plant, data.dir);
  const browser = await chromium.launchPersistentContext(profile.dir, {
    executablePath: BROWSER, args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
  try {
    const page = await browser.newPage();
    const field = page.locator("[data-testid='sign-in'] input");
    await page.goto(`http://${server.http}/`);
    await field.waitFor({ timeout: 15000 });
    assert.equal(await page.locator("nav .name").count(), 0, "the tree is shown to nobody");
    await field.fill("gemel_wrong");
    await field.press("Enter");
    await until(async () => (await page.getByTestId("sign-in").textContent()).includes("not valid"), 15000, "a wrong token goes unnoticed");
    await field.fill(added.out.trim());
    await field.press("Enter");
    await until(async () => (await page.getByTestId("connection").textContent()) === "Live", 15000, "never live");
    await page.waitForSelector("nav .name", { timeout: 15000 });
    await page.waitForSelector("main section.twin h2", { timeout: 15000 });
    await page.reload(); // the tab keeps it
    await page.waitForSelector("main section.twin h2", { timeout: 15000 });
    assert.equal(await page.getByTestId("sign-in").count(), 0);
    await page.getByTestId("sign-out").click();
    await field.waitFor({ timeout: 15000 });
    assert.equal(await page.evaluate(() => sessionStorage.getItem("gemel.token")), null);
  } finally {
    await browser.close();
    await server.stop();
    data.remove();
    profile.remove();
  }
});

test("a reader sees his role and may not ask for futures", { timeout: 60000 }, async () => {
  const data = tempDir("console-reader");
  const plant = makePlant(join(data.dir, "plant"));
  const added = start("user", "add", plant, "rita", "--role", "reader", "--data", data.dir);
  assert.equal(await added.ended, 0, added.err);
  const server = await serve(plant, data.dir);
  const browser = await openBrowser(server.http);
  try {
    const { page } = browser;
    await page.goto(`http://${server.http}/#twin=hall&view=futures`);
    const field = page.locator("[data-testid='sign-in'] input");
    await field.fill(added.out.trim());
    await field.press("Enter");
    await until(async () => (await page.getByTestId("principal").count()) === 1, 15000, "nobody is named");
    assert.match(await page.getByTestId("principal").textContent(), /rita.*reader/);
    const run = page.getByTestId("run-futures");
    await run.waitFor({ timeout: 15000 });
    assert.equal(await run.isDisabled(), true);
    assert.match(await page.textContent("main"), /Your role may look at futures/);
    await browser.shots("reader");
    assert.deepEqual(browser.faults, []);
  } finally {
    await browser.close();
    await server.stop();
    data.remove();
  }
});
