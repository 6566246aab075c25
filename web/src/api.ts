// The server as the console sees it: shapes and requests, nothing else. docs/api.md describes the same.
import { ask } from "./session";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface Value {
  path: string;
  name: string;
  displayName: string;
  kind: "boolean" | "integer" | "number" | "string" | "json";
  schema: string;
  unit?: string;
  symbol?: string;
  telemetry: boolean;
  writable: boolean;
  component?: string;
  description?: string;
  choices?: Choice[]; // of an enumeration
  value: Json; // null: never set
  sourceTime?: string;
  ingestTime?: string;
}

export interface Relationship {
  id: string;
  name: string;
  target?: string;
  source?: string;
}

export interface Choice {
  name: string;
  displayName?: string;
  value: Json;
}

export interface CommandType {
  name: string;
  displayName: string;
  description?: string;
  component?: string;
  request?: { name: string; schema: string; choices?: Choice[] };
}

export interface Twin {
  id: string;
  name?: string;
  model: string;
  modelName: string;
  etag: string;
  values: Value[];
  relationships: { out: Relationship[]; in: Relationship[] };
  commands?: CommandType[];
}

export interface TreeItem {
  id: string;
  name: string;
  model: string;
  modelName: string;
  children: number;
  relationship?: string;
  path?: string[]; // search results: from a root down to the parent
}

export interface TreePage {
  items: TreeItem[];
  total?: number; // of children: on all pages
  nextLink?: string;
}

export interface Plant {
  name: string;
  version: string;
  twins?: number; // these are for who sees the whole plant
  relationships?: number;
  models?: number;
}

export interface History {
  twin: string;
  property: string;
  unit?: string;
  points: [string, Json][];
  nextLink?: string;
}

export interface DeadLetter {
  time: string;
  topic: string;
  reason: string;
  payload: string;
}

export type Document = { [key: string]: Json };

export interface Model {
  id: string;
  displayName?: { [language: string]: string };
  decommissioned: boolean;
  model?: Json; // DTDL
}

export interface Principal {
  name: string;
  role: "reader" | "operator" | "engineer" | "admin";
  scoped: boolean;
  required: boolean;
}

export interface Risk {
  twin: string;
  model: string;
  version: number;
  at: string;
  rul: number;
  health: number;
  intervals: { [percent: string]: [number, number] };
}

export interface Anomaly {
  sequence: number;
  twin: string;
  detector: string;
  open: boolean;
  start: string;
  end?: string;
  score: number;
  signals: { property: string; share: number }[];
}

export interface Alarm {
  id: string;
  name: string;
  twin: string;
  state: string;
  priority: string;
  active: boolean;
  acknowledged: boolean;
  text?: string;
  consequence?: string;
  response?: string;
  raised?: string;
  changed: string;
  shelvedUntil?: string;
  who?: string;
  reason?: string;
  chattering: boolean;
  count: number;
  cause?: { rule?: string; file?: string; line?: number };
}

export type MarkKind = "alarm" | "anomaly" | "command" | "event" | "letter";

export interface Happening {
  kind: MarkKind;
  time: string;
  twin?: string;
  name?: string;
  priority?: string; // of an alarm
  sequence: number;
}

export interface Happenings { items: Happening[]; nextLink?: string }

export interface MarkBuckets {
  total: number;
  oldest?: string; // older ones are not known any more
  items: { bucket: number; begin: string; kind: MarkKind; count: number; worst?: string; examples?: Happening[] }[];
}

export interface Rollup {
  twin: string;
  unacknowledged: number;
  active: { [priority: string]: number };
  twins: number; // itself and all under it
  silent: number; // of those: measured once, and not in the last minute
  below?: Rollup[];
}

export interface AlarmMetrics {
  states: { [state: string]: number };
  raised: { [span: string]: number };
  standing: number;
  chattering: number;
  flood: boolean;
  floodSeconds: number;
  spanSeconds: number;
}

export interface Fan {
  quantiles: { [q: string]: number[] };
}

export interface Futures {
  id: string;
  root: string;
  asOf: string;
  state: "running" | "done" | "failed" | "cancelled";
  progress?: number;
  error?: string;
  time?: number[]; // seconds after asOf
  outputs?: { [name: string]: Fan };
  lanes?: number;
  counted?: number; // of a partial result: the lanes so far
  diverged?: number;
  seconds?: number;
}

