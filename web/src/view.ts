// What the page shows, and its place in the address bar, so that a view can be shared and the back button works.
import { effect, signal } from "@preact/signals";

export const RANGES = [
  { key: "5m", ms: 5 * 60e3 },
  { key: "30m", ms: 30 * 60e3 },
  { key: "3h", ms: 3 * 3600e3 },
  { key: "24h", ms: 24 * 3600e3 },
  { key: "7d", ms: 7 * 24 * 3600e3 },
  { key: "all", ms: Infinity },
] as const;
export type Range = (typeof RANGES)[number]["key"];
export type Theme = "auto" | "light" | "dark";

export const selected = signal<string | null>(null); // twin id
export const plotted = signal<readonly string[]>([]); // property paths of the selected twin
export const range = signal<Range>("5m");
export const theme = signal<Theme>((localStorage.getItem("theme") as Theme | null) ?? "auto");

function read(): void {
  const p = new URLSearchParams(location.hash.slice(1));
  selected.value = p.get("twin");
  plotted.value = p.getAll("plot");
  const r = p.get("range");
  range.value = RANGES.find((x) => x.key === r)?.key ?? "5m";
}

function write(): string {
  const p = new URLSearchParams();
  if (selected.value !== null) p.set("twin", selected.value);
  for (const path of plotted.value) p.append("plot", path);
  if (range.value !== "5m") p.set("range", range.value);
  const text = p.toString();
  return text === "" ? " " : `#${text}`;
}

/** Shows a twin; its own history entry, unlike the finer changes of the view. */
export function select(twin: string | null): void {
  if (twin === selected.value) return;
  history.pushState(null, "", location.href);
  plotted.value = [];
  selected.value = twin;
}

export function togglePlot(path: string): void {
  plotted.value = plotted.value.includes(path) ? plotted.value.filter((p) => p !== path) : [...plotted.value, path];
}

export function startView(): void {
  read();
  window.addEventListener("popstate", read);
  window.addEventListener("hashchange", read);
  effect(() => {
    const hash = write();
    if (hash !== location.hash) history.replaceState(null, "", hash === " " ? location.pathname : hash);
  });
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
    localStorage.setItem("theme", theme.value);
  });
}
