// Planned maintenance as the server tells it. docs/maintenance.md describes the same.
import { get, post } from "./api";

export interface Prediction { from: "life" | "properties" | "model" | "wear"; model?: string; at?: string; hours5: number; hours50: number; hours95: number }

export interface Job {
  twin: string;
  work: string;
  window?: number; // absent: left to the next plan
  from?: string;
  to?: string;
  alone?: number; // the window in which it would cost least if no limit stood in its way
  cost: number;
  failsBefore: number;
  wastes: number; // hours of life
  prediction: Prediction;
  failure?: { cost: number; impact?: number; stops?: number }; // impact: of the cost, because others stop
}

export interface Crew { name: string; size: number[]; busy: number[]; alone: number[] } // of each window
export interface Redundancy { name: string; out: number; twins: string[]; planned: number[]; alone: number[] }

/** Mean, and half of the interval that holds the truth 19 times in 20. */
export type Mean = [number, number];
export interface Policy { policy: "plan" | "fixedInterval" | "runToFailure"; cost: Mean; failures: Mean; jobs: Mean; availability: Mean; more?: Mean }

export interface Entry { // of rules/*.maintenance
  name: string;
  running: boolean;
  share?: number; // of the time limit that is over
  at?: string; // when the last proposal was asked for
  seconds?: number; // that it took
  failed?: string; // why the last could not be made
  searchSeconds: number; // how it is made unless it is said otherwise
  gap: number;
  lanes: number;
}

export interface Proposal extends Entry {
  status?: "optimal" | "outOfTime" | "infeasible" | "nothing"; // absent: none was made yet
  trouble?: string;
  now?: string;
  first?: string; // when the first window begins
  windows?: number;
  windowHours?: number;
  cost?: number;
  bound?: number;
  items?: Job[];
  crews?: Crew[];
  redundancy?: Redundancy[];
  compare?: { lanes: number; hours: number; policies: Policy[] };
  orders?: { twin: string; id: string; state: string }[];
}

/** What a proposal may be asked for with; what is absent is as the file has it. */
export interface How { timeLimit?: string; gap?: number; lanes?: number; now?: string }
export interface Ordered { opened: { twin: string; id: string; from: string }[]; there: number }

const at = (name: string): string => `/v1/maintenance/${encodeURIComponent(name)}`;

export const maintenance = {
  list: async (signal?: AbortSignal) => (await get<{ items: Entry[] }>("/v1/maintenance", signal)).items,
  proposal: (name: string, signal?: AbortSignal) => get<Proposal>(at(name), signal),
  make: (name: string, how: How) => post<Entry>(`${at(name)}/make`, how),
  order: (name: string, twins: readonly string[] | null) => post<Ordered>(`${at(name)}/orders`, twins === null ? {} : { twins }),
};
