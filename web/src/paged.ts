// A list that the server gives in pages: the first is asked for again and again while it is looked at, those behind it when one comes to them.
import { useRef, useState } from "preact/hooks";
import { get } from "./api";
import { useRegularly } from "./use_regularly";

export interface Page<T> { items: T[]; nextLink?: string }

export interface Paged<P> {
  value: P | null; // all that has come, as one page; null while the first comes
  error: string | null;
  /** Asks for the next page, when there is one. */
  more: () => void;
}

export function usePaged<T, P extends Page<T>>(first: (stop: AbortSignal) => Promise<P>, everyMs: number, about: readonly unknown[]): Paged<P> {
  const key = JSON.stringify(about);
  const kept = useRef<{ key: string; page: P; grown: boolean; loading: boolean } | null>(null);
  const [, setTurn] = useState(0);
  const [failed, setFailed] = useState<string | null>(null);
  const show = () => setTurn((n) => n + 1);
  const { error } = useRegularly(async (stop) => {
    if (kept.current?.key === key && kept.current.grown) return; // the place of who has read on does not move
    const page = await first(stop);
    if (stop.aborted) return;
    kept.current = { key, page, grown: false, loading: false };
    show();
  }, everyMs, [key]);
  const more = () => {
    const mine = kept.current;
    if (mine === null || mine.loading || mine.page.nextLink === undefined) return;
    mine.loading = true;
    get<P>(mine.page.nextLink).then((next) => {
      mine.page = { ...next, items: [...mine.page.items, ...next.items] };
      mine.grown = true;
      setFailed(null);
      if (kept.current === mine) show();
    }, (e: Error) => setFailed(e.message)).finally(() => { mine.loading = false; });
  };
  return { value: kept.current?.key === key ? kept.current.page : null, error: error ?? failed, more };
}

/** All pages of a list, at most so many items. */
export async function allPages<T>(page: Page<T>, most: number): Promise<T[]> {
  const all = [...page.items];
  for (let next = page.nextLink; next !== undefined && all.length < most; ) {
    const more: Page<T> = await get(next);
    all.push(...more.items);
    next = more.nextLink;
  }
  return all.slice(0, most);
}
