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

export interface Twin {
  id: string;
  model: string;
  modelName: string;
  etag: string;
  values: Value[];
  relationships: { out: Relationship[]; in: Relationship[] };
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

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const reply = await ask(path, { headers: { accept: "application/json" }, ...(signal ? { signal } : {}) });
  if (!reply.ok) {
    const body = (await reply.json().catch(() => null)) as { error?: { code: string; message: string } } | null;
    throw new ApiError(reply.status, body?.error?.code ?? "", body?.error?.message ?? `${reply.status} ${reply.statusText}`);
  }
  return (await reply.json()) as T;
}

const q = encodeURIComponent;

export const api = {
  plant: (signal?: AbortSignal) => get<Plant>("/v1/plant", signal),
  children: (parent: string | null, signal?: AbortSignal) =>
    get<TreePage>(`/v1/tree?limit=500${parent === null ? "" : `&parent=${q(parent)}`}`, signal),
  more: (nextLink: string) => get<TreePage>(nextLink),
  search: (text: string, signal?: AbortSignal) => get<TreePage>(`/v1/tree?limit=50&search=${q(text)}`, signal),
  twin: (id: string, signal?: AbortSignal) => get<Twin>(`/v1/twins/${q(id)}`, signal),
  history: (twin: string, property: string, from: Date, to: Date, points: number, signal?: AbortSignal) =>
    get<History>(
      `/v1/history?twin=${q(twin)}&property=${q(property)}&from=${q(from.toISOString())}&to=${q(to.toISOString())}&points=${points}`,
      signal,
    ),
  deadLetters: (signal?: AbortSignal) => get<{ total?: number; items: DeadLetter[] }>("/v1/dead-letters", signal),
};
