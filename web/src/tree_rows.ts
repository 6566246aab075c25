// The rows of the tree: which levels are loaded, which are open, and the flat list of what is to be seen.
import { computed, signal } from "@preact/signals";
import { api, type TreeItem, type TreePage } from "./api";
import { text } from "./text";

export interface Level {
  items: TreeItem[];
  nextLink?: string;
  error?: string;
}
interface Place { depth: number; index: number }
export type Row =
  | (Place & { kind: "twin"; item: TreeItem; path: string; open: boolean })
  | (Place & { kind: "say"; text: string; path: string; more?: string });

const SEPARATOR = "\n"; // no control characters in ids
export const levels = signal<ReadonlyMap<string, Level>>(new Map()); // by parent; "": the roots
export const openPaths = signal<ReadonlySet<string>>(new Set());
const closedRoots = new Set<string>(); // roots are open until someone closes them

export const key = (row: Row): string => (row.kind === "twin" ? row.path : `${row.path}${SEPARATOR}?`);
const idOf = (path: string): string => path.slice(path.lastIndexOf(SEPARATOR) + 1).replace(/^[^/]*\//, "");

function put(parent: string, level: Level): void {
  levels.value = new Map(levels.value).set(parent, level);
}

const ROOTS_OPENED = 20; // a plant of many roots is first seen as the list of them

const PAGES_MAX = 40; // that are read again when the plant has changed

/** What was there stays until as much of it has been read again: the place that one looks at does not move. */
export async function loadLevel(parent: string): Promise<void> {
  const before = levels.peek().get(parent);
  try {
    let page = await api.children(parent === "" ? null : parent);
    for (let n = 1; n < PAGES_MAX && page.nextLink !== undefined && page.items.length < (before?.items.length ?? 0); n++) {
      const next: TreePage = await api.more(page.nextLink);
      page = { ...next, items: [...page.items, ...next.items] };
    }
    put(parent, page);
    if (parent !== "" || page.items.length > ROOTS_OPENED) return;
    for (const root of page.items) {
      const path = pathOf("", root);
      if (root.children > 0 && !openPaths.peek().has(path) && !closedRoots.has(path)) toggle(path);
    }
  } catch (e) {
    if (before === undefined || before.error !== undefined) put(parent, { items: [], error: (e as Error).message });
  }
}

const loading = new Set<string>();
export async function loadMore(parent: string): Promise<void> {
  const level = levels.peek().get(parent);
  if (level?.nextLink === undefined || loading.has(parent)) return;
  loading.add(parent);
  try {
    const next = await api.more(level.nextLink);
    put(parent, { ...next, items: [...level.items, ...next.items] });
  } catch {
    // Scrolling there again asks again.
  } finally {
    loading.delete(parent);
  }
}

const pathOf = (above: string, item: TreeItem): string => `${above}${SEPARATOR}${encodeURIComponent(item.relationship ?? "")}/${item.id}`;

export function toggle(path: string): void {
  const next = new Set(openPaths.value);
  if (next.delete(path)) closedRoots.add(path);
  else {
    next.add(path);
    if (!levels.peek().has(idOf(path))) void loadLevel(idOf(path));
  }
  openPaths.value = next;
}

export function flatten(all: ReadonlyMap<string, Level>, open: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  const say = (depth: number, path: string, what: string, more?: string) =>
    rows.push({ kind: "say", depth, path, text: what, index: rows.length, ...(more === undefined ? {} : { more }) });
  const walk = (parent: string, above: string, depth: number) => {
    const level = all.get(parent);
    if (level === undefined) { say(depth, above, text.loading); return; }
    if (level.error !== undefined) { say(depth, above, level.error); return; }
    for (const item of level.items) {
      const path = pathOf(above, item), isOpen = item.children > 0 && open.has(path);
      rows.push({ kind: "twin", item, path, depth, open: isOpen, index: rows.length });
      if (isOpen) walk(item.id, path, depth + 1);
    }
    if (level.nextLink !== undefined) say(depth, above, text.loading, parent);
  };
  walk("", "", 0);
  return rows;
}

/** Made anew when something is loaded, opened or closed; scrolling through a hundred thousand rows does not. */
export const rows = computed(() => flatten(levels.value, openPaths.value));

export interface InSight { roots: readonly string[]; parents: readonly string[] } // ids
export const inSight = signal<InSight>({ roots: [], parents: [] });

/** The roots among rows that are seen, and the twins whose children are. */
export function seen(visible: readonly Row[]): InSight {
  const roots: string[] = [], parents = new Set<string>();
  for (const r of visible) {
    if (r.kind !== "twin") continue;
    const above = r.path.slice(0, r.path.lastIndexOf(SEPARATOR));
    if (above === "") roots.push(r.item.id);
    else parents.add(idOf(above));
  }
  return { roots, parents: [...parents] };
}
