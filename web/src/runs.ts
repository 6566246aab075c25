// Futures on the page: asked for, followed while they run, kept in the address so that they can be shared.
import { effect, signal } from "@preact/signals";
import { api, type Futures, type Json } from "./api";
import { readEvents } from "./events";
import { pinned } from "./view";

/** A change of a scenario, as something that can be done. */
export interface Todo {
  twin: string;
  path: string;
  value: number;
  at: string; // after the fork; empty: at once
}

export interface Run {
  id: string;
  name: string; // of its scenario
  todo: readonly Todo[]; // what its scenario changes
  futures: Futures | null; // the result, or what there is of it so far
  error: string | null;
  horizon: number; // seconds; 0: not known before the result is there
}

const horizons = new Map<string, number>(); // of what was asked for on this page
export const runs = signal<readonly Run[]>([]);
const followed = new Map<string, AbortController>();

function change(id: string, what: (run: Run) => Run): void {
  runs.value = runs.value.map((r) => (r.id === id ? what(r) : r));
}

const merge = (before: Futures | null, news: Partial<Futures>): Futures => ({ ...(before ?? { id: "", root: "", asOf: "", state: "running" }), ...news });

async function follow(id: string): Promise<void> {
  const stop = new AbortController();
  followed.set(id, stop);
  try {
    let result = await api.futuresResult(id, stop.signal);
    change(id, (r) => ({ ...r, futures: merge(r.futures, result), error: result.error ?? null }));
    if (result.state !== "running") return;
    await readEvents(`/v1/futures/${encodeURIComponent(id)}/stream`, stop.signal, (event) => {
      const news = JSON.parse(event.data) as Partial<Futures>;
      change(id, (r) => ({ ...r, futures: merge(r.futures, news) }));
    });
    result = await api.futuresResult(id, stop.signal);
    change(id, (r) => ({ ...r, futures: merge(r.futures, result), error: result.error ?? null }));
  } catch (e) {
    if (!stop.signal.aborted) change(id, (r) => ({ ...r, error: (e as Error).message }));
  }
}

const entry = (run: { id: string; name: string; todo: readonly Todo[] }): string =>
  `${run.id}~${run.name.replace(/~/g, "-")}${run.todo.length === 0 ? "" : `~${JSON.stringify(run.todo.map((t) => [t.twin, t.path, t.value, t.at]))}`}`;

/** The other way: an address may come from anywhere. */
export function readEntry(text: string): { id: string; name: string; todo: Todo[] } {
  const [id = "", name = "", ...rest] = text.split("~");
  const todo: Todo[] = [];
  try {
    const list: unknown = rest.length === 0 ? [] : JSON.parse(rest.join("~"));
    for (const t of Array.isArray(list) ? (list as unknown[]) : []) {
      if (!Array.isArray(t) || typeof t[0] !== "string" || typeof t[1] !== "string" || typeof t[2] !== "number" || typeof t[3] !== "string") continue;
      todo.push({ twin: t[0], path: t[1], value: t[2], at: t[3] });
    }
  } catch {
    // The futures are shown all the same; there is nothing to be done of them.
  }
  return { id, name, todo };
}

/** Asks for futures; what the server refuses is thrown with its sentence. */
export async function start(name: string, request: Json, horizon: number, todo: readonly Todo[]): Promise<void> {
  const asked = await api.futures(request);
  horizons.set(asked.id, horizon);
  pinned.value = [...pinned.value, entry({ id: asked.id, name, todo })];
}

/** Takes futures off the page; those that still run are called off. */
export function drop(run: Run): void {
  followed.get(run.id)?.abort();
  followed.delete(run.id);
  if (run.futures?.state === "running") void api.futuresEnd(run.id).catch(() => undefined);
  pinned.value = pinned.value.filter((p) => !p.startsWith(`${run.id}~`));
}

/** Keeps the runs equal to what the address names. */
export function startRuns(): () => void {
  return effect(() => {
    const wanted = pinned.value.map(readEntry);
    const before = runs.peek();
    runs.value = wanted.map((w) => before.find((r) => r.id === w.id) ?? { ...w, futures: null, error: null, horizon: horizons.get(w.id) ?? 0 });
    for (const w of wanted) if (!before.some((r) => r.id === w.id)) void follow(w.id);
    for (const r of before) if (!wanted.some((w) => w.id === r.id)) { followed.get(r.id)?.abort(); followed.delete(r.id); }
  });
}

/** Puts futures of earlier on the page. */
export function pin(id: string, name: string): void {
  if (!pinned.value.some((p) => p.startsWith(`${id}~`))) pinned.value = [...pinned.value, entry({ id, name, todo: [] })];
}
