// The group of connected twins around one, and the variables that a future can be asked about.
import { api, type Twin } from "./api";
import { canPlot } from "./format";

export interface Variable {
  name: string; // TWIN.PATH, as futures call it
  twin: string;
  path: string;
  label: string;
  unit: string;
  value: number;
  measured: boolean; // telemetry: what one asks about; properties are what one changes
}

const TWINS_MAX = 60;

/** Breadth first along relationships either way, from the root, a level at a time. */
export async function groupOf(root: string, stop: AbortSignal, most = TWINS_MAX, hops = Infinity): Promise<Twin[]> {
  const found = new Map<string, Twin>();
  let front = [root];
  for (let hop = 0; front.length > 0 && found.size < most && hop <= hops; hop++) {
    const level = await Promise.all(front.slice(0, most - found.size).map((id) => api.twin(id, stop).catch(() => null)));
    const next = new Set<string>();
    for (const t of level) {
      if (t === null) continue;
      found.set(t.id, t);
      for (const r of t.relationships.out) if (r.target !== undefined) next.add(r.target);
      for (const r of t.relationships.in) if (r.source !== undefined) next.add(r.source);
    }
    front = [...next].filter((id) => !found.has(id));
  }
  stop.throwIfAborted();
  return [...found.values()];
}

export function variablesOf(twins: readonly Twin[]): Variable[] {
  return twins.flatMap((t) => t.values.filter((v) => canPlot(v) && v.value !== null).map((v): Variable => ({
    name: `${t.id}.${v.path}`, twin: t.id, path: v.path, label: v.displayName, unit: v.symbol ?? v.unit ?? "", value: Number(v.value), measured: v.telemetry,
  })));
}

/** Where a slider for a value begins and ends. */
export function sliderRange(value: number): { min: number; max: number; step: number } {
  const min = value < 0 ? 2 * value : 0;
  const max = value > 1 ? 2 * value : value < 0 ? 0 : 1;
  return { min, max, step: (max - min) / 200 };
}
