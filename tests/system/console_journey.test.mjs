// What somebody new does, from `make run` and without the docs: find the failing pump, see why, fork a future without it, send the
// command. Only what can be read on the page is used.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openBrowser } from "./browser.mjs";
import { GEMEL, ROOT, json, tempDir, until } from "./support.mjs";

const WAIT = 90000;
let folder, run, out = "", address, browser, page;

before(async () => {
  folder = tempDir("journey");
  mkdirSync(join(folder.dir, "build"));
  symlinkSync(GEMEL, join(folder.dir, "build", "gemel"));
  run = spawn(join(ROOT, "tools", "run"), [join(folder.dir, "build")], { env: { ...process.env, HTTP: "127.0.0.1:0", MQTT: "127.0.0.1:0" }, stdio: ["ignore", "pipe", "ignore"] });
  run.stdout.setEncoding("utf8").on("data", (text) => (out += text));
  address = (await until(() => /http:\/\/(\S+)\//.exec(out), WAIT, () => `make run does not say where: ${out}`))[1];
  browser = await openBrowser(address);
  page = browser.page;
});

after(async () => {
  await browser?.close();
  const gone = new Promise((go) => run?.on("close", go));
  run?.kill("SIGTERM");
  await gone;
  folder?.remove();
});

const button = (name) => page.getByRole("button", { name, exact: true });

test("somebody new finds the failing pump, sees why, tries a future without it, and stops it", { timeout: 400000 }, async (t) => {
  await page.goto(`http://${address}/`);
  // The tree says where, the tab says that.
  await page.locator("nav .node", { has: page.locator("[data-twin='waterworks']") }).locator(".alarm-badge").waitFor({ timeout: WAIT });
  const begun = Date.now();
  await browser.shots("journey-1-tree");
  await page.getByRole("tab", { name: /^Alarms/ }).click();
  const alarm = page.locator("li.alarm", { hasText: "The pump vibrates" });
  await alarm.waitFor({ timeout: WAIT });
  await alarm.getByRole("button", { name: "Why?", exact: true }).click();
  await until(async () => /motor\.vibration > 4\.5.*Now:.*Vibration velocity, rms [\d.]+ mm\/s/.test(await alarm.textContent()), WAIT, async () => `the alarm says only ${await alarm.textContent()}`);
  assert.match(await alarm.textContent(), /What to do: .*set its speed to 0/);
  await browser.shots("journey-2-alarm");
  await alarm.getByRole("button", { name: "pump1", exact: true }).click();
  // Its page begins with the alarm and plots what raised it.
  await page.getByTestId("twin-alarms").waitFor({ timeout: WAIT });
  await until(async () => page.getByRole("checkbox", { name: "Plot Vibration velocity, rms" }).isChecked(), WAIT, "what raised the alarm is not plotted");
  await page.locator("[data-testid='chart'] canvas").waitFor({ timeout: WAIT });
  await browser.shots("journey-3-pump");
  await button("What if…").first().click();
  await button("Without pump1").click({ timeout: WAIT });
  await page.locator("select[aria-label='Add…']").last().selectOption({ label: "tower · Water level [m]" });
  await button("Run").click();
  await until(async () => (await page.getByTestId("run-done").count()) === 2, WAIT, "the futures do not end");
  await browser.shots("journey-4-future");
  const without = page.getByTestId("run").filter({ hasText: "Without pump1" });
  await without.getByRole("button", { name: "Do it…", exact: true }).click();
  await until(() => button("Send it").isEnabled(), WAIT, async () => `it can not be sent: ${await page.getByTestId("do-it").textContent()}`);
  await button("Send it").click();
  await page.locator("[data-testid='do-it'] [data-testid='life'][data-state='closed']").waitFor({ timeout: WAIT });
  t.diagnostic(`from the first sign to the command that is done: ${((Date.now() - begun) / 1000).toFixed(0)} s of clicks`);
  await without.scrollIntoViewIfNeeded();
  await browser.shots("journey-5-done");
  // The pump stands, and the alarm waits to be acknowledged only.
  await until(async () => (await json(address, "/v1/alarms/vibrating@pump1")).body.active === false, WAIT, "the pump goes on");
  await page.getByRole("tab", { name: /^Alarms/ }).click();
  await until(async () => /over, not acknowledged/.test(await alarm.textContent()), WAIT, "the alarm does not say that it is over");
  await alarm.getByRole("button", { name: "Acknowledge", exact: true }).click();
  await alarm.waitFor({ state: "detached", timeout: WAIT });
  assert.deepEqual(browser.faults, []);
});
