// What every system test in JavaScript needs: the program as a child process on free ports, and patience with a limit.
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = process.env.GM_SOURCE_ROOT ?? join(dirname(fileURLToPath(import.meta.url)), "..", "..");
export const GEMEL = process.env.GEMEL ?? join(ROOT, "build", "gemel");

export function tempDir(prefix) {
  const dir = mkdtempSync(join(tmpdir(), `gemel-${prefix}-`));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Starts a verb of the program; `ended` resolves with its exit code. */
export function start(...args) {
  const child = spawn(GEMEL, args, { stdio: ["ignore", "pipe", "pipe"] });
  const run = { child, out: "", err: "", ended: null };
  child.stdout.setEncoding("utf8").on("data", (text) => (run.out += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (run.err += text));
  run.ended = new Promise((resolve) => child.on("close", (code, signal) => resolve(code ?? signal)));
  return run;
}

/** Serves a plant on free ports; resolves when it is ready. http and mqtt are "ADDR:PORT". */
export async function serve(plant, data, options = {}) {
  const run = start("serve", plant, "--http", options.http ?? "127.0.0.1:0", "--mqtt", options.mqtt ?? "127.0.0.1:0", "--data", data,
    ...(options.more ?? []));
  let over = false;
  run.ended.then(() => (over = true));
  await until(() => run.out.includes("\n") || over, 30000, () => `the server did not get ready: ${run.err}`);
  const ready = /^ready http=(\S+) mqtt=(\S+)(?: https=(\S+))?(?: mqtts=(\S+))?/m.exec(run.out);
  if (ready === null) throw new Error(`no ready line: ${run.out} ${run.err}`);
  run.http = ready[1];
  run.mqtt = ready[2];
  run.https = ready[3];
  run.mqtts = ready[4];
  run.stop = async () => {
    if (!over) run.child.kill("SIGTERM");
    return run.ended;
  };
  return run;
}

/** Waits for a condition, at most `ms`. `why` says what is wrong when it does not come. */
export async function until(condition, ms, why) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(typeof why === "function" ? await why() : (why ?? "waited in vain"));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function json(address, path, init = {}) {
  const reply = await fetch(`http://${address}${path}`, init);
  const text = await reply.text();
  return { status: reply.status, headers: reply.headers, body: text === "" ? null : JSON.parse(text) };
}

/** Measurements, a line each. */
export async function ingest(address, lines) {
  const sent = await fetch(`http://${address}/v1/ingest`, { method: "POST", headers: { "content-type": "application/x-ndjson" }, body: lines.map((l) => JSON.stringify(l)).join("\n") });
  if (!sent.ok) throw new Error(await sent.text());
}

/** Some folders of an example, and some of its rules, as a plant of its own. */
export function copyExample(name, dir, folders, rules = []) {
  const from = join(ROOT, "examples", name);
  for (const folder of folders) cpSync(join(from, folder), join(dir, folder), { recursive: true });
  mkdirSync(join(dir, "rules"), { recursive: true });
  for (const file of rules) cpSync(join(from, "rules", file), join(dir, "rules", file));
  writeFileSync(join(dir, "gemel.conf"), "");
  return dir;
}

const line = (value) => JSON.stringify(value);
/** A plant of twins: models (DTDL), twins as [id, model, values], relationships as [from, name, to]. */
export function writePlant(dir, models, twins, relationships = []) {
  for (const folder of ["models", "twins", "rules"]) mkdirSync(join(dir, folder), { recursive: true });
  writeFileSync(join(dir, "models", "all.json"), line(models));
  writeFileSync(join(dir, "twins", "all.ndjson"), ['{"Section":"Twins"}', ...twins.map(([id, model, values]) => line({ $dtId: id, $metadata: { $model: model }, ...values })),
    '{"Section":"Relationships"}', ...relationships.map(([from, name, to]) => line({ $dtId: from, $relationshipId: `${name}-${to}`, $targetId: to, $relationshipName: name }))].join("\n"));
  return dir;
}
