// Acting from the console, on the waterworks with a device behind it: commands that an interlock refuses and permits, desired
// values, alarms, work orders; who may not; a server that goes and comes back.
import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import mqtt from "mqtt";
import { openBrowser } from "./browser.mjs";
import { ROOT, ingest, json, serve, start, tempDir, until } from "./support.mjs";

const WAIT = 30000;
const RULES = `rule worn on twins (SELECT * FROM DIGITALTWINS P WHERE IS_OF_MODEL(P, 'dtmi:gemel:pumphouse:Pump;1'))
  when P.wear > 0.8
  then alarm high 'The pump is worn' consequence 'It lifts no water any more' response 'Change the impeller'
  then work order 'Change the impeller'
`;
let server, browser, page, folder, device;
const heard = []; // what the device was told

/** A device that obeys: it answers commands, and reports what it is asked to have. */
async function connectDevice() {
  device = await mqtt.connectAsync(`mqtt://${server.mqtt}`, { reconnectPeriod: 0 });
  device.on("message", (topic, payload) => {
    const text = payload.toString();
    heard.push({ topic, text });
    if (/\/commands\//.test(topic)) void device.publishAsync(`${topic}/response`, '{"status":200}', { qos: 1 });
    if (/\/desired$/.test(topic) && text !== "") {
      const { $version: _, ...wanted } = JSON.parse(text);
      void device.publishAsync(topic.replace(/desired$/, "properties"), JSON.stringify(wanted), { qos: 1 });
    }
  });
  await device.subscribeAsync(["gemel/+/commands/+/+", "gemel/+/desired"], { qos: 1 });
}

/** Three hours in which the tower empties slowly, and everything has been measured once. */
async function past() {
  const begin = Date.now() - 3 * 3600e3, at = (minute) => new Date(begin + minute * 60000).toISOString(), lines = [];
  lines.push({ $twin: "well", $time: at(0), level: 15 }, { $twin: "vessel", $time: at(0), pressure: 6.2 }, { $twin: "town", $time: at(0), pressure: 3.2 }, { $twin: "main", $time: at(0), flow: 0 },
    { $twin: "valve", $time: at(0), flow: 8 }, { $twin: "pump1", $time: at(0), rotation: 0 }, { $twin: "pump2", $time: at(0), rotation: 0 }, { $twin: "controller", $time: at(0), leadOn: false });
  for (let i = 0; i < 180; i++) lines.push({ $twin: "tower", $time: at(i), level: 4 - i / 180 });
  await ingest(server.http, lines);
}

before(async () => {
  folder = tempDir("console-acts");
  cpSync(join(ROOT, "examples", "pumphouse"), join(folder.dir, "plant"), { recursive: true });
  writeFileSync(join(folder.dir, "plant", "rules", "worn.rules"), RULES);
  server = await serve(join(folder.dir, "plant"), join(folder.dir, "data"));
  await connectDevice();
  await past();
  browser = await openBrowser(server.http);
  page = browser.page;
});

after(async () => {
  await browser?.close();
  await device?.endAsync(true);
  await server?.stop();
  folder?.remove();
});

const live = () => until(async () => (await page.getByTestId("connection").textContent()) === "Live", WAIT, "never live");
const open = async (hash) => {
  await page.goto("about:blank");
  await page.goto(`http://${server.http}/#${hash}`);
  await live();
};
const trial = (permitted) => page.locator(`[data-testid='trial'][data-permitted='${permitted}']`).waitFor({ timeout: WAIT });
const foot = () => page.evaluate(() => document.querySelector("main").scrollTo(0, 1e6));

test("a command that an interlock refuses can not be sent; once it permits, the command goes its way to the end", { timeout: 180000 }, async () => {
  await ingest(server.http, [{ $twin: "tower", level: 4.5 }]);
  await open("twin=valve");
  await page.getByTestId("command-setOpening").click({ timeout: WAIT });
  await page.getByTestId("input-Set the opening").fill("2");
  await until(async () => await page.getByTestId("act-check").isDisabled(), WAIT, "the range of the rules is not known to the form");
  await page.getByTestId("input-Set the opening").fill("0");
  await page.getByTestId("act-check").click({ timeout: WAIT });
  await page.locator("[data-testid='interlock-townNotDry'][data-permits='false']").waitFor({ timeout: WAIT });
  assert.match(await page.getByTestId("trial").textContent(), /shutting the outlet while the tower is full would overflow it/);
  assert.equal(await page.getByTestId("act-send").isDisabled(), true);
  await foot();
  await browser.shots("command-refused");
  await ingest(server.http, [{ $twin: "tower", level: 3 }]);
  await trial(true);
  await page.locator("[data-testid='interlock-townNotDry'][data-permits='true']").waitFor({ timeout: WAIT });
  await page.getByTestId("act-send").click({ timeout: WAIT });
  await page.locator("[data-testid='act-setOpening'] [data-testid='life'][data-state='closed']").waitFor({ timeout: WAIT });
  assert.ok(heard.some((m) => m.topic.startsWith("gemel/valve/commands/setOpening/") && m.text === "0"), JSON.stringify(heard));
  await foot();
  await browser.shots("command-done");
  const recorded = (await json(server.http, "/v1/commands?twin=valve")).body.items;
  assert.deepEqual(recorded.map((c) => [c.command, c.value, c.state]), [["setOpening", 0, "closed"]], "what was only tried has no record");
});

test("a desired value is set, told to the device, and stands as reported", { timeout: 120000 }, async () => {
  await open("twin=pump1");
  await page.getByTestId("desired").waitFor({ timeout: WAIT });
  await page.getByTestId("to-acts").click();
  await page.getByTestId("set-speed").click({ timeout: WAIT });
  await page.getByTestId("act-speed").locator("input[type='number']").fill("0.6");
  await page.getByTestId("act-check").click({ timeout: WAIT });
  await trial(true);
  await page.getByTestId("act-send").click({ timeout: WAIT });
  await page.locator("[data-testid='act-speed'] [data-testid='life'][data-state='closed']").waitFor({ timeout: WAIT });
  await until(async () => /0\.6.*as reported/s.test(await page.getByTestId("desired-speed").textContent()), WAIT, async () => `the row says ${await page.getByTestId("desired-speed").textContent()}`);
  assert.ok(heard.some((m) => m.topic === "gemel/pump1/desired" && JSON.parse(m.text || "{}").speed === 0.6), JSON.stringify(heard));
  await foot();
  await browser.shots("desired");
});

test("a work order is opened, assigned, done with what was found, and closed", { timeout: 120000 }, async () => {
  await open("twin=pump1");
  await page.getByTestId("order-new").click({ timeout: WAIT });
  await page.getByTestId("order-text").fill("Look at the bearing");
  await page.getByTestId("order-open").click();
  const order = page.locator("[data-testid='orders'] .order");
  await order.waitFor({ timeout: WAIT });
  const at = (state) => page.locator(`[data-testid='orders'] .order[data-state='${state}']`).waitFor({ timeout: WAIT });
  await page.getByTestId("order-assigned").click();
  await page.getByTestId("order-to").fill("anna");
  await page.getByTestId("order-to").press("Enter");
  await at("assigned");
  await page.getByTestId("order-started").click();
  await at("started");
  await page.getByTestId("order-done").click();
  await page.getByTestId("order-found").fill("worn ring");
  await page.getByTestId("order-found").press("Enter");
  await at("done");
  await page.getByTestId("order-closed").click();
  await until(async () => /There is no work order for pump1/.test(await page.getByTestId("orders").textContent()), WAIT, "what is over is still shown");
  const kept = (await json(server.http, "/v1/workorders?twin=pump1")).body.items[0];
  assert.deepEqual([kept.state, kept.text], ["closed", "Look at the bearing"]);
});

test("alarms are acknowledged, grouped, shelved with a reason and a time, and taken out of service", { timeout: 180000 }, async () => {
  await json(server.http, "/digitaltwins/pump2?api-version=2023-10-31", { method: "PATCH", headers: { "content-type": "application/json-patch+json" }, body: '[{"op":"replace","path":"/wear","value":0.9}]' });
  await open("view=alarms");
  const worn = page.getByTestId("alarm-worn@pump2");
  await worn.waitFor({ timeout: WAIT });
  const says = (words) => until(async () => words.test(await worn.textContent()), WAIT, async () => `the alarm says ${await worn.textContent()}`);
  assert.match(await worn.textContent(), /It lifts no water any more/);
  await worn.getByTestId("do-acknowledge").click();
  await says(/active, acknowledged/);
  await page.getByTestId("alarm-group").selectOption("twin");
  await page.getByTestId("group-pump2").waitFor({ timeout: WAIT });
  await browser.shots("alarms-grouped");
  await page.getByTestId("alarm-group").selectOption("priority");
  await page.getByTestId("flood-view").check();
  await until(async () => /worn.*first/s.test(await page.textContent("main")), WAIT, "the flood view does not say what came first");
  await page.getByTestId("flood-view").uncheck();
  await page.getByTestId("alarms-all").check();
  await worn.getByTestId("do-shelve").click();
  await page.getByTestId("shelve-reason").fill("the spare part comes");
  await page.getByTestId("shelve-length").selectOption("8h");
  await page.getByTestId("shelve-reason").press("Enter");
  await says(/Shelved until .* the spare part comes/);
  await worn.getByTestId("do-unshelve").click();
  await says(/active, acknowledged/);
  await worn.getByTestId("do-remove-from-service").click();
  await page.getByTestId("remove-from-service-reason").fill("being taken apart");
  await page.getByTestId("remove-from-service-reason").press("Enter");
  await says(/out of service.*being taken apart/s);
  await browser.shots("alarms-all");
  await worn.getByTestId("do-return-to-service").click();
  await until(async () => !/out of service/.test(await page.getByTestId("alarm-states").textContent()), WAIT, "still out of service");
  assert.ok((await json(server.http, "/v1/alarms/worn@pump2")).body.active);
  await page.getByRole("tab", { name: "Work orders" }).click();
  await page.locator("[data-testid='orders'] strong", { hasText: "Change the impeller" }).waitFor({ timeout: WAIT }); // what the rule opened
  await browser.shots("orders");
});

test("a plan says what it wants; arming takes a reason and an end; the stop is in reach and ends it", { timeout: 180000 }, async () => {
  await open("twin=tower&view=plans");
  const plan = page.getByTestId("plan-nightFilling");
  await plan.waitFor({ timeout: WAIT });
  await until(async () => (await page.getByTestId("plan-gain").count()) === 1, 120000, async () => `the plan says ${await plan.textContent()}`);
  await page.getByTestId("arm-nightFilling").click();
  await page.getByTestId("arm-reason").fill("a quiet night");
  await page.getByTestId("arm-length").selectOption("1h");
  await page.getByTestId("arm-now").click();
  for (const twin of ["controller", "pump1", "pump2"]) {
    await page.getByTestId(`armed-${twin}`).waitFor({ timeout: WAIT });
    assert.match(await page.getByTestId(`armed-${twin}`).textContent(), /a quiet night/);
  }
  await browser.shots("plans");
  await page.getByTestId("stop").click();
  await page.getByTestId("stop-reason").fill("smoke in the pump hall");
  await page.getByTestId("stop-now").click();
  await page.getByTestId("stopped").waitFor({ timeout: WAIT });
  assert.match(await page.getByTestId("stopped").textContent(), /smoke in the pump hall/);
  await page.getByTestId("armed-pump1").waitFor({ state: "detached", timeout: WAIT });
  await browser.shots("stopped");
  await page.getByTestId("resume").click();
  await page.getByTestId("resume-reason").fill("it was steam");
  await page.getByTestId("resume-now").click();
  await page.getByTestId("stop").waitFor({ timeout: WAIT });
  assert.equal((await json(server.http, "/v1/control")).body.stopped, false);
});

test("what was armed with a dead man's switch stays armed while the page is there, and no longer", { timeout: 180000 }, async () => {
  await open("twin=valve&view=plans");
  await page.getByTestId("arm-valve").click({ timeout: WAIT });
  await page.getByTestId("arm-reason").fill("a watched test");
  await page.getByTestId("arm-beat").selectOption("30");
  const beat = page.waitForRequest((r) => r.url().endsWith("/v1/control/heartbeat"), { timeout: WAIT });
  await page.getByTestId("arm-now").click();
  assert.equal((await (await beat).response()).status(), 204);
  await until(async () => /this page gives it/.test(await page.getByTestId("beat-valve").textContent({ timeout: WAIT })), WAIT, "it is not told who keeps it alive");
  await browser.shots("armed-with-beat");
  // The same with so short a time that it can be waited for, and over a reload.
  const armed = async () => (await json(server.http, "/v1/control")).body.armed.some((a) => a.twin === "valve");
  await page.evaluate(() => sessionStorage.setItem("gemel.beats", '{"valve":8}'));
  await json(server.http, "/v1/control/arm", { method: "POST", headers: { "content-type": "application/json" }, body: '{"twin":"valve","reason":"a watched test","for":"1h","heartbeat":"8s"}' });
  await page.reload();
  await live();
  const begun = Date.now();
  await until(async () => { assert.ok(await armed(), `disarmed ${Date.now() - begun} ms after the reload`); return Date.now() - begun > 9000; }, WAIT, "");
  await page.goto("about:blank");
  await until(async () => !(await armed()), WAIT, "still armed, and nobody is there");
});

test("what if: the winner of two scenarios is done for real, and yesterday's fan is held against what came", { timeout: 240000 }, async () => {
  await open("twin=tower&view=futures");
  await page.getByTestId("add-scenario").click({ timeout: WAIT });
  await page.getByTestId("scenario").nth(1).locator("select").selectOption("pump1.speed");
  await page.getByTestId("change-value").fill("0.9");
  await page.getByTestId("unknowns").locator("select").last().selectOption("town.demandFactor");
  await page.getByTestId("horizon").selectOption("1h");
  await page.getByTestId("lanes").selectOption("64");
  await page.getByTestId("run-futures").click();
  await until(async () => (await page.getByTestId("run-done").count()) === 2, 90000, "the futures do not end");
  await page.getByTestId("compare").waitFor({ timeout: WAIT });
  await page.getByTestId("side-by-side").click();
  await page.getByTestId("fan-tower.level-1").waitFor({ timeout: WAIT });
  await page.getByTestId("compare").scrollIntoViewIfNeeded();
  await browser.shots("compare");
  assert.equal(await page.getByTestId("do-run").count(), 1, "only what changes something can be done");
  await page.getByTestId("do-run").click();
  await page.getByTestId("do-pump1.setSpeed").locator("[data-testid='trial'][data-permitted='true']").waitFor({ timeout: WAIT });
  await page.getByTestId("do-it").scrollIntoViewIfNeeded();
  await browser.shots("what-if-do");
  await page.getByTestId("do-send").click();
  await page.locator("[data-testid='do-it'] [data-testid='life'][data-state='closed']").waitFor({ timeout: WAIT });
  assert.ok(heard.some((m) => m.topic.startsWith("gemel/pump1/commands/setSpeed/") && Number(m.text) === 0.9), JSON.stringify(heard));
  await page.getByTestId("look-back").click();
  await until(async () => /measurements; share below each quantile/.test(await page.textContent("main")), 90000, async () => `not held against the truth: ${await page.textContent("main")}`);
  await page.evaluate(() => document.querySelector("main").scrollTo(0, 1e6));
  await browser.shots("verified");
});
