// The rows of the tree: which parts of which levels are loaded, which are open, and what stands in which row.
import { computed, signal } from "@preact/signals";
import { api, type TreeItem, type TreePage } from "./api";
import { text } from "./text";

/** The children of a twin, or the roots: as many places as there are, filled page by page as they come into sight. */
export interface Level {
  total: number;
  items: readonly (TreeItem | undefined)[]; // sparse
  where: ReadonlyMap<string, number>; // places by the last part of the path
  fresh: ReadonlySet<number>; // pages that are as they are now
  nextLink?: string; // what comes behind the last place, where their number is not known
  error?: string;
}
interface Place { depth: number; index: number }
export type Row =
  | (Place & { kind: "twin"; item: TreeItem; path: string; open: boolean })
  | (Place & { kind: "say"; text: string; path: string; parent: string; page?: number; more?: boolean }); // what is missing there

const SEPARATOR = "\n"; // no control characters in ids
const PAGE = 500;
export const levels = signal<ReadonlyMap<string, Level>>(new Map()); // by parent; "": the roots
export const openPaths = signal<ReadonlySet<string>>(new Set());
const closedRoots = new Set<string>(); // roots are open until someone closes them

export const key = (row: Row): string => (row.kind === "twin" ? row.path : `${row.path}${SEPARATOR}?${row.index}`);
const idOf = (path: string): string => path.slice(path.lastIndexOf(SEPARATOR) + 1).replace(/^[^/]*\//, "");
const partOf = (item: TreeItem): string => `${encodeURIComponent(item.relationship ?? "")}/${item.id}`;
const pathOf = (above: string, item: TreeItem): string => `${above}${SEPARATOR}${partOf(item)}`;

function put(parent: string, level: Level): void {
  levels.value = new Map(levels.value).set(parent, level);
}

const ROOTS_OPENED = 20; // a plant of many roots is first seen as the list of them

/** The level with a page of it in its place. */
function placed(level: Level | undefined, page: TreePage, at: number): Level {
  const end = at + page.items.length, total = page.total === undefined ? end : Math.max(page.total, end);
  const items = level?.items.slice(0, total) ?? [], where = new Map(level?.where), fresh = new Set(level?.fresh);
  items.length = total;
  page.items.forEach((item, i) => { items[at + i] = item; where.set(partOf(item), at + i); });
  fresh.add(at / PAGE);
  return { total, items, where, fresh, ...(end === total && page.nextLink !== undefined ? { nextLink: page.nextLink } : {}) };
}

const loading = new Set<string>();

async function load(parent: string, what: string, ask: () => Promise<TreePage>, put_: (page: TreePage) => Level): Promise<TreePage | null> {
  if (loading.has(what)) return null;
  loading.add(what);
  try {
    const page = await ask();
    put(parent, put_(page));
    return page;
  } catch (e) {
    const before = levels.peek().get(parent);
    if (before === undefined || before.error !== undefined) put(parent, { total: 0, items: [], where: new Map(), fresh: new Set(), error: (e as Error).message });
    return null; // scrolling there again asks again
  } finally {
    loading.delete(what);
  }
}

const ROOT_PAGES_MAX = 40; // that are read again when the plant has changed

/** How many roots there are is not known: as many are read again as were there, so that the place that one looks at does not move. */
async function readRoots(count: number): Promise<TreePage> {
  let page = await api.children(null);
  for (let n = 1; n < ROOT_PAGES_MAX && page.nextLink !== undefined && page.items.length < count; n++) {
    const next: TreePage = await api.more(page.nextLink);
    page = { ...next, items: [...page.items, ...next.items] };
  }
  return page;
}

/** The beginning of a level. What was there behind it stays on the page until it comes into sight and is read again. */
export async function loadLevel(parent: string): Promise<void> {
  const before = levels.peek().get(parent);
  const page = await load(parent, `${parent}${SEPARATOR}0`, () => (parent === "" ? readRoots(before?.total ?? 0) : api.children(parent)), (p) => {
    const now = levels.peek().get(parent);
    return placed(parent === "" || now === undefined || now.error !== undefined ? undefined : { ...now, fresh: new Set<number>() }, p, 0);
  });
  if (page === null || parent !== "" || page.items.length > ROOTS_OPENED) return;
  for (const root of page.items) {
    const path = pathOf("", root);
    if (root.children > 0 && !openPaths.peek().has(path) && !closedRoots.has(path)) toggle(path);
  }
}

/** A page of children, wherever it lies. */
export async function loadPage(parent: string, page: number): Promise<void> {
  if (levels.peek().get(parent)?.fresh.has(page) === true) return;
  await load(parent, `${parent}${SEPARATOR}${page}`, () => api.children(parent, page * PAGE), (p) => placed(levels.peek().get(parent), p, page * PAGE));
}

/** What comes behind the last place. */
export async function loadMore(parent: string): Promise<void> {
  const level = levels.peek().get(parent), next = level?.nextLink;
  if (level === undefined || next === undefined) return;
  await load(parent, `${parent}${SEPARATOR}more`, () => api.more(next), (p) => {
    const { nextLink: _, ...rest } = levels.peek().get(parent) ?? level;
    return { ...rest, ...placed({ ...rest, fresh: rest.fresh }, { ...p, total: rest.total + p.items.length }, rest.total), ...(p.nextLink === undefined ? {} : { nextLink: p.nextLink }) };
  });
}

export function toggle(path: string): void {
  const next = new Set(openPaths.value);
  if (next.delete(path)) closedRoots.add(path);
  else {
    next.add(path);
    if (!levels.peek().has(idOf(path))) void loadLevel(idOf(path));
  }
  openPaths.value = next;
}

// ---- rows ------------------------------------------------------------------------------------------------------------

/** A stretch of a level without anything open in it, or a single line of text. */
interface Stretch { first: number; count: number; depth: number; above: string; parent: string; begin: number; text?: string; more?: boolean }

/** All rows, made when they are looked at: a hundred thousand children are one stretch. */
export class Rows {
  private readonly stretches: Stretch[] = [];
  length = 0;

  constructor(private readonly all: ReadonlyMap<string, Level>, private readonly open: ReadonlySet<string>) {
    const byAbove = new Map<string, string[]>();
    for (const path of open) {
      const above = path.slice(0, path.lastIndexOf(SEPARATOR));
      byAbove.set(above, [...(byAbove.get(above) ?? []), path]);
    }
    const add = (s: Omit<Stretch, "first">) => {
      if (s.count === 0) return;
      this.stretches.push({ ...s, first: this.length });
      this.length += s.count;
    };
    const say = (depth: number, above: string, parent: string, what: string, more = false) => add({ count: 1, depth, above, parent, begin: 0, text: what, more });
    const walk = (parent: string, above: string, depth: number) => {
      const level = all.get(parent);
      if (level === undefined) { say(depth, above, parent, text.loading); return; }
      if (level.error !== undefined) { say(depth, above, parent, level.error); return; }
      const opened = (byAbove.get(above) ?? []).flatMap((path) => {
        const at = level.where.get(path.slice(path.lastIndexOf(SEPARATOR) + 1)), item = at === undefined ? undefined : level.items[at];
        return at !== undefined && item !== undefined && item.children > 0 && pathOf(above, item) === path ? [{ at, path, id: item.id }] : [];
      }).sort((a, b) => a.at - b.at);
      let from = 0;
      for (const o of opened) {
        add({ count: o.at + 1 - from, depth, above, parent, begin: from });
        walk(o.id, o.path, depth + 1);
        from = o.at + 1;
      }
      add({ count: level.total - from, depth, above, parent, begin: from });
      if (level.nextLink !== undefined) say(depth, above, parent, text.loading, true);
    };
    walk("", "", 0);
  }

  at(index: number): Row {
    let low = 0, high = this.stretches.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.stretches[middle]!.first <= index) low = middle;
      else high = middle - 1;
    }
    const s = this.stretches[low]!, place = s.begin + index - s.first;
    if (s.text !== undefined) return { kind: "say", depth: s.depth, index, path: s.above, text: s.text, parent: s.parent, ...(s.more === true ? { more: true } : {}) };
    const item = this.all.get(s.parent)!.items[place];
    if (item === undefined) return { kind: "say", depth: s.depth, index, path: s.above, text: text.loading, parent: s.parent, page: Math.floor(place / PAGE) };
    const path = pathOf(s.above, item);
    return { kind: "twin", depth: s.depth, index, item, path, open: item.children > 0 && this.open.has(path) };
  }

  /** Pages of levels that some of these rows are of and that have to be read (again). */
  missing(first: number, last: number): { parent: string; page: number }[] {
    const found = new Map<string, { parent: string; page: number }>();
    for (const s of this.stretches) {
      if (s.text !== undefined || s.parent === "" || s.first >= last || s.first + s.count <= first) continue;
      const from = s.begin + Math.max(0, first - s.first), to = s.begin + Math.min(s.count, last - s.first) - 1, level = this.all.get(s.parent)!;
      for (let page = Math.floor(from / PAGE); page <= Math.floor(to / PAGE); page++) if (!level.fresh.has(page) && page * PAGE < level.total) found.set(`${s.parent}${SEPARATOR}${page}`, { parent: s.parent, page });
    }
    return [...found.values()];
  }

  slice(first: number, last: number): Row[] {
    const out: Row[] = [];
    for (let i = first; i < Math.min(last, this.length); i++) out.push(this.at(i));
    return out;
  }
}

/** Made anew when something is loaded, opened or closed: as long as what is open, not as what is there. */
export const rows = computed(() => new Rows(levels.value, openPaths.value));

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
