// What happened when: alarms, anomalies and messages that could not be applied, as marks on time.
import { effect, signal } from "@preact/signals";
import type { Kind, Marks, Wanted } from "./marks_worker";
import { token } from "./session";
import { connection } from "./stream";

export const MARK_KINDS: readonly Kind[] = ["alarm", "anomaly", "letter"]; // as marks_worker numbers them
export const marks = signal<Marks>({ times: new Float64Array(), kinds: new Uint8Array(), twins: new Uint32Array(), names: [""] });
const EVERY_MS = 5000;

export function startMarks(): () => void {
  const worker = new Worker(new URL("./marks_worker.ts", import.meta.url), { type: "module" });
  let asked = false;
  worker.onmessage = (message: MessageEvent<Marks>) => { asked = false; marks.value = message.data; };
  const refresh = () => {
    if (connection.peek() !== "live" || asked) return;
    asked = true;
    worker.postMessage({ token: token.peek() } satisfies Wanted);
  };
  const off = effect(() => { token.value; if (connection.value === "live") refresh(); });
  const timer = window.setInterval(refresh, EVERY_MS);
  return () => { off(); window.clearInterval(timer); worker.terminate(); };
}

/** The first mark at or after a time. */
function firstAt(times: Float64Array, at: number): number {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * How many marks of each kind fall on each of n pixels over [from, to), of one twin or of all (null): a hundred thousand
 * marks cost one pass over numbers and at most n strokes.
 */
export function marksPerPixel(all: Marks, twin: string | null, from: number, to: number, n: number): { [kind in Kind]: Uint16Array } {
  const rows = { alarm: new Uint16Array(n), anomaly: new Uint16Array(n), letter: new Uint16Array(n) };
  const only = twin === null ? -1 : all.names.indexOf(twin);
  if (!(to > from) || (twin !== null && only < 0)) return rows;
  const byKind = MARK_KINDS.map((k) => rows[k]), scale = n / (to - from);
  for (let i = firstAt(all.times, from); i < all.times.length && all.times[i]! < to; i++)
    if (only < 0 || all.twins[i] === only) byKind[all.kinds[i]!]![Math.floor((all.times[i]! - from) * scale)]!++;
  return rows;
}
