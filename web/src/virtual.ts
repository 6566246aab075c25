// A long list of rows of one height of which only those in sight are in the page, and the keys that lead through it.
import { useEffect, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";

const BEYOND = 12; // rows kept above and below what is in sight

export interface Virtual {
  box: RefObject<HTMLDivElement>; // what scrolls
  first: number; // the rows from first to last, without it, are to be drawn
  last: number;
  scrolled: (e: { currentTarget: HTMLElement }) => void;
  /** Brings a row into sight and gives it the focus: what has data-row="index" in it. */
  focus: (index: number) => void;
}

/** `above`: px of the box's content before the first row. */
export function useVirtual(count: number, row: number, above = 0): Virtual {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  useEffect(() => {
    const b = box.current;
    if (b === null) return;
    const size = new ResizeObserver(() => setHeight(b.clientHeight));
    size.observe(b);
    return () => size.disconnect();
  }, [count === 0]);
  // A row that is not there yet gets the focus when it comes, if it has not gone elsewhere.
  const wanted = useRef<number | null>(null);
  const take = () => {
    const b = box.current, row_ = wanted.current === null ? null : b?.querySelector<HTMLElement>(`[data-row="${wanted.current}"]`);
    if (b === null || row_ === null || row_ === undefined) return;
    wanted.current = null;
    if (document.activeElement === document.body || b.contains(document.activeElement)) row_.focus();
  };
  useEffect(take);
  const first = Math.max(0, Math.min(count, Math.floor((top - above) / row) - BEYOND));
  const focus = (index: number) => {
    const b = box.current;
    if (b === null || index < 0 || index >= count) return;
    const at = above + index * row;
    if (at - above < b.scrollTop) b.scrollTop = at - above; // what stands above stays there
    else if (at + row > b.scrollTop + b.clientHeight) b.scrollTop = at + row - b.clientHeight;
    wanted.current = index;
    take();
  };
  return { box, first, last: Math.min(count, first + Math.ceil(height / row) + 2 * BEYOND), scrolled: (e) => setTop(e.currentTarget.scrollTop), focus };
}

/** Where a key leads from a row, or null: it is none that leads anywhere. */
export function rowAfter(key: string, index: number, count: number, page = 10): number | null {
  const to = { ArrowDown: index + 1, ArrowUp: index - 1, PageDown: index + page, PageUp: index - page, Home: 0, End: count - 1 }[key];
  return to === undefined ? null : Math.min(count - 1, Math.max(0, to));
}
