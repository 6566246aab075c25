// The plant as a tree: roots are twins that nothing points at, children are what a twin's relationships point at.
// Loaded level by level; a twin that is reached twice is shown twice, and a cycle opens as far as one opens it.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, type TreeItem, type TreePage } from "./api";
import { structureVersion } from "./live";
import { text } from "./text";
import { select, selected } from "./view";

function useLevel(parent: string | null): { page: TreePage | null; error: string | null; more: () => void } {
  const [page, setPage] = useState<TreePage | null>(null);
  const [error, setError] = useState<string | null>(null);
  const version = structureVersion.value;
  useEffect(() => {
    const stop = new AbortController();
    api.children(parent, stop.signal).then(
      (p) => { setPage(p); setError(null); },
      (e: Error) => { if (!stop.signal.aborted) setError(e.message); },
    );
    return () => stop.abort();
  }, [parent, version]);
  const more = () => {
    if (page?.nextLink === undefined) return;
    api.more(page.nextLink).then(
      (next) => setPage({ ...next, items: [...page.items, ...next.items] }),
      (e: Error) => setError(e.message),
    );
  };
  return { page, error, more };
}

function Level({ parent, depth }: { parent: string | null; depth: number }) {
  const { page, error, more } = useLevel(parent);
  if (error !== null) return <li class="dim">{error}</li>;
  if (page === null) return <li class="dim">{text.loading}</li>;
  if (page.items.length === 0 && parent === null) return <li class="dim wrap">{text.noTwins}</li>;
  return (
    <>
      {page.items.map((item) => <Node key={`${item.relationship ?? ""}/${item.id}`} item={item} depth={depth} />)}
      {page.nextLink !== undefined && <li><button type="button" class="plain" onClick={more}>{text.showMore}</button></li>}
    </>
  );
}

function Node({ item, depth }: { item: TreeItem; depth: number }) {
  const [open, setOpen] = useState(depth === 0);
  const isSelected = selected.value === item.id;
  return (
    <li role="treeitem" aria-expanded={item.children > 0 ? open : undefined} aria-selected={isSelected}>
      <div class={isSelected ? "node selected" : "node"} style={{ paddingLeft: `${depth * 14 + 4}px` }}>
        {item.children > 0 ? (
          <button type="button" class="twist" aria-label={open ? text.collapse : text.expand} onClick={() => setOpen(!open)}>
            {open ? "▾" : "▸"}
          </button>
        ) : (
          <span class="twist" />
        )}
        <button
          type="button"
          class="name"
          data-twin={item.id}
          title={`${item.id} · ${item.model}`}
          onClick={() => select(item.id)}
          onKeyDown={(e) => {
            if (e.key === "ArrowRight" && item.children > 0) setOpen(true);
            else if (e.key === "ArrowLeft") setOpen(false);
            else moveFocus(e);
          }}
        >
          <span>{item.name}</span> <span class="dim">{item.modelName}</span>
        </button>
      </div>
      {open && item.children > 0 && (
        <ul role="group">
          <Level parent={item.id} depth={depth + 1} />
        </ul>
      )}
    </li>
  );
}

/** Up and down move through the names as they are seen. */
function moveFocus(e: KeyboardEvent): void {
  const step = e.key === "ArrowDown" ? 1 : e.key === "ArrowUp" ? -1 : 0;
  if (step === 0) return;
  e.preventDefault();
  const names = [...document.querySelectorAll<HTMLElement>("nav .name")];
  names[names.indexOf(e.currentTarget as HTMLElement) + step]?.focus();
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
  return (
    <ul class="found">
      {page.items.map((item) => (
        <li key={item.id}>
          <button type="button" class={selected.value === item.id ? "name selected" : "name"} data-twin={item.id} onClick={() => select(item.id)} onKeyDown={moveFocus}>
            <span>{item.name}</span> <span class="dim">{item.path !== undefined && item.path.length > 0 ? item.path.join(" › ") : item.modelName}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

export function Tree() {
  const [search, setSearch] = useState("");
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = (e: KeyboardEvent) => {
      if (e.key !== "/" || e.target instanceof HTMLInputElement) return;
      e.preventDefault();
      input.current?.focus();
    };
    window.addEventListener("keydown", focus);
    return () => window.removeEventListener("keydown", focus);
  }, []);
  return (
    <>
      <input ref={input} type="search" placeholder={`${text.searchTwins}  (/)`} aria-label={text.searchTwins} value={search} onInput={(e) => setSearch(e.currentTarget.value)} />
      {search.trim() !== "" ? (
        <Found what={search.trim()} />
      ) : (
        <ul role="tree" class="tree">
          <Level parent={null} depth={0} />
        </ul>
      )}
    </>
  );
}
