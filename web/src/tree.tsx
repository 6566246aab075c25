// The plant as a tree: roots are twins that nothing points at, children are what a twin's relationships point at.
// Loaded level by level, and only the rows in sight are in the page; a twin that is reached twice is shown twice, and a
// cycle opens as far as one opens it.
import { useEffect, useRef, useState } from "preact/hooks";
import { silent, worst } from "./alarm_badges";
import { api, type TreePage } from "./api";
import { structureVersion } from "./live";
import { text } from "./text";
import { inSight, key, levels, loadLevel, loadMore, loadPage, rows, seen, toggle, type Row } from "./tree_rows";
import { select, selected } from "./view";
import { rowAfter, useVirtual } from "./virtual";

const ROW = 28; // px, as in style.css
const SETTLE_MS = 60;

function Badge({ twin }: { twin: string }) {
  const priority = worst.value.get(twin), quiet = silent.value.get(twin);
  return (
    <>
      {quiet !== undefined && <span class="silent-badge" data-silent={twin} title={text.silent(quiet.silent, quiet.twins)}>○{quiet.twins > 1 ? ` ${quiet.silent.toLocaleString("en")}` : ""}</span>}
      {priority !== undefined && <span class={`alarm-badge ${priority}`} title={text.alarms.under(priority)}>! {text.alarms.priority[priority] ?? priority}</span>}
    </>
  );
}

function TreeRow({ row, focus }: { row: Row; focus: (index: number) => void }) {
  if (row.kind === "say") return <div class="dim node" style={{ paddingLeft: `${row.depth * 14 + 24}px` }}>{row.text}</div>;
  const { item, depth } = row;
  const isSelected = selected.value === item.id;
  const move = (e: KeyboardEvent) => {
    if (e.key === "ArrowRight" && item.children > 0 && !row.open) toggle(row.path);
    else if (e.key === "ArrowLeft" && row.open) toggle(row.path);
    else {
      const to = rowAfter(e.key, row.index, rows.peek().length);
      if (to === null) return;
      focus(to);
    }
    e.preventDefault();
  };
  return (
    <div role="treeitem" aria-level={depth + 1} aria-expanded={item.children > 0 ? row.open : undefined} aria-selected={isSelected}
         class={isSelected ? "node selected" : "node"} style={{ paddingLeft: `${depth * 14 + 4}px` }}>
      {item.children > 0 ? (
        <button type="button" class="twist" tabIndex={-1} aria-label={row.open ? text.collapse : text.expand} onClick={() => toggle(row.path)}>{row.open ? "▾" : "▸"}</button>
      ) : (
        <span class="twist" />
      )}
      <button type="button" class="name" data-twin={item.id} data-row={row.index} title={`${item.id} · ${item.model}`} onClick={() => select(item.id)} onKeyDown={move}>
        <span>{item.name}</span> <span class="dim">{item.modelName}</span>
      </button>
      <Badge twin={item.id} />
    </div>
  );
}

function Rows() {
  const version = structureVersion.value;
  const all = rows.value, list = useVirtual(all.length, ROW);
  useEffect(() => {
    // What was there stays on the page while it is asked for anew.
    for (const parent of new Set(["", ...levels.peek().keys()])) void loadLevel(parent);
  }, [version]);
  const visible = all.slice(list.first, list.last), missing = all.missing(list.first, list.last);
  const sight = seen(visible), signature = [...sight.roots, "", ...sight.parents].join("\n");
  useEffect(() => { inSight.value = sight; }, [signature]);
  useEffect(() => {
    // Who flies over a long list does not ask for what he leaves behind at once.
    const timer = window.setTimeout(() => missing.forEach((m) => void loadPage(m.parent, m.page)), SETTLE_MS);
    return () => window.clearTimeout(timer);
  }, [missing.map((m) => `${m.parent}/${m.page}`).join("\n")]);
  const more = visible.find((r) => r.kind === "say" && r.more === true);
  useEffect(() => {
    if (more?.kind === "say") void loadMore(more.parent);
  }, [more?.kind === "say" ? `${more.parent}/${more.index}` : ""]);
  const roots = levels.value.get("");
  if (roots?.error !== undefined) return <p class="dim wrap">{roots.error}</p>;
  if (roots !== undefined && roots.total === 0) return <p class="dim wrap">{text.noTwins}</p>;
  return (
    <div ref={list.box} class="tree" role="tree" aria-label={text.plantTree} onScroll={list.scrolled}>
      <div style={{ height: `${all.length * ROW}px`, position: "relative" }}>
        <div style={{ position: "absolute", top: `${list.first * ROW}px`, left: 0, right: 0 }}>
          {visible.map((row) => <TreeRow key={key(row)} row={row} focus={list.focus} />)}
        </div>
      </div>
    </div>
  );
}

function Found({ what }: { what: string }) {
  const [page, setPage] = useState<TreePage | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    // A short pause while someone types saves the server a search per letter.
    const timer = window.setTimeout(() => void api.search(what, stop.signal).then(setPage, () => undefined), 120);
    return () => { window.clearTimeout(timer); stop.abort(); };
  }, [what]);
  if (page === null) return <p class="dim">{text.loading}</p>;
  if (page.items.length === 0) return <p class="dim wrap">{text.nothingFound(what)}</p>;
  const move = (e: KeyboardEvent) => {
    const step = e.key === "ArrowDown" ? 1 : e.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    e.preventDefault();
    const names = [...document.querySelectorAll<HTMLElement>("nav .found .name")];
    names[names.indexOf(e.currentTarget as HTMLElement) + step]?.focus();
  };
  return (
    <ul class="found">
      {page.items.map((item) => (
        <li key={item.id}>
          <button type="button" class={selected.value === item.id ? "name selected" : "name"} data-twin={item.id} onClick={() => select(item.id)} onKeyDown={move}>
            <span>{item.name}</span> <span class="dim">{item.path !== undefined && item.path.length > 0 ? item.path.join(" › ") : item.modelName}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** "/" leads to the search field, from anywhere but a field. */
function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

export function Tree() {
  const [search, setSearch] = useState("");
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = (e: KeyboardEvent) => {
      if (e.key !== "/" || isField(e.target)) return;
      e.preventDefault();
      input.current?.focus();
    };
    window.addEventListener("keydown", focus);
    return () => window.removeEventListener("keydown", focus);
  }, []);
  const down = (e: KeyboardEvent) => {
    if (e.key !== "ArrowDown") return;
    e.preventDefault();
    document.querySelector<HTMLElement>("nav .found .name, nav .tree .name")?.focus();
  };
  return (
    <>
      <input ref={input} type="search" placeholder={`${text.searchTwins}  (/)`} aria-label={text.searchTwins} value={search} onInput={(e) => setSearch(e.currentTarget.value)} onKeyDown={down} />
      {search.trim() !== "" ? <Found what={search.trim()} /> : <Rows />}
    </>
  );
}
