// What happened when, counted by the server in the buckets of a screen: a hundred thousand happenings cost the page what ten do.
import { signal } from "@preact/signals";
import { api, type MarkKind } from "./api";
import { token } from "./session";
import { connection } from "./stream";

export const MARK_KINDS: readonly MarkKind[] = ["alarm", "anomaly", "command", "event", "letter"];
export interface Bucket {
  at: number; // ms since 1970, its middle
  kind: MarkKind;
  count: number;
  worst: string; // priority of alarms, else ""
  example: { twin: string; name: string; time: number } | null;
}
export interface Marks { from: number; to: number; width: number; buckets: readonly Bucket[]; oldest: number | null } // width: of a bucket, ms

const NONE: Marks = { from: 0, to: 0, width: 0, buckets: [], oldest: null };
const EVERY_MS = 5000, SOON_MS = 150;

/** The marks of one twin, or of the plant (null), over the stretch that was wanted last. */
export class MarkSource {
  readonly marks = signal<Marks>(NONE);
  private stop = new AbortController();
  private timer = 0;
  private asked = { at: -Infinity, from: 0, to: 0, n: 0, token: "" };

  constructor(private readonly twin: string | null) {}

  /** Asked for at once when it is another stretch, seldom when it only goes on with time. */
  want(from: number, to: number, pixels: number): void {
    const n = Math.max(1, Math.min(1000, Math.floor(pixels / 2))), a = this.asked, now = performance.now();
    const same = a.n === n && a.token === token.peek() && Math.abs(from - a.from) + Math.abs(to - a.to) < (to - from) / 10;
    if (!(to > from) || connection.peek() !== "live" || (same && now - a.at < EVERY_MS)) return;
    window.clearTimeout(this.timer);
    const ask = () => {
      this.asked = { at: performance.now(), from, to, n, token: token.peek() };
      this.stop.abort();
      const stop = (this.stop = new AbortController());
      this.load(from, to, n, stop.signal).then((m) => { this.marks.value = m; }, () => undefined); // that it is cut off the page says itself
    };
    const wait = a.at + SOON_MS - now;
    if (wait <= 0) ask();
    else this.timer = window.setTimeout(ask, wait);
  }

  destroy(): void {
    this.stop.abort();
    window.clearTimeout(this.timer);
  }

  private async load(from: number, to: number, n: number, stop: AbortSignal): Promise<Marks> {
    const found = await api.marks(this.twin, new Date(from), new Date(to), n, stop), width = (to - from) / n;
    return {
      from, to, width, oldest: found.oldest === undefined ? null : Date.parse(found.oldest),
      buckets: found.items.map((b) => {
        const e = b.examples?.[0];
        return { at: Date.parse(b.begin) + width / 2, kind: b.kind, count: b.count, worst: b.worst ?? "", example: e === undefined ? null : { twin: e.twin ?? "", name: e.name ?? "", time: Date.parse(e.time) } };
      }),
    };
  }
}

/** What lies within `reach` ms of a time, the most urgent kind first. */
export function marksNear(all: Marks, at: number, reach: number): Bucket[] {
  return all.buckets.filter((b) => Math.abs(b.at - at) <= Math.max(reach, all.width / 2)).sort((a, b) => MARK_KINDS.indexOf(a.kind) - MARK_KINDS.indexOf(b.kind));
}
