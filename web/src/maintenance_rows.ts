// A proposal as rows along a stretch of time: which assets, in which order, which kinds of work, and where everything stands.
import type { Job, Proposal, Redundancy } from "./maintenance_api";
import type { MaintenanceOrder } from "./view";

const HOUR = 3600e3;

export interface Scale { start: number; end: number; now: number; window: number; first: number; windows: number } // ms

/** From the moment that was planned from to the end of the last window; null: nothing is planned. */
export function scaleOf(p: Proposal): Scale | null {
  if (p.now === undefined || p.first === undefined || p.windows === undefined || p.windowHours === undefined) return null;
  const now = Date.parse(p.now), first = Date.parse(p.first), window = p.windowHours * HOUR;
  return { start: Math.min(now, first), end: first + p.windows * window, now, window, first, windows: p.windows };
}

/** Where a moment is between the ends, as a share; outside of 0 to 1 it is out of sight. */
export const share = (s: Scale, t: number): number => (t - s.start) / (s.end - s.start);
export const windowAt = (s: Scale, v: number): number => s.first + v * s.window;

/** Kinds of work in the order of their names: each has a letter and a colour. */
export function kindsOf(items: readonly Job[]): readonly string[] {
  return [...new Set(items.map((i) => i.work))].sort();
}
export const letterOf = (kind: number): string => String.fromCharCode(65 + (kind % 26));

const begin = (j: Job): number => j.window ?? Infinity;
const BY: { [order in MaintenanceOrder]: (a: Job, b: Job) => number } = {
  window: (a, b) => begin(a) - begin(b) || a.prediction.hours50 - b.prediction.hours50,
  risk: (a, b) => b.failsBefore - a.failsBefore,
  left: (a, b) => a.prediction.hours50 - b.prediction.hours50,
  twin: () => 0,
};

export function rowsOf(items: readonly Job[], order: MaintenanceOrder, find: string): readonly Job[] {
  const wanted = find.trim().toLowerCase();
  const found = wanted === "" ? [...items] : items.filter((j) => `${j.twin} ${j.work}`.toLowerCase().includes(wanted));
  return found.sort((a, b) => BY[order](a, b) || a.twin.localeCompare(b.twin, "en", { numeric: true }));
}

export interface Conflict { windows: number; most: number; first: number } // how many windows, how many out at once, from which on

/** What would have collided if every job were where it costs least for itself; null: nothing. */
export function avoided(alone: readonly number[], most: (v: number) => number): Conflict | null {
  const over = alone.flatMap((n, v) => (n > most(v) + 1e-9 ? [v] : []));
  return over.length === 0 ? null : { windows: over.length, most: Math.max(...over.map((v) => alone[v]!)), first: over[0]! };
}

export const groupsOf = (twin: string, groups: readonly Redundancy[]): readonly Redundancy[] => groups.filter((g) => g.twins.includes(twin));

/** A course over windows as the outline of steps, in a box of 1 by 1. */
export function stepsPath(values: readonly number[], high: number, closed: boolean): string {
  const n = values.length, y = (v: number) => (1 - Math.min(1, v / high)).toFixed(4);
  const steps = values.map((v, i) => `${i === 0 ? "M" : "L"}${(i / n).toFixed(5)} ${y(v)}H${((i + 1) / n).toFixed(5)}`).join("");
  return closed ? `${steps}V1H0Z` : steps;
}
