// What the colours of the scene mean: a property's value, an estimate, a residual, or the worst alarm, on a scale that stays.
import { worstAt } from "./alarm_badges";
import { api, type Json, type Twin } from "./api";
import { dated, queryAll } from "./ask_all";
import { hitText, KIND_COLOUR, KIND_SIGN, kindOf, type Hit } from "./fault";
import { canPlot, formatNumber, formatValue } from "./format";

export interface Choice { key: string; label: string; unit: string; kind: "value" | "estimate" | "residual" }
export interface Scale { low: number; high: number }
export interface Painted { colours: Map<string, string>; labels: Map<string, string>; values: Map<string, number> }

// From dark to light, so that it reads without colour too (after the map "viridis"); residuals from blue over grey to orange.
const LEVELS = ["#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725"];
const AWAY = ["#2166ac", "#92c5de", "#c8c8c8", "#f4a582", "#b2521b"];
export const ALARM_COLOURS: { [priority: string]: string } = { critical: "#b3261e", high: "#d9552b", medium: "#e08a1e", low: "#d8c22a" };
const RESIDUAL: Scale = { low: -3, high: 3 };
const MOST = 20000;

const part = (hex: string, at: number): number => parseInt(hex.slice(1 + 2 * at, 3 + 2 * at), 16);

export function rampOf(kind: Choice["kind"]): readonly string[] {
  return kind === "residual" ? AWAY : LEVELS;
}

/** The colour of a share of the scale; beyond its ends that of the end. */
export function colourOf(ramp: readonly string[], share: number): string {
  const at = Math.min(1, Math.max(0, share)) * (ramp.length - 1), i = Math.min(ramp.length - 2, Math.floor(at)), f = at - i;
  const mix = [0, 1, 2].map((c) => Math.round(part(ramp[i]!, c) * (1 - f) + part(ramp[i + 1]!, c) * f));
  return `#${mix.map((c) => c.toString(16).padStart(2, "0")).join("")}`;
}

/** Bounds with few digits around what is there, so that the legend reads and stays. */
export function scaleAround(values: readonly number[]): Scale {
  const low = Math.min(...values), high = Math.max(...values);
  if (!Number.isFinite(low)) return { low: 0, high: 1 };
  const span = high > low ? high - low : Math.abs(high) || 1;
  const step = 10 ** Math.floor(Math.log10(span)) / 2;
  const from = Math.floor((low - 0.1 * span) / step) * step;
  return { low: Number((low >= 0 && from < 0 ? 0 : from).toPrecision(6)), high: Number((Math.ceil((high + 0.1 * span) / step) * step).toPrecision(6)) };
}

/** What can be chosen: numeric values of one twin of each model, and what estimates tell. */
export async function choicesFor(ids: ReadonlySet<string>, stop: AbortSignal): Promise<Choice[]> {
  const rows = await queryAll("SELECT T.$dtId, T.$metadata.$model FROM DIGITALTWINS T", MOST, stop);
  const examples = new Map<string, string>();
  for (const r of rows.rows) if (ids.has(String(r["$dtId"])) && !examples.has(String(r["$model"]))) examples.set(String(r["$model"]), String(r["$dtId"]));
  const twins = await Promise.all([...examples.values()].map((id) => api.twin(id, stop).catch(() => null)));
  const found = new Map<string, Choice>();
  const take = (c: Choice) => { if (!found.has(c.key)) found.set(c.key, c); };
  for (const t of twins as (Twin | null)[])
    for (const v of t?.values ?? [])
      if (canPlot(v)) take({ key: `value:${v.path}`, kind: "value", unit: v.symbol ?? v.unit ?? "", label: v.component === undefined ? v.displayName : `${v.component}: ${v.displayName}` });
  const estimates = await api.estimates(null, stop).catch(() => ({ items: [] }));
  for (const e of estimates.items) {
    for (const v of [...e.variables, ...e.signals]) if (ids.has(v.twin)) take({ key: `estimate:${v.name}`, kind: "estimate", unit: v.unit ?? "", label: v.name });
    for (const s of e.signals) if (ids.has(s.twin)) take({ key: `residual:${s.name}`, kind: "residual", unit: "", label: s.name });
  }
  return [...found.values()].sort((a, b) => a.label.localeCompare(b.label, "en"));
}

