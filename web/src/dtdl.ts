// What DTDL says of a value, as far as a form needs it: kinds, limits, choices, fields, units; and what a model inherits.
import { api, type Choice, type Json, type Model } from "./api";

type Document = { [key: string]: Json };

export type Schema =
  | { kind: "number"; integer: boolean; min?: number; max?: number }
  | { kind: "boolean" }
  | { kind: "text"; format: "text" | "date" | "time" }
  | { kind: "choice"; choices: { label: string; value: Json }[] }
  | { kind: "object"; fields: Field[] }
  | { kind: "json"; what: string };

export interface Field {
  name: string;
  label: string;
  description?: string;
  unit?: string;
  schema: Schema;
}

const bits = (n: number, signed: boolean): Schema => ({ kind: "number", integer: true, min: signed ? -(2 ** (n - 1)) : 0, max: signed ? 2 ** (n - 1) - 1 : 2 ** n - 1 });
const PRIMITIVES: { [name: string]: Schema } = {
  boolean: { kind: "boolean" },
  byte: bits(8, true), short: bits(16, true), integer: bits(32, true), long: { kind: "number", integer: true },
  unsignedByte: bits(8, false), unsignedShort: bits(16, false), unsignedInteger: bits(32, false), unsignedLong: { kind: "number", integer: true, min: 0 },
  float: { kind: "number", integer: false }, double: { kind: "number", integer: false }, decimal: { kind: "number", integer: false },
  date: { kind: "text", format: "date" }, time: { kind: "text", format: "time" },
  string: { kind: "text", format: "text" }, uuid: { kind: "text", format: "text" }, duration: { kind: "text", format: "text" }, dateTime: { kind: "text", format: "text" }, bytes: { kind: "text", format: "text" },
};

export const object = (x: Json | undefined): Document => (x !== null && typeof x === "object" && !Array.isArray(x) ? x : {});
export const list = (x: Json | undefined): Json[] => (x === undefined || x === null ? [] : Array.isArray(x) ? x : [x]);
export const typesOf = (x: Document): string[] => list(x["@type"]).map(String);

/** A text of a model, in English where it comes in several languages. */
export function said(x: Json | undefined): string | undefined {
  if (typeof x === "string") return x === "" ? undefined : x;
  const all = object(x), first = all["en"] ?? Object.values(all)[0];
  return typeof first === "string" ? first : undefined;
}

/** A schema of a model; `named` are those of the interface's `schemas` by id. */
export function schemaOf(x: Json | undefined, named: ReadonlyMap<string, Json> = new Map(), depth = 0): Schema {
  if (typeof x === "string") {
    const primitive = PRIMITIVES[x];
    if (primitive !== undefined) return primitive;
    const other = named.get(x);
    return other === undefined || depth > 8 ? { kind: "json", what: x } : schemaOf(other, named, depth + 1);
  }
  const o = object(x), types = typesOf(o);
  if (types.includes("Enum"))
    return { kind: "choice", choices: list(o["enumValues"]).map(object).map((v) => ({ label: said(v["displayName"]) ?? String(v["name"]), value: v["enumValue"] ?? null })) };
  if (types.includes("Object")) return { kind: "object", fields: list(o["fields"]).map(object).map((f) => fieldOf(f, named, depth + 1)) };
  return { kind: "json", what: types[0] ?? "" };
}

export function fieldOf(f: Document, named: ReadonlyMap<string, Json> = new Map(), depth = 0): Field {
  const description = said(f["description"]), unit = said(f["unit"]);
  return { name: String(f["name"]), label: said(f["displayName"]) ?? String(f["name"]), schema: schemaOf(f["schema"], named, depth), ...(description === undefined ? {} : { description }), ...(unit === undefined ? {} : { unit }) };
}

/** What the server says of a value by itself, without its model. */
export function schemaNamed(name: string, choices?: readonly Choice[]): Schema {
  if (choices !== undefined) return { kind: "choice", choices: choices.map((c) => ({ label: c.displayName ?? c.name, value: c.value })) };
  return PRIMITIVES[name] ?? { kind: "json", what: name };
}

// ---- what a model is made of ------------------------------------------------------------------------------------------

export interface Content {
  name: string;
  kind: string; // Property, Telemetry, Command, Relationship, Component
  from: string; // the interface that brings it
  document: Document;
}

export interface Whole {
  id: string;
  document: Document;
  lineage: string[]; // itself first, then all that it extends, the nearest first
  contents: Content[];
  named: Map<string, Json>;
}

const KINDS = ["Property", "Telemetry", "Command", "Relationship", "Component"];

/** A model with all that it inherits, out of models by their ids; what is missing is left out. */
export function wholeOf(id: string, models: ReadonlyMap<string, Document>): Whole | null {
  const document = models.get(id);
  if (document === undefined) return null;
  const lineage: string[] = [], contents: Content[] = [], named = new Map<string, Json>();
  for (const front = [id]; front.length > 0; ) {
    const next = front.shift()!;
    const d = models.get(next);
    if (lineage.includes(next)) continue;
    lineage.push(next);
    if (d === undefined) continue;
    for (const s of list(d["schemas"]).map(object)) if (typeof s["@id"] === "string") named.set(s["@id"], s);
    for (const c of list(d["contents"]).map(object)) {
      const kind = KINDS.find((k) => typesOf(c).includes(k));
      if (kind !== undefined && !contents.some((x) => x.name === c["name"])) contents.push({ name: String(c["name"]), kind, from: next, document: c });
    }
    for (const e of list(d["extends"])) {
      if (typeof e === "string") front.push(e);
      else { // an interface that is written where it is extended
        const inner = object(e), innerId = String(inner["@id"] ?? "");
        if (innerId !== "" && !models.has(innerId)) (models as Map<string, Document>).set(innerId, inner);
        if (innerId !== "") front.push(innerId);
      }
    }
  }
  return { id, document, lineage, contents, named };
}

/** The model of a twin with what it extends, fetched. */
export async function fetchWhole(id: string, stop?: AbortSignal): Promise<Whole | null> {
  const models = new Map<string, Document>(), asked = new Set<string>();
  for (let front = [id]; front.length > 0; ) {
    front.forEach((f) => asked.add(f));
    const found = await Promise.all(front.map((f) => api.model(f, stop).catch(() => null)));
    const next: string[] = [];
    for (const m of found) {
      if (m?.model === undefined) continue;
      const d = object(m.model);
      models.set(m.id, d);
      for (const e of list(d["extends"])) if (typeof e === "string" && !asked.has(e)) next.push(e);
    }
    front = next;
  }
  stop?.throwIfAborted();
  return wholeOf(id, models);
}

export const byId = (models: readonly Model[]): Map<string, Document> => new Map(models.filter((m) => m.model !== undefined).map((m) => [m.id, object(m.model)]));
