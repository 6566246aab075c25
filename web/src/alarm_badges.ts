// The worst alarm of every twin in the tree and of all under it.
import { computed, effect, signal } from "@preact/signals";
import { api, type Alarm, type Rollup } from "./api";
import { connection } from "./stream";
import { levels } from "./tree_rows";

export const PRIORITIES = ["critical", "high", "medium", "low"] as const;
export const alarms = signal<readonly Alarm[]>([]); // those that somebody has to look at
export const worst = signal<ReadonlyMap<string, string>>(new Map());
const EVERY_MS = 3000, LEVELS_MAX = 50;

function worstOf(r: Rollup): string | undefined {
  return PRIORITIES.find((p) => (r.active[p] ?? 0) > 0) ?? (r.unacknowledged > 0 ? "low" : undefined);
}

async function rollUp(): Promise<void> {
  const next = new Map<string, string>();
  const take = (r: Rollup) => { const w = worstOf(r); if (w !== undefined) next.set(r.twin, w); };
  const roots = (levels.peek().get("")?.items ?? []).slice(0, LEVELS_MAX).map((i) => i.id);
  const opened = [...levels.peek().keys()].filter((k) => k !== "").slice(0, LEVELS_MAX);
  for (const twin of new Set([...roots, ...opened])) {
    const r = await api.rollup(twin);
    take(r);
    r.below?.forEach(take);
  }
  worst.value = next;
}

export function startAlarms(): () => void {
  const refresh = async () => {
    if (connection.peek() !== "live") return;
    try {
      alarms.value = (await api.alarms(false)).items;
    } catch {
      // The connection state on the page says it all; a reader of a part sees the alarms of that part.
    }
  };
  const signature = computed(() => alarms.value.map((a) => `${a.id}${a.state}${a.priority}`).join());
  const offs = [
    effect(() => { if (connection.value === "live") void refresh(); }),
    effect(() => {
      levels.value;
      if (signature.value !== "") void rollUp().catch(() => undefined);
      else if (worst.peek().size > 0) worst.value = new Map();
    }),
  ];
  const timer = window.setInterval(() => void refresh(), EVERY_MS);
  return () => { offs.forEach((off) => off()); window.clearInterval(timer); };
}
