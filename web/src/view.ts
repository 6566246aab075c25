// What the page shows, and its place in the address bar, so that a view can be shared and the back button works.
import { batch, effect, signal } from "@preact/signals";

const DAY = 24 * 3600e3;
export const RANGES = [
  { key: "5m", ms: 5 * 60e3 },
  { key: "30m", ms: 30 * 60e3 },
  { key: "3h", ms: 3 * 3600e3 },
  { key: "24h", ms: DAY },
  { key: "7d", ms: 7 * DAY },
  { key: "1y", ms: 365 * DAY },
  { key: "all", ms: Infinity },
] as const;
export type Range = (typeof RANGES)[number]["key"];
export type Theme = "auto" | "light" | "dark";
export const VIEWS = ["twin", "life", "system", "scene", "graph", "futures", "query", "fleet", "maintenance", "alarms", "orders", "plans", "letters", "setup"] as const;
export type View = (typeof VIEWS)[number];
export interface Window {
  from: number; // ms since 1970
  to: number;
}

export const selected = signal<string | null>(null); // twin id
export const view = signal<View>("twin");
export const plotted = signal<readonly string[]>([]); // property paths of the selected twin
export const range = signal<Range>("5m");
export const zoom = signal<Window | null>(null); // a part of time chosen in a plot; null: the range, up to the moment
export const moment = signal<number | null>(null); // ms since 1970: the one time of the page; null: live
export const question = signal<string>(""); // the text of the query view
export const SHAPES = ["table", "graph", "plot"] as const;
export const shape = signal<(typeof SHAPES)[number]>("table"); // of a query's answer
export const following = signal(false); // the answer of a query is asked for again and again
export const fans = signal(false); // forecasts stand to the right of now in plots
export const coloured = signal<string>(""); // what the scene's colours mean: "" alarms, else "value:PATH", "estimate:NAME", "residual:NAME"
export const OTHERS = ["shown", "ghosted", "hidden"] as const;
export const PARTS = ["models", "mappings", "rules", "users"] as const;
export type Part = (typeof PARTS)[number];
export const part = signal<Part>("models"); // of the set-up
export const others = signal<(typeof OTHERS)[number]>("shown"); // what the scene does with all but the selected twin
export const GROUPS = ["priority", "twin", "name", "state"] as const;
export type Group = (typeof GROUPS)[number];
export const grouping = signal<Group>("priority"); // of the alarms
export const flood = signal(false); // the alarms in the order in which they began, each kind once
export const allAlarms = signal(false); // also those that nobody needs to look at
export const pinned = signal<readonly string[]>([]); // ids of futures on the page
export const CHAPTERS = ["thread", "diff", "bom"] as const;
export type Chapter = (typeof CHAPTERS)[number];
export const chapter = signal<Chapter>("thread"); // of a twin's life
export const knownAt = signal<string>(""); // facts as known now (""), at the page's moment ("then"), or at a time (ISO 8601)
export const fault = signal<string>(""); // the twin whose failure is thought through; "": none
export const entry = signal<string>(""); // of rules/*.maintenance; "": the first
export const MAINTENANCE_ORDERS = ["window", "left", "risk", "twin"] as const;
export type MaintenanceOrder = (typeof MAINTENANCE_ORDERS)[number];
export const jobsBy = signal<MaintenanceOrder>("window"); // the order of planned work
export const jobsFound = signal<string>(""); // a part of the names of assets and work that are shown
export const theme = signal<Theme>((localStorage.getItem("theme") as Theme | null) ?? "auto");

const time = (text: string | null): number | null => {
  const t = text === null ? NaN : Date.parse(text);
  return Number.isNaN(t) ? null : t;
};

