// A fault that is thought through: what stops if one twin fails, for the list, the graph and the scene alike.
import { effect, signal } from "@preact/signals";
import { get } from "./api";
import { formatNumber, formatSpan } from "./format";
import { structureVersion } from "./live";
import { token } from "./session";
import { connection } from "./stream";
import { faultText as text } from "./text_fault";
import { fault } from "./view";

export interface Hit {
  id: string;
  name?: string;
  via?: string; // whose failure it feels; absent: it is the failed one
  relationship?: string;
  relationshipName?: string;
  need?: string;
  gate?: string; // of a fault tree: its connective, in place of a need
  certain: boolean; // stops for sure; otherwise with one more failure
  effect: "stops" | "degrades";
  severity?: string;
  text?: string;
  delay: number | null; // seconds
  probability: number | null; // null: not calculated
  otherwise?: number | null; // had the failure not happened
  cost: number | null;
}

export interface Spare { id: string; need?: string; gate?: string; needed: number; working: number; of: number; spare: number; next: string[] }

export interface Impact {
  twin: string;
  horizon: number; // seconds
  stands: boolean; // it has failed already
  standing: number;
  stops: number;
  degraded: number;
  atRisk: number;
  cost: number | null;
  riskCost: number | null;
  items: Hit[];
  redundancy: Spare[];
  more: boolean;
  why?: string; // probabilities are missing
}

export type Kind = "failed" | "stops" | "degrades" | "risk";
export const KIND_SIGN: { [k in Kind]: string } = { failed: "✗", stops: "■", degrades: "▽", risk: "?" };
/** In the scene; everywhere else the theme's colours. */
export const KIND_COLOUR: { [k in Kind]: string } = { failed: "#b3261e", stops: "#d9552b", degrades: "#e08a1e", risk: "#d8c22a" };
export const KINDS = ["failed", "stops", "degrades", "risk"] as const;

const EVERY_MS = 5000, LIMIT = 1000;

export const impact = signal<Impact | null>(null); // of the twin that `fault` names; null while it is being asked for
export const impactError = signal<string | null>(null);

export const kindOf = (h: Hit): Kind => (h.need === undefined && h.gate === undefined ? "failed" : !h.certain ? "risk" : h.effect === "stops" ? "stops" : "degrades");

export const chanceText = (p: number | null | undefined): string => (p === null || p === undefined ? text.noChance : p > 0 && p < 0.0005 ? `${p.toExponential(1)}` : `${formatNumber(Math.round(p * 1000) / 10)} %`);

/** In a few words, for a drawing. */
export function hitText(h: Hit): string {
  const kind = kindOf(h);
  if (kind === "failed") return text.kinds.failed;
  if (kind === "risk") return `${text.kinds.risk}${h.probability === null ? "" : ` ${chanceText(h.probability)}`}`;
  return h.delay === null || h.delay <= 0 ? text.atOnce(text.kinds[kind]) : text.after(text.kinds[kind], formatSpan(h.delay));
}

/** The twins that are hit, each by what is worst for it; null: no fault is lit up. */
export function hitsOf(i: Impact | null): ReadonlyMap<string, Hit> | null {
  if (i === null) return null;
  const hits = new Map<string, Hit>();
  for (const h of i.items) if (!hits.has(h.id)) hits.set(h.id, h); // certain ones come first
  return hits;
}

/** What is hit, and what else the path leads over: the one more that would have to fail. */
export const pathOf = (hits: ReadonlyMap<string, Hit>): string[] => [...new Set([...hits.values()].flatMap((h) => (h.via === undefined ? [h.id] : [h.id, h.via])))];

let users = 0, end: (() => void) | null = null;

function follow(): () => void {
  return effect(() => {
    const twin = fault.value;
    token.value, structureVersion.value;
    if (impact.peek()?.twin !== twin) impact.value = null;
    impactError.value = null;
    if (twin === "") return;
    const stop = new AbortController();
    const turn = () => {
      if (connection.peek() === "stale") return;
      get<Impact>(`/v1/impact?twin=${encodeURIComponent(twin)}&limit=${LIMIT}`, stop.signal).then(
        (i) => { impact.value = i; impactError.value = null; }, (e: Error) => { if (!stop.signal.aborted) { impact.value = null; impactError.value = e.message; } });
    };
    turn();
    const timer = window.setInterval(turn, EVERY_MS);
    return () => { stop.abort(); window.clearInterval(timer); };
  });
}

/** Asks while somebody looks. For an effect: returns the way to stop. */
export function followFault(): () => void {
  if (users++ === 0) end = follow();
  return () => { if (--users === 0) { end?.(); end = null; } };
}
