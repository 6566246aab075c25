// Samples as lines: loaded thinned by the server (the smallest and largest of each stretch), with gaps where data is missing.
import { api, type Json, type Twin } from "./api";
import { asNumber } from "./format";
import type { Window } from "./view";

export interface Series {
  path: string;
  label: string;
  unit: string;
  held: boolean; // a property holds until it is changed; telemetry that stays away is a gap
  times: number[]; // seconds since 1970
  values: (number | null)[];
}

const GAP_TIMES = 6; // an interval this many times the usual one is a gap
const GAP_LEAST = 3; // seconds

function median(numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

/** Puts an empty sample into every interval that is much longer than usual; `stretch` is what thinning may have left out. */
export function withGaps(times: readonly number[], values: readonly (number | null)[], stretch: number): [number[], (number | null)[]] {
  const steps = times.slice(1).map((t, i) => t - times[i]!);
  const longest = Math.max(GAP_TIMES * median(steps), 3 * stretch, GAP_LEAST);
  const t: number[] = [], v: (number | null)[] = [];
  times.forEach((at, i) => {
    if (i > 0 && at - times[i - 1]! > longest) { t.push((at + times[i - 1]!) / 2); v.push(null); }
    t.push(at);
    v.push(values[i]!);
  });
  return [t, v];
}

/** What is drawn up to `end` (seconds). A held value reaches to the end. */
export function drawn(s: Series, stretch: number, end: number): [number[], (number | null)[]] {
  if (!s.held) return withGaps(s.times, s.values, stretch);
  const last = s.times.length - 1;
  if (last < 0 || s.times[last]! >= end) return [s.times, s.values];
  return [[...s.times, end], [...s.values, s.values[last]!]];
}

const point = (p: [string, Json]): [number, number | null] => [Date.parse(p[0]) / 1000, asNumber(p[1])];

export async function loadSeries(twin: Twin, path: string, window: Window, points: number, stop: AbortSignal): Promise<Series> {
  const value = twin.values.find((v) => v.path === path);
  const h = await api.history(twin.id, path, new Date(window.from), new Date(window.to), points, stop);
  const held = value !== undefined && !value.telemetry;
  const all = h.points.map(point);
  // A property that was last set before the window had its value all through it.
  if (held && all.length === 0 && value.sourceTime !== undefined && Date.parse(value.sourceTime) < window.from)
    all.push([window.from / 1000, asNumber(value.value)]);
  return {
    path, held,
    label: value?.displayName ?? path,
    unit: value?.symbol ?? value?.unit ?? "",
    times: all.map((p) => p[0]),
    values: all.map((p) => p[1]),
  };
}
