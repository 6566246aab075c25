// What every system test in JavaScript needs: the program as a child process on free ports, and patience with a limit.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
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
    if (Date.now() > end) throw new Error(typeof why === "function" ? why() : (why ?? "waited in vain"));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function json(address, path, init = {}) {
  const reply = await fetch(`http://${address}${path}`, init);
  const text = await reply.text();
  return { status: reply.status, headers: reply.headers, body: text === "" ? null : JSON.parse(text) };
}
