// Very many of one thing in the console: a twin with 100,000 direct children, and one of which 12,000 facts are told. What is held is how
// much is asked for and how many rows are in the page, not how long it takes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { consoleAt, openBrowser } from "./browser.mjs";
import { json, serve, tempDir, until, writePlant } from "./support.mjs";

const WAIT = 120000, CHILDREN = 100000, FACTS = 12000, DAY = 86400e3;
let server, browser, page, folder;
const asked = []; // paths of the page's requests

const MODELS = [
  { "@context": "dtmi:dtdl:context;3", "@id": "dtmi:many:Hub;1", "@type": "Interface", displayName: "Hub", contents: [{ "@type": "Relationship", name: "has" }] },
  { "@context": "dtmi:dtdl:context;3", "@id": "dtmi:many:Leaf;1", "@type": "Interface", displayName: "Leaf", contents: [{ "@type": "Relationship", name: "has" }] }];

before(async () => {
  folder = tempDir("console-many");
  const leaves = Array.from({ length: CHILDREN }, (_, i) => `leaf${i}`);
  const plant = writePlant(folder.dir, MODELS, [["hub", "dtmi:many:Hub;1", {}], ...leaves.map((id) => [id, "dtmi:many:Leaf;1", {}]), ["twig", "dtmi:many:Leaf;1", {}]],
    [...leaves.map((id) => ["hub", "has", id]), [`leaf${CHILDREN - 1}`, "has", "twig"]]);
  server = await serve(plant, `${folder.dir}/data`);
  const begin = Date.parse("2000-01-01T00:00:00Z"), fact = (i) => ({ twin: "hub", phase: i % 2 === 0 ? "as-operated" : "maintained", key: i % 2 === 0 ? "operating hours" : `inspection ${i}`, value: i, from: new Date(begin + i * DAY / 2).toISOString(), cause: i === 4711 ? "a crack was seen" : "as planned" });
  for (let i = 0; i < FACTS; i += 6000) {
    const sent = await fetch(`http://${server.http}/v1/thread`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(Array.from({ length: 6000 }, (_, k) => fact(i + k))) });
    assert.equal(sent.status, 204, await sent.text());
  }
  browser = await openBrowser(server.http);
  page = browser.page;
  page.on("request", (r) => asked.push(new URL(r.url()).pathname + new URL(r.url()).search));
});

after(async () => {
  await browser?.close();
  await server?.stop();
  folder?.remove();
});

const { open, has } = consoleAt(() => ({ page, http: server.http }));
const count = (pattern) => asked.filter((p) => pattern.test(p)).length;

test("a twin with 100,000 direct children is scrolled, jumped through and opened at its end with a handful of requests", { timeout: 400000 }, async () => {
  await open("twin=hub");
  const tree = page.locator("nav .tree"), row = (id) => page.locator(`nav [data-twin='${id}']`);
  await row("leaf0").waitFor({ timeout: WAIT });
  const inPage = () => page.locator("nav .node").count();
  assert.ok((await inPage()) < 120, `${await inPage()} rows are in the page`);
  assert.ok(await tree.evaluate((t) => t.scrollHeight) > CHILDREN * 28, "its children have no places");
  await row("hub").focus();
  await page.keyboard.press("End");
  await row(`leaf${CHILDREN - 1}`).waitFor({ timeout: WAIT });
  await until(async () => (await page.evaluate(() => document.activeElement?.dataset.twin)) === `leaf${CHILDREN - 1}`, WAIT, "the last child has not the focus");
  await page.keyboard.press("ArrowRight"); // it has a child of its own
  await row("twig").waitFor({ timeout: WAIT });
  await tree.evaluate((t) => t.scrollTo(0, 28 * 50000));
  await row("leaf50000").waitFor({ timeout: WAIT });
  await browser.shots("tree-many");
  assert.ok((await inPage()) < 120, `${await inPage()} rows are in the page`);
  const trees = count(/^\/v1\/tree/);
  assert.ok(trees <= 14, `${trees} requests for the tree: ${asked.filter((p) => p.startsWith("/v1/tree")).join(" ")}`);
  assert.ok(count(/^\/v1\/alarms\/rollup/) < 60, "roll-ups are asked for by the row");
  // A page costs what it holds, wherever it lies.
  const last = (await json(server.http, `/v1/tree?parent=hub&limit=500&offset=${CHILDREN - 500}`)).body;
  assert.deepEqual([last.items.length, last.total, last.nextLink, last.items[499].id], [500, CHILDREN, undefined, `leaf${CHILDREN - 1}`]);
});

test("12,000 facts are paged by the server, filtered there, and only those in sight are rows", { timeout: 400000 }, async () => {
  asked.length = 0;
  await open("twin=hub&view=life");
  const list = page.getByTestId("thread-list"), rows = () => list.locator("tbody tr[data-key]").count(), box = list.locator(".life-rows");
  await page.getByTestId("thread-all").check();
  await has(page.getByTestId("thread-count"), /^12,000 facts/, "the count");
  await until(async () => new RegExp(`inspection ${FACTS - 1}`).test(await box.textContent()), WAIT, "the newest is not first");
  assert.ok((await rows()) < 80, `${await rows()} rows`);
  await has(page.getByTestId("ribbon"), /The newest 1,000 of 12,000 facts are drawn/, "the ribbon does not say what it leaves out");
  await browser.shots("life-many");
  const before = count(/^\/v1\/thread\/hub\?limit=200/);
  for (let i = 1; i <= 3; i++) {
    await box.evaluate((b) => b.scrollTo(0, 1e9));
    await until(() => count(/continuationToken/) >= i, WAIT, "scrolling asks for nothing");
    await until(async () => (await list.getByText("Loading…").count()) === 0 || (await box.evaluate((b) => b.scrollTop + b.clientHeight < b.scrollHeight - 100)), WAIT, "the page does not come");
  }
  assert.ok((await rows()) < 80, `${await rows()} rows after scrolling`);
  assert.ok(count(/^\/v1\/thread\/hub\?limit=200/) - before <= 6, `more is asked for than was scrolled to: ${asked.filter((p) => /limit=200/.test(p)).join(" ")}`);
  await page.getByTestId("thread-filter").fill("a CRACK");
  await has(page.getByTestId("thread-count"), /^1 of 12,000 facts/, "the server does not filter");
  await has(box, /inspection 4711/, "what was found");
  await page.getByTestId("thread-filter").fill("");
  await page.getByTestId("phase-maintained").uncheck();
  await has(page.getByTestId("thread-count"), /^6,000 of 12,000 facts/, "phases");
  assert.deepEqual(browser.faults, []);
});