function read(): void {
  const p = new URLSearchParams(location.hash.slice(1));
  const from = time(p.get("from")), to = time(p.get("to"));
  selected.value = p.get("twin");
  view.value = VIEWS.find((v) => v === p.get("view")) ?? "twin";
  plotted.value = p.getAll("plot");
  range.value = RANGES.find((r) => r.key === p.get("range"))?.key ?? "5m";
  zoom.value = from !== null && to !== null && from < to ? { from, to } : null;
  moment.value = time(p.get("at"));
  question.value = p.get("query") ?? "";
  shape.value = SHAPES.find((s) => s === p.get("as")) ?? "table";
  following.value = p.get("follow") === "yes";
  fans.value = p.get("forecast") === "yes";
  coloured.value = p.get("color") ?? "";
  others.value = OTHERS.find((o) => o === p.get("others")) ?? "shown";
  part.value = PARTS.find((x) => x === p.get("part")) ?? "models";
  grouping.value = GROUPS.find((g) => g === p.get("group")) ?? "priority";
  flood.value = p.get("flood") === "yes";
  allAlarms.value = p.get("all") === "yes";
  pinned.value = p.getAll("future");
  chapter.value = CHAPTERS.find((c) => c === p.get("chapter")) ?? "thread";
  fault.value = p.get("fault") ?? "";
  entry.value = p.get("entry") ?? "";
  jobsBy.value = MAINTENANCE_ORDERS.find((o) => o === p.get("by")) ?? "window";
  jobsFound.value = p.get("find") ?? "";
  const known = p.get("known") ?? "";
  knownAt.value = known === "then" || time(known) !== null ? known : "";
}

function write(): string {
  const p = new URLSearchParams();
  if (selected.value !== null) p.set("twin", selected.value);
  if (view.value !== "twin") p.set("view", view.value);
  for (const path of plotted.value) p.append("plot", path);
  if (range.value !== "5m") p.set("range", range.value);
  if (zoom.value !== null) {
    p.set("from", new Date(zoom.value.from).toISOString());
    p.set("to", new Date(zoom.value.to).toISOString());
  }
  if (moment.value !== null) p.set("at", new Date(moment.value).toISOString());
  if (question.value !== "") p.set("query", question.value);
  if (shape.value !== "table") p.set("as", shape.value);
  if (following.value) p.set("follow", "yes");
  if (fans.value) p.set("forecast", "yes");
  if (coloured.value !== "") p.set("color", coloured.value);
  if (others.value !== "shown") p.set("others", others.value);
  if (part.value !== "models") p.set("part", part.value);
  if (grouping.value !== "priority") p.set("group", grouping.value);
  if (flood.value) p.set("flood", "yes");
  if (allAlarms.value) p.set("all", "yes");
  if (chapter.value !== "thread") p.set("chapter", chapter.value);
  if (fault.value !== "") p.set("fault", fault.value);
  if (entry.value !== "") p.set("entry", entry.value);
  if (jobsBy.value !== "window") p.set("by", jobsBy.value);
  if (jobsFound.value !== "") p.set("find", jobsFound.value);
  if (knownAt.value !== "") p.set("known", knownAt.value);
  for (const id of pinned.value) p.append("future", id);
  const text = p.toString();
  return text === "" ? " " : `#${text}`;
}

/** Shows a twin; its own history entry, unlike the finer changes of the view. */
export function select(twin: string | null): void {
  if (twin === selected.value) return;
  history.pushState(null, "", location.href);
  batch(() => {
    plotted.value = [];
    selected.value = twin;
  });
}

/** Another view of the page, and perhaps of another twin. */
export function show(next: View, twin?: string): void {
  if (next !== view.value && (twin === undefined || twin === selected.value)) history.pushState(null, "", location.href);
  if (twin !== undefined) select(twin);
  view.value = next;
}

export function togglePlot(path: string): void {
  plotted.value = plotted.value.includes(path) ? plotted.value.filter((p) => p !== path) : [...plotted.value, path];
}

export function spanOf(key: Range): number {
  return RANGES.find((r) => r.key === key)!.ms;
}

const WRITE_MS = 200; // browsers refuse an address that changes hundreds of times in seconds

/** Writes the address at once, or as soon as the last writing is long enough ago. */
function writeSoon(): () => void {
  let timer = 0, last = 0;
  const put = () => {
    const hash = write();
    last = performance.now();
    if (hash !== location.hash) history.replaceState(null, "", hash === " " ? location.pathname : hash);
  };
  return () => {
    window.clearTimeout(timer);
    const wait = last + WRITE_MS - performance.now();
    if (wait <= 0) put();
    else timer = window.setTimeout(put, wait);
  };
}

export function startView(): void {
  read();
  window.addEventListener("popstate", () => batch(read));
  window.addEventListener("hashchange", () => batch(read));
  const soon = writeSoon();
  effect(() => {
    write(); // what it reads is what the address depends on
    soon();
  });
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
    localStorage.setItem("theme", theme.value);
  });
}
