// The dead man's switch of what this page has armed: as long as the page is open and in touch, it says so in time. When it is
// closed, cut off, or its machine sleeps, it does not, and the server disarms.
import { signal } from "@preact/signals";
import { acts, type Armed } from "./act_api";

const KEY = "gemel.beats"; // of this tab: a reload goes on
const SHARE = 3; // so many times within what is allowed
export const beating = signal<{ readonly [twin: string]: number }>(JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as { [twin: string]: number }); // seconds
const timers = new Map<string, number>();

function keep(next: { [twin: string]: number }): void {
  beating.value = next;
  sessionStorage.setItem(KEY, JSON.stringify(next));
}

function begin(twin: string, seconds: number): void {
  window.clearInterval(timers.get(twin));
  const beat = () => void acts.heartbeat(twin).catch((e: { status?: number }) => { if (e.status === 404) endBeats(twin); }); // any other time it is tried again
  timers.set(twin, window.setInterval(beat, (1000 * seconds) / SHARE));
  beat();
}

export function startBeats(twin: string, seconds: number): void {
  keep({ ...beating.peek(), [twin]: seconds });
  begin(twin, seconds);
}

export function endBeats(twin: string): void {
  window.clearInterval(timers.get(twin));
  timers.delete(twin);
  const { [twin]: _, ...rest } = beating.peek();
  keep(rest);
}

/** What is not armed any more needs no beats; what was armed before a reload goes on. */
export function followArmed(armed: readonly Armed[]): void {
  for (const [twin, seconds] of Object.entries(beating.peek())) {
    if (!armed.some((a) => a.twin === twin && a.heartbeat !== undefined)) endBeats(twin);
    else if (!timers.has(twin)) begin(twin, seconds);
  }
}
