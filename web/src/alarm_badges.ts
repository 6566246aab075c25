// What the twins in sight in the tree tell of themselves and of all under them: the worst alarm, and who has fallen silent.
import { computed, effect, signal } from "@preact/signals";
import { api, type Alarm, type Rollup } from "./api";
import { connection } from "./stream";
import { inSight, type InSight } from "./tree_rows";

export const PRIORITIES = ["critical", "high", "medium", "low"] as const;
export const alarms = signal<readonly Alarm[]>([]); // those that somebody has to look at
export interface Quiet { silent: number; twins: number }
/** Of a twin's own alarms alone, wherever it stands. */
const own = computed(() => {
  const found = new Map<string, string>();
  for (const a of alarms.value) {
    const before = found.get(a.twin);
    const rank = (x: string) => (PRIORITIES as readonly string[]).indexOf(x);
    if (before === undefined || rank(a.priority) < rank(before)) found.set(a.twin, a.priority);
  }
  return found;
});
export const worstAt = (twin: string): string | undefined => worst.value.get(twin) ?? own.value.get(twin);
export const silent = signal<ReadonlyMap<string, Quiet>>(new Map()); // twins in the tree under which some have fallen silent
export const worst = signal<ReadonlyMap<string, string>>(new Map());
const EVERY_MS = 3000, SILENCE_EVERY_MS = 10000, ASKED_MAX = 80;

function worstOf(r: Rollup): string | undefined {
  return PRIORITIES.find((p) => (r.active[p] ?? 0) > 0) ?? (r.unacknowledged > 0 ? "low" : undefined);
}

async function rollUp(sight: InSight): Promise<void> {
  const alarmed = new Map<string, string>(), quiet = new Map<string, Quiet>();
  const take = (r: Rollup) => {
    const w = worstOf(r);
    if (w !== undefined) alarmed.set(r.twin, w);
    if (r.silent > 0) quiet.set(r.twin, { silent: r.silent, twins: r.twins });
  };
  const parents = new Set(sight.parents.slice(0, ASKED_MAX));
  for (const twin of new Set([...sight.roots.slice(0, ASKED_MAX), ...parents])) {
    const r = await api.rollup(twin, parents.has(twin)).catch(() => null); // one that has gone has nothing to tell
    if (r === null) continue;
    take(r);
    r.below?.forEach(take);
  }
  worst.value = alarmed;
  silent.value = quiet;
}

let asking = false;
export async function refreshAlarms(): Promise<void> {
  if (connection.peek() !== "live" || asking) return;
  asking = true;
  try {
    const { items } = await api.alarms(false);
    // The same again redraws nothing.
    if (JSON.stringify(items) !== JSON.stringify(alarms.peek())) alarms.value = items;
  } catch {
    // The connection state on the page says it all; a reader of a part sees the alarms of that part.
  } finally {
    asking = false;
  }
}

export function startAlarms(): () => void {
  const refresh = refreshAlarms;
  // One at a time: who scrolls is answered when he rests.
  let pending = 0, busy = false;
  const rollSoon = () => {
    window.clearTimeout(pending);
    pending = window.setTimeout(() => {
      if (busy) { rollSoon(); return; }
      if (connection.peek() !== "live") return;
      busy = true;
      void rollUp(inSight.peek()).finally(() => { busy = false; });
    }, 150);
  };
  const signature = computed(() => alarms.value.map((a) => `${a.id}${a.state}${a.priority}`).join());
  const offs = [
    effect(() => { if (connection.value === "live") void refresh(); }),
    effect(() => { signature.value; inSight.value; rollSoon(); }),
  ];
  const timers = [window.setInterval(() => void refresh(), EVERY_MS), window.setInterval(rollSoon, SILENCE_EVERY_MS)];
  return () => { offs.forEach((off) => off()); timers.forEach((t) => window.clearInterval(t)); window.clearTimeout(pending); };
}
