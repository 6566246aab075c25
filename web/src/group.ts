// The group of connected twins around one, and the variables that a future can be asked about.
import { api, type Document, type Twin } from "./api";
import { canPlot } from "./format";

export interface Variable {
  name: string; // TWIN.PATH, as futures call it
  twin: string;
  path: string;
  label: string;
  unit: string;
  value: number;
  commanded: boolean; // a command of its twin sets it
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

export interface Near {
  id: string;
  label: string;
  model: string;
  links: { from: string; to: string; name: string }[];
}

async function nearThen(id: string, at: Date, stop: AbortSignal): Promise<Near> {
  const [document, out, incoming] = await Promise.all([api.documentAt(id, at, stop), api.relationshipsAt(id, "relationships", at, stop), api.relationshipsAt(id, "incomingrelationships", at, stop)]);
  const model = String((document["$metadata"] as Document | undefined)?.["$model"] ?? "");
  const name = document["name"] ?? document["displayName"];
  return {
    id, label: typeof name === "string" && name !== "" ? name : id, model: model.slice(model.lastIndexOf(":") + 1).replace(/;.*$/, ""),
    links: [...out.map((r) => ({ from: id, to: String(r["$targetId"]), name: String(r["$relationshipName"]) })),
            ...incoming.map((r) => ({ from: String(r["$sourceId"]), to: id, name: String(r["$relationshipName"]) }))],
  };
}

async function nearNow(id: string, stop: AbortSignal): Promise<Near> {
  const t = await api.twin(id, stop);
  return {
    id, label: t.name ?? id, model: t.modelName,
    links: [...t.relationships.out.map((r) => ({ from: id, to: r.target ?? "", name: r.name })), ...t.relationships.in.map((r) => ({ from: r.source ?? "", to: id, name: r.name }))],
  };
}

/** Twins by their ids, at a moment or now; those that are not there are left out. */
export async function nearAll(ids: readonly string[], at: number | null, stop: AbortSignal): Promise<Near[]> {
  const all = await Promise.all(ids.map((id) => (at === null ? nearNow(id, stop) : nearThen(id, new Date(at), stop)).catch(() => null)));
  stop.throwIfAborted();
  return all.filter((t): t is Near => t !== null);
}

export interface Neighbourhood { twins: Near[]; names: string[]; leftOut: number }

/**
 * The twins up to so many hops from one, along relationships whose names are not hidden, at a moment or now (null). No hop
 * adds more than `level` twins, and there are never more than `most`: leftOut counts those that were met and not taken.
 */
export async function around(root: string, hops: number, hidden: ReadonlySet<string>, at: number | null, most: number, level: number, stop: AbortSignal): Promise<Neighbourhood> {
  const ask = (id: string) => (at === null ? nearNow(id, stop) : nearThen(id, new Date(at), stop)).catch(() => null);
  const found = new Map<string, Near>(), met = new Set([root]), names = new Set<string>();
  let front = [root];
  for (let hop = 0; hop <= hops && front.length > 0 && found.size < most; hop++) {
    const next: string[] = [];
    for (const t of await Promise.all(front.slice(0, Math.min(level, most - found.size)).map(ask))) {
      if (t === null) continue;
      found.set(t.id, t);
      for (const l of t.links) {
        const other = l.from === t.id ? l.to : l.from;
        names.add(l.name);
        if (other === "" || hidden.has(l.name) || met.has(other) || hop === hops) continue;
        met.add(other);
        next.push(other);
      }
    }
    front = next.sort();
  }
  stop.throwIfAborted();
  return { twins: [...found.values()], names: [...names].sort(), leftOut: met.size - found.size };
}

export function variablesOf(twins: readonly Twin[]): Variable[] {
  return twins.flatMap((t) => t.values.filter((v) => canPlot(v) && v.value !== null).map((v): Variable => ({
    name: `${t.id}.${v.path}`, twin: t.id, path: v.path, label: v.displayName, unit: v.symbol ?? v.unit ?? "", value: Number(v.value), measured: v.telemetry,
    commanded: !v.telemetry && v.kind !== "boolean" && (t.commands ?? []).some((c) => c.request?.name === v.path),
  })));
}

/** Where a slider for a value begins and ends. */
export function sliderRange(value: number): { min: number; max: number; step: number } {
  const min = value < 0 ? 2 * value : 0;
  const max = value > 1 ? 2 * value : value < 0 ? 0 : 1;
  return { min, max, step: (max - min) / 200 };
}