const number = (x: Json | undefined): number | null => (typeof x === "number" ? x : typeof x === "boolean" ? Number(x) : null);

async function measured(path: string, at: number | null, stop: AbortSignal): Promise<Map<string, number>> {
  const dots = path.split("/").join(".");
  const found = await queryAll(dated(`SELECT T.$dtId, T.${dots} FROM DIGITALTWINS T WHERE IS_DEFINED(T.${dots})`, at), MOST, stop);
  const values = new Map<string, number>();
  for (const row of found.rows) {
    const value = number(Object.entries(row).find(([key]) => key !== "$dtId")?.[1]);
    if (value !== null) values.set(String(row["$dtId"]), value);
  }
  return values;
}

async function estimated(kind: "estimate" | "residual", name: string, stop: AbortSignal): Promise<Map<string, number>> {
  const values = new Map<string, number>();
  for (const e of (await api.estimates(null, stop)).items)
    for (const v of kind === "estimate" ? [...e.signals, ...e.variables] : e.signals) {
      const x = kind === "estimate" ? v.estimate : v.innovation === undefined || !v.expected ? undefined : v.innovation / v.expected;
      if (v.name === name && x !== undefined) values.set(v.twin, x);
    }
  return values;
}

export function valuesOf(choice: Choice, at: number | null, stop: AbortSignal): Promise<Map<string, number>> {
  const name = choice.key.slice(choice.key.indexOf(":") + 1);
  return choice.kind === "value" ? measured(name, at, stop) : estimated(choice.kind, name, stop);
}

export function paintValues(values: ReadonlyMap<string, number>, choice: Choice, scale: Scale): Painted {
  const painted: Painted = { colours: new Map(), labels: new Map(), values: new Map(values) };
  for (const [id, v] of values) {
    painted.colours.set(id, colourOf(rampOf(choice.kind), (v - scale.low) / (scale.high - scale.low || 1)));
    painted.labels.set(id, `${id}: ${formatValue(Number(v.toPrecision(4)))} ${choice.kind === "residual" ? "σ" : choice.unit}`.trim());
  }
  return painted;
}

export function paintAlarms(ids: Iterable<string>, words: (priority: string) => string): Painted {
  const painted: Painted = { colours: new Map(), labels: new Map(), values: new Map() };
  for (const id of ids) {
    const p = worstAt(id);
    painted.labels.set(id, p === undefined ? id : `! ${id}: ${words(p)}`);
    if (p !== undefined) painted.colours.set(id, ALARM_COLOURS[p] ?? ALARM_COLOURS["low"]!);
  }
  return painted;
}

/** The path of a fault: what it hits, by what happens to it. */
export function paintHits(hits: ReadonlyMap<string, Hit>): Painted {
  const painted: Painted = { colours: new Map(), labels: new Map(), values: new Map() };
  for (const [id, h] of hits) {
    painted.colours.set(id, KIND_COLOUR[kindOf(h)]);
    painted.labels.set(id, `${KIND_SIGN[kindOf(h)]} ${id}: ${hitText(h)}`);
  }
  return painted;
}

const LOOKED_AT = 24; // twins whose past a scale is made of

/** A scale that will last: around what was in the last year, of as many twins as can be asked in a moment. */
export async function firstScale(choice: Choice, values: ReadonlyMap<string, number>, now: number, stop: AbortSignal): Promise<Scale> {
  if (choice.kind === "residual") return RESIDUAL;
  const seen = [...values.values()], path = choice.key.slice(choice.key.indexOf(":") + 1);
  if (choice.kind === "value") {
    const asked = [...values.keys()].slice(0, LOOKED_AT).map((id) => api.history(id, path, new Date(now - 365 * 86400e3), new Date(now + 1000), 8, stop).catch(() => null));
    for (const h of await Promise.all(asked)) for (const p of h?.points ?? []) { const v = number(p[1]); if (v !== null) seen.push(v); }
  }
  return scaleAround(seen);
}

export const endText = (x: number, unit: string): string => `${formatNumber(x)} ${unit}`.trim();
