// The digital thread, bills of materials and roll-ups as the server tells them. docs/thread.md and docs/rollups.md describe the same.
import { get, post, send, type Json } from "./api";
import { ask } from "./session";

export const PHASES = ["as-designed", "as-built", "as-operated", "maintained", "decommissioned"] as const;
export type Phase = (typeof PHASES)[number];

export interface Said { // what a fact says
  value?: Json; // null: taken back
  part?: string;
  document?: { hash: string; size: number; mediaType?: string; name?: string };
  quantity?: number;
  position?: string;
  unit?: string;
  min?: number;
  max?: number;
  more?: { [key: string]: Json };
}

export interface Fact extends Said {
  twin: string;
  phase: Phase;
  key: string;
  from?: string; // absent: always
  to?: string; // absent: until further notice
  known?: string;
  author?: string;
  cause?: string;
  holds?: boolean; // in a history: at the time that it was asked for
}

/** The newest first; count: on all pages; said: ever, by whoever. */
export interface Facts { items: Fact[]; count: number; said: number; nextLink?: string }
/** Which facts: all that was ever said, or what holds; of these phases (all when there are none); with a text in them. */
export interface Asked { history: boolean; phases: readonly Phase[]; find: string; limit: number }

export interface NewFact extends Said {
  twin: string;
  phase: Phase;
  key: string;
  from?: string;
  to?: string;
  cause?: string;
  replace?: boolean;
}

/** When it was true, and as known when; null: now. */
export interface Times { valid: number | null; known: number | null }

export interface Difference { key: string; verdict: "out of tolerance" | "different" | "missing" | "added" | "within tolerance" | "same"; first?: Said; second?: Said }
export interface Diff { items: Difference[]; outOfTolerance: number }

export interface BomRow {
  level: number;
  position?: string;
  variant?: string;
  part: string;
  assembly: string;
  quantity: number;
  total: number;
  unit?: string;
  alternate?: boolean;
  more?: { [key: string]: Json };
  from?: string;
  to?: string;
  phase: Phase;
}

export interface BomChoice { serial: string; alternates: boolean; installed: boolean }
export interface BomSum { key: string; total: number; unit?: string; declared?: number; parts: number; missingCount: number; missing: string[] }
export interface BomGap { kind: "gap" | "overlap"; position?: string; from?: string; to?: string; firstSerial?: number; lastSerial?: number }

export interface Amount { // a roll-up of a system
  name: string;
  function: string;
  twin?: string; // absent: the whole plant
  value?: number | string | boolean | null;
  unit?: string;
  members?: number;
  missing?: number;
  working?: number;
  needed?: number;
  spare?: number;
  availability?: number;
  performance?: number;
  quality?: number;
  trouble?: string;
}
export interface Amounts { items: Amount[]; more?: boolean; outside?: number; declared?: number }

const q = encodeURIComponent;
const when = (name: string, at: number | null) => (at === null ? "" : `&${name}=${q(new Date(at).toISOString())}`);
const times = (t: Times) => `${when("valid", t.valid)}${when("known", t.known)}`;
const choice = (c: BomChoice) => `${c.serial === "" ? "" : `&serial=${q(c.serial)}`}${c.alternates ? "&alternates=true" : ""}${c.installed ? "&installed=true" : ""}`;
/** A thread that nobody has begun is one without facts. */
const orNothing = <T>(empty: T) => (e: Error & { status?: number }): T => { if (e.status === 404) return empty; throw e; };

export const life = {
  facts: (id: string, asked: Asked, t: Times, stop?: AbortSignal) =>
    get<Facts>(`/v1/thread/${q(id)}?limit=${asked.limit}${asked.history ? "&history=true" : ""}${asked.phases.map((p) => `&phase=${p}`).join("")}${asked.find === "" ? "" : `&find=${q(asked.find)}`}${times(t)}`, stop)
      .catch(orNothing<Facts>({ items: [], count: 0, said: 0 })),
  parts: (id: string, t: Times, stop?: AbortSignal) => get<{ items: Fact[]; installedIn?: Fact }>(`/v1/thread/${q(id)}/parts?${times(t)}`, stop).catch(orNothing({ items: [] as Fact[] } as { items: Fact[]; installedIn?: Fact })),
  diff: (id: string, first: Phase, second: Phase, t: Times, stop?: AbortSignal) => get<Diff>(`/v1/thread/${q(id)}/diff?first=${first}&second=${second}${times(t)}`, stop).catch(orNothing<Diff>({ items: [], outOfTolerance: 0 })),
  add: (fact: NewFact) => post<null>("/v1/thread", fact),
  addDocument: (id: string, fact: { phase: Phase; key: string; name: string; cause: string; from?: string }, file: Blob) =>
    send<{ hash: string }>(`/v1/thread/${q(id)}/documents?phase=${fact.phase}&key=${q(fact.key)}&name=${q(fact.name)}&cause=${q(fact.cause)}${fact.from === undefined ? "" : `&from=${q(fact.from)}`}`,
      { method: "POST", headers: { "content-type": file.type === "" ? "application/octet-stream" : file.type }, body: file }),
  document: async (id: string, hash: string): Promise<Blob> => {
    const reply = await ask(`/v1/thread/${q(id)}/documents/${q(hash)}`);
    if (!reply.ok) throw new Error(((await reply.json().catch(() => null)) as { error?: { message: string } } | null)?.error?.message ?? `${reply.status} ${reply.statusText}`);
    return reply.blob();
  },
  bom: async (id: string, c: BomChoice, t: Times, stop?: AbortSignal) => (await get<{ items: BomRow[] }>(`/v1/bom/${q(id)}?${times(t)}${choice(c)}`, stop).catch(orNothing({ items: [] as BomRow[] }))).items,
  whereUsed: async (id: string, c: BomChoice, t: Times, stop?: AbortSignal) => (await get<{ items: BomRow[] }>(`/v1/bom/${q(id)}/where-used?${times(t)}${choice({ ...c, serial: "" })}`, stop).catch(orNothing({ items: [] as BomRow[] }))).items,
  bomSum: (id: string, key: string, c: BomChoice, t: Times, stop?: AbortSignal) => get<BomSum>(`/v1/bom/${q(id)}/rollup?key=${q(key)}${times(t)}${choice(c)}`, stop),
  gaps: async (id: string, t: Times, stop?: AbortSignal) => (await get<{ items: BomGap[] }>(`/v1/bom/${q(id)}/gaps?${times(t)}`, stop).catch(orNothing({ items: [] as BomGap[] }))).items,
  amounts: (twin: string, stop?: AbortSignal) => get<Amounts>(`/v1/rollups?limit=2000&twin=${q(twin)}&below=true`, stop).catch(orNothing<Amounts>({ items: [] })),
  plantAmounts: (stop?: AbortSignal) => get<Amounts>("/v1/rollups?plant=true", stop),
};