export interface Verification {
  passed: number; // seconds of the horizon that are over
  outputs: { [name: string]: { points: number; below: { [q: string]: number | null }; bias: number | null; rmse: number | null } };
}

export interface SceneFile {
  name: string;
  type: string;
  bytes: number;
}

export interface Estimated {
  twin: string;
  name: string;
  unit?: string;
  estimate?: number;
  deviation?: number;
  measured?: number;
  measuredAt?: string;
  innovation?: number;
  expected?: number; // deviation that the innovation should have
}

export interface Estimate {
  name: string;
  root?: string;
  filter?: string;
  nis?: number; // normalised innovation squared, 1 when all is as modelled
  moments?: number;
  taken?: number;
  refused?: number;
  late?: number;
  unusable?: number;
  lost?: number;
  restarts?: number;
  faults?: { twin: string; name: string; told: boolean; since?: string; severity?: number; deviation?: number; significance?: number }[];
  modes?: { name: string; probability: number; told: boolean; since?: string }[];
  at?: string;
  trouble?: string;
  health?: string;
  variables: (Estimated & { kind: string })[];
  signals: Estimated[];
}

/** A refusal by the server, with its own sentence. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export async function send<T>(path: string, init: RequestInit): Promise<T> {
  const reply = await ask(path, { ...init, headers: { accept: "application/json", ...init.headers } });
  const body = (await reply.json().catch((e: unknown) => {
    if (init.signal?.aborted === true) throw e; // given up while the answer came in: not an answer without a body
    return null;
  })) as unknown;
  if (!reply.ok) {
    const error = (body as { error?: { code: string; message: string } } | null)?.error;
    throw new ApiError(reply.status, error?.code ?? "", error?.message ?? `${reply.status} ${reply.statusText}`);
  }
  return body as T;
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => send<T>(path, signal ? { signal } : {});
export const post = <T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> =>
  send<T>(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), ...(signal ? { signal } : {}) });

const q = encodeURIComponent;
const VERSION = "api-version=2023-10-31"; // of the Azure Digital Twins routes

export const api = {
  plant: (signal?: AbortSignal) => get<Plant>("/v1/plant", signal),
  children: (parent: string | null, offset = 0) =>
    get<TreePage>(`/v1/tree?limit=500${parent === null ? "" : `&parent=${q(parent)}`}${offset > 0 ? `&offset=${offset}` : ""}`),
  more: (nextLink: string) => get<TreePage>(nextLink),
  search: (text: string, signal?: AbortSignal) => get<TreePage>(`/v1/tree?limit=50&search=${q(text)}`, signal),
  twin: (id: string, signal?: AbortSignal) => get<Twin>(`/v1/twins/${q(id)}`, signal),
  history: (twin: string, property: string, from: Date, to: Date, points: number, signal?: AbortSignal) =>
    get<History>(
      `/v1/history?twin=${q(twin)}&property=${q(property)}&from=${q(from.toISOString())}&to=${q(to.toISOString())}&points=${points}`,
      signal,
    ),
  deadLetters: (limit = 1, signal?: AbortSignal) => get<{ total?: number; kept?: number; items: DeadLetter[] }>(`/v1/dead-letters?limit=${limit}`, signal),
  documentAt: (id: string, at: Date | null, signal?: AbortSignal) =>
    get<Document>(`/digitaltwins/${q(id)}?${VERSION}${at === null ? "" : `&asOf=${q(at.toISOString())}`}`, signal),
  relationshipsAt: async (id: string, which: "relationships" | "incomingrelationships", at: Date, signal?: AbortSignal) =>
    (await get<{ value: Document[] }>(`/digitaltwins/${q(id)}/${which}?${VERSION}&asOf=${q(at.toISOString())}`, signal)).value,
  models: async (signal?: AbortSignal): Promise<Model[]> => {
    const all: Model[] = [];
    for (let next: string | undefined = `/models?${VERSION}&includeModelDefinition=true`; next !== undefined; ) {
      const page: { value: Model[]; nextLink?: string } = await get(next, signal);
      all.push(...page.value);
      next = page.nextLink;
    }
    return all;
  },
  model: (id: string, signal?: AbortSignal) => get<Model>(`/models/${q(id)}?${VERSION}&includeModelDefinition=true`, signal),
  query: (text: string, continuationToken?: string, signal?: AbortSignal) =>
    send<{ value: Document[]; continuationToken?: string }>(`/query?${VERSION}`, {
      method: "POST", headers: { "content-type": "application/json", "max-items-per-page": "10000" },
      body: JSON.stringify(continuationToken === undefined ? { query: text } : { query: text, continuationToken }), ...(signal ? { signal } : {}),
    }),
  whoami: () => get<Principal>("/v1/whoami"),
  scene: (signal?: AbortSignal) => get<{ files: SceneFile[] }>("/v1/scene", signal),
  sceneFile: async (name: string, signal?: AbortSignal): Promise<ArrayBuffer> => {
    const reply = await ask(`/v1/scene/${q(name)}`, signal ? { signal } : {});
    if (!reply.ok) throw new ApiError(reply.status, "", `${name}: ${reply.status} ${reply.statusText}`);
    return reply.arrayBuffer();
  },
  estimates: (twin: string | null, signal?: AbortSignal) => get<{ items: Estimate[] }>(`/v1/estimates${twin === null ? "" : `?twin=${q(twin)}`}`, signal),
  forecast: (twin: string, property: string, horizon: number, stepS: number, signal?: AbortSignal) =>
    get<{ method: string; points: [string, number, number, number][] }>(
      `/v1/forecasts?twin=${q(twin)}&property=${q(property)}&horizon=${horizon}&step=${Math.max(1, Math.round(stepS * 1000))}ms`, signal),
  rul: (signal?: AbortSignal) => get<{ items: Risk[]; trouble?: string; models?: { model: string; version: number; retraining: boolean; verdict?: string }[] }>("/v1/rul?limit=1000", signal),
  anomalies: (signal?: AbortSignal) => get<{ items: Anomaly[] }>("/v1/anomalies?limit=1000", signal),
  alarms: (all: boolean, signal?: AbortSignal) => get<{ items: Alarm[]; leftOut: number }>(`/v1/alarms?limit=1000${all ? "&all=true" : ""}`, signal),
  alarmsUnder: (twin: string, most: number, signal?: AbortSignal) => get<{ items: Alarm[]; leftOut: number }>(`/v1/alarms?limit=${most}&under=${q(twin)}`, signal),
  alarmAct: (id: string, action: string, body: { reason?: string; for?: string }) => post<Alarm>(`/v1/alarms/${q(id)}/${action}`, body),
  rollup: (twin: string, below: boolean, signal?: AbortSignal) => get<Rollup>(`/v1/alarms/rollup?twin=${q(twin)}${below ? "" : "&below=false"}`, signal),
  marks: (twin: string | null, from: Date, to: Date, buckets: number, signal?: AbortSignal) =>
    get<MarkBuckets>(`/v1/marks?from=${q(from.toISOString())}&to=${q(to.toISOString())}&buckets=${buckets}&examples=1${twin === null ? "" : `&twin=${q(twin)}`}`, signal),
  happenings: (from: Date, to: Date, signal?: AbortSignal) => get<Happenings>(`/v1/marks?limit=50&from=${q(from.toISOString())}&to=${q(to.toISOString())}`, signal),
  moreHappenings: (nextLink: string) => get<Happenings>(nextLink),
  alarmMetrics: (signal?: AbortSignal) => get<AlarmMetrics>("/v1/alarms/metrics", signal),
  futures: (request: Json, signal?: AbortSignal) => post<Futures>("/v1/futures", request, signal),
  futuresResult: (id: string, signal?: AbortSignal) => get<Futures>(`/v1/futures/${q(id)}`, signal),
  futuresList: (signal?: AbortSignal) => get<{ value: Futures[] }>("/v1/futures", signal),
  futuresEnd: (id: string) => send<null>(`/v1/futures/${q(id)}`, { method: "DELETE" }),
  verification: (id: string, signal?: AbortSignal) => get<Verification>(`/v1/futures/${q(id)}/verification`, signal),
};
