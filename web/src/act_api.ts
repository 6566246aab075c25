// Acting on the world, as the server sees it: commands, desired values, arming, plans, work orders, rules, users. docs/control.md
// describes the same.
import { get, post, send, type Json } from "./api";

export interface Command {
  id: string;
  twin: string;
  command?: string; // or
  property?: string; // of a desired value
  value?: Json;
  state: string;
  who?: string;
  reason?: string;
  requested: string;
  changed: string;
}

export interface Interlock {
  name: string;
  permits: boolean;
  why?: string;
  because?: string;
  condition?: string;
  file?: string;
  line?: number;
}

/** What would be said to a command now. */
export interface Trial {
  valid: boolean;
  permitted: boolean;
  reason?: string;
  range?: [number, number];
  rate?: { count: number; seconds: number };
  approveWithin?: number;
  deadline?: number;
  requires?: string;
  expect?: string;
  expectWithin?: number;
  rollback?: string;
  interlocks: Interlock[];
}

/** What is asked for: a command, or a value of a writable property. */
export interface Act {
  twin: string;
  name: string;
  set: boolean;
  value?: Json;
}

export interface Armed {
  twin: string;
  who: string;
  reason: string;
  since: string;
  until: string;
  heartbeat?: number;
}

export interface Control {
  stopped: boolean;
  stoppedBy?: string;
  reason?: string;
  armed: Armed[];
}

export interface PlanInput {
  unit?: string;
  before?: number;
  now?: number;
  worth?: number;
  plan?: number[];
}

export interface Plan {
  name: string;
  root: string;
  running: boolean;
  armed: boolean;
  trouble?: string;
  at?: string;
  next?: string;
  cost?: number;
  held?: number;
  gain?: number;
  gainDeviation?: number;
  broken?: number;
  from?: string;
  seconds?: number; // that it took
  every?: number; // seconds that each value holds
  inputs?: { [name: string]: PlanInput };
  scenarios?: number; // of settings: that have judged them
  ranking?: PlanSetting[]; // of settings: the best, and those that came next
}

export interface PlanSetting {
  inputs: { [name: string]: number };
  cost: number;
  gain: number;
  gainDeviation?: number;
  better: number; // shares of the scenarios
  broken: number;
}

export interface WorkOrder {
  id: string;
  twin: string;
  state: string;
  text: string;
  who?: string;
  opened: string;
  changed: string;
  evidence?: { [key: string]: Json };
  feedback?: { [key: string]: Json };
}

export interface Rule {
  name: string;
  kind: "rule" | "watchdog" | "command" | "desired" | "interlock";
  file: string;
  line: number;
  text: string;
  twins?: number;
  on?: number;
  suppressed?: number;
  firings?: number;
}

export interface RuleTest {
  instances: number;
  samples: number;
  evaluations: number;
  from: string;
  to: string;
  firings: { rule: string; twin: string; turn: string; at: string }[];
  leftOut: number;
}

export interface User {
  name: string;
  role: string;
  scope: { twins: string[]; query?: string } | null;
  revoked: boolean;
  since: string;
}

export interface Mapping {
  name: string;
  file: string;
  topic?: string;
  format: string;
  messages: number;
  applied: number;
  rejected: number;
  lastError?: string;
}

export interface MappingTest {
  mapping?: string;
  refused?: string;
  updates: { twin: string; exists: boolean; time?: string; values: { path: string; value: Json; fits?: Json; unit?: string; trouble?: string }[]; creates?: boolean; trouble?: string }[];
}

const q = encodeURIComponent;
const body = (a: Act) => ({ twin: a.twin, [a.set ? "property" : "command"]: a.name, ...(a.value === undefined ? {} : { value: a.value }) });
const route = (a: Act) => (a.set ? "/v1/desired" : "/v1/commands");

export const acts = {
  try: (a: Act, signal?: AbortSignal) => post<Trial>(`${route(a)}?dryRun=true`, body(a), signal),
  ask: (a: Act) => post<Command>(route(a), body(a)),
  approve: (id: string) => post<Command>(`/v1/commands/${q(id)}/approve`, {}),
  command: (id: string, signal?: AbortSignal) => get<Command>(`/v1/commands/${q(id)}`, signal),
  commands: async (twin: string | null, signal?: AbortSignal) => (await get<{ items: Command[] }>(`/v1/commands?limit=20${twin === null ? "" : `&twin=${q(twin)}`}`, signal)).items,
  desired: async (twin: string, signal?: AbortSignal) => (await get<{ items: Command[] }>(`/v1/desired?limit=100&twin=${q(twin)}`, signal)).items,
  control: (signal?: AbortSignal) => get<Control>("/v1/control", signal),
  controlAct: (action: "arm" | "disarm" | "stop" | "resume", what: { twin?: string; reason: string; for?: string; heartbeat?: string }) => post<Control>(`/v1/control/${action}`, what),
  heartbeat: (twin: string) => post<null>("/v1/control/heartbeat", { twin }),
  plans: async (signal?: AbortSignal) => (await get<{ items: Plan[] }>("/v1/plans", signal)).items,
  planMake: (name: string) => post<Plan>(`/v1/plans/${q(name)}/make`, {}),
  orders: async (twin: string | null, signal?: AbortSignal) => (await get<{ items: WorkOrder[] }>(`/v1/workorders?limit=200${twin === null ? "" : `&twin=${q(twin)}`}`, signal)).items,
  orderOpen: (twin: string, text: string) => post<WorkOrder>("/v1/workorders", { twin, text }),
  orderStep: (id: string, state: string, feedback?: { [key: string]: Json }) =>
    send<WorkOrder>(`/v1/workorders/${q(id)}`, { method: "PATCH", headers: { "content-type": "application/json" }, body: JSON.stringify({ state, ...(feedback === undefined ? {} : { feedback }) }) }),
  rules: async (signal?: AbortSignal) => (await get<{ items: Rule[] }>("/v1/rules", signal)).items,
  ruleTest: (what: { rule?: string; text?: string; from: string; to: string }, signal?: AbortSignal) => post<RuleTest>("/v1/rules/test", { ...what, limit: 1000 }, signal),
  users: async (signal?: AbortSignal) => (await get<{ items: User[] }>("/v1/users", signal)).items,
  userAdd: (user: { name: string; role: string; scope?: string[] }) => post<{ name: string; token: string }>("/v1/users", user),
  userRevoke: (name: string) => send<null>(`/v1/users/${q(name)}`, { method: "DELETE" }),
  mappings: async (signal?: AbortSignal) => (await get<{ items: Mapping[] }>("/v1/mappings", signal)).items,
  mappingTest: (what: { topic: string; payload: string; text?: string }, signal?: AbortSignal) => post<MappingTest>("/v1/mappings/test", what, signal),
};
