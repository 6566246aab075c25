// What happened when: alarms, anomalies and messages that could not be applied, as marks on time.
import { effect, signal } from "@preact/signals";
import { api } from "./api";
import { connection } from "./stream";

export interface Mark {
  at: number; // ms since 1970
  kind: "alarm" | "anomaly" | "letter";
  twin: string | null;
  what: string;
}

export const marks = signal<readonly Mark[]>([]); // in order of time
const EVERY_MS = 5000;

async function gather(): Promise<Mark[]> {
  const [alarms, anomalies, letters] = await Promise.allSettled([api.alarms(true), api.anomalies(), api.deadLetters(1000)]);
  const all: Mark[] = [];
  if (alarms.status === "fulfilled")
    for (const a of alarms.value.items) {
      const at = Date.parse(a.raised ?? a.changed);
      if (!Number.isNaN(at)) all.push({ at, kind: "alarm", twin: a.twin, what: a.id });
    }
  if (anomalies.status === "fulfilled")
    for (const a of anomalies.value.items) all.push({ at: Date.parse(a.start), kind: "anomaly", twin: a.twin, what: a.detector });
  if (letters.status === "fulfilled")
    for (const l of letters.value.items) all.push({ at: Date.parse(l.time), kind: "letter", twin: null, what: l.reason });
  return all.sort((a, b) => a.at - b.at);
}

export function startMarks(): () => void {
  const refresh = () => {
    if (connection.peek() === "live") void gather().then((all) => { marks.value = all; }, () => undefined);
  };
  const off = effect(() => { if (connection.value === "live") refresh(); });
  const timer = window.setInterval(refresh, EVERY_MS);
  return () => { off(); window.clearInterval(timer); };
}

/** How many marks of each kind fall on each of n pixels over [from, to): thousands of marks cost one pass and n strokes. */
export function marksPerPixel(list: readonly Mark[], from: number, to: number, n: number): { [kind in Mark["kind"]]: Uint16Array } {
  const rows = { alarm: new Uint16Array(n), anomaly: new Uint16Array(n), letter: new Uint16Array(n) };
  if (!(to > from)) return rows;
  for (const m of list) {
    const x = Math.floor(((m.at - from) / (to - from)) * n);
    if (x >= 0 && x < n) rows[m.kind][x]!++;
  }
  return rows;
}
