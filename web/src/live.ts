// The live twin on the page: the fold of snapshot and changes, as the server's state is the fold of its log.
import { effect, signal } from "@preact/signals";
import { api, type Plant, type Principal, type Twin, type Value } from "./api";
import { connection, serverOffset, Stream, type Change } from "./stream";
import { token } from "./session";
import { plotted, select, selected } from "./view";
import { canPlot } from "./format";

export const plant = signal<Plant | null>(null);
export const twin = signal<Twin | null>(null);
export const missing = signal<string | null>(null); // the selected id, when the server knows no such twin
export const principal = signal<Principal | null>(null); // who asks, and what he may
export const deadLetters = signal<number>(0);
export const structureVersion = signal(0); // rises when twins or relationships came or went
export const now = signal(Date.now()); // server time, ticking; stands still when the connection does

type Watcher = (change: Change) => void;
const watchers = new Set<Watcher>();
/** Every change of the selected twin, for plots. Returns the way to stop. */
export function onChange(watcher: Watcher): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function firstPlots(t: Twin): string[] {
  const candidates = t.values.filter((v) => canPlot(v) && v.value !== null);
  const telemetry = candidates.filter((v) => v.telemetry);
  return (telemetry.length > 0 ? telemetry : candidates).slice(0, 1).map((v) => v.path);
}

function applyChange(change: Change): void {
  const t = twin.value;
  if (t === null || change.twin !== t.id) return;
  let touched = false;
  const values = t.values.map((v): Value => {
    const fresh = change.values[v.path];
    if (fresh === undefined) return v;
    touched = true;
    const { sourceTime: _, ...rest } = v;
    return { ...rest, value: fresh.value, sourceTime: fresh.sourceTime };
  });
  if (touched) twin.value = { ...t, values };
  for (const w of watchers) w(change);
}

export function startLive(): void {
  let structureTimer = 0;
  const stream = new Stream({
    snapshot: (twins) => {
      const mine = twins.find((t) => t.id === selected.value) ?? null;
      twin.value = mine;
      missing.value = mine === null ? selected.value : null;
      if (mine !== null && plotted.value.length === 0) plotted.value = firstPlots(mine);
    },
    change: applyChange,
    structure: () => {
      // Bursts (a fleet being created) reload the tree once.
      window.clearTimeout(structureTimer);
      structureTimer = window.setTimeout(() => structureVersion.value++, 300);
    },
  });

  effect(() => {
    const id = selected.value;
    if (twin.peek()?.id !== id) twin.value = null;
    missing.value = null;
    stream.watch(id === null ? [] : [id]);
  });

  // Until someone chooses, the page shows the first root: a page without anything alive teaches nothing.
  effect(() => {
    structureVersion.value;
    if (selected.peek() !== null) return;
    void api.children(null).then((page) => {
      const first = page.items[0];
      if (first !== undefined && selected.peek() === null) select(first.id);
    }, () => undefined);
  });

  const refresh = async () => {
    if (connection.peek() !== "live") return;
    try {
      plant.value = await api.plant();
      principal.value = await api.whoami();
      deadLetters.value = (await api.deadLetters()).total ?? 0;
    } catch {
      // The connection state on the page says it all.
    }
  };
  effect(() => {
    if (connection.value === "live") void refresh();
  });
  // Somebody else now: what he may see is asked for afresh.
  effect(() => {
    token.value;
    stream.reopen();
    structureVersion.value = structureVersion.peek() + 1;
  });
  window.setInterval(() => void refresh(), 10000);
  window.setInterval(() => {
    if (connection.peek() === "live") now.value = Date.now() + serverOffset.peek();
  }, 250);
}

/** Values in the order of the model, grouped by component. */
export function groupsOf(t: Twin): { component: string; values: Value[] }[] {
  const result: { component: string; values: Value[] }[] = [];
  for (const v of t.values) {
    const component = v.component ?? "";
    const last = result[result.length - 1];
    if (last !== undefined && last.component === component) last.values.push(v);
    else result.push({ component, values: [v] });
  }
  return result;
}
