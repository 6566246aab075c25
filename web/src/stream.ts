// One server-sent event stream, for the twins that the page shows, and an honest account of whether it lives.
//
//   closed --open--> connecting --snapshot--> live --no event for STALE_MS--> stale --any event--> live
//                        ^                      |                               |
//                        +------ error, retry --+-------------------------------+
//
// The server says something at least once a second ("alive"), so silence means that what is on the screen is old.
import { signal } from "@preact/signals";
import type { Json, Twin } from "./api";
import { readEvents, type ServerEvent } from "./events";

export type Connection = "connecting" | "live" | "stale";

export interface Change {
  twin: string;
  time: string;
  values: { [path: string]: { value: Json; sourceTime: string } };
}

export const connection = signal<Connection>("connecting");
export const lastHeard = signal<number>(0); // performance.now() of the last event; 0 = never
export const epoch = signal(0); // rises whenever a lost connection is live again
export const serverOffset = signal<number>(0); // server clock minus ours, ms

const STALE_MS = 3000;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 5000;

export interface Listener {
  snapshot(twins: Twin[]): void;
  change(change: Change): void;
  /** A twin or relationship came or went: trees are out of date. */
  structure(): void;
}

export class Stream {
  private source: AbortController | null = null;
  private retry = RETRY_FIRST_MS;
  private retryTimer = 0;
  private twins: readonly string[] = [];
  private readonly watchdog: number;

  constructor(private readonly listener: Listener) {
    this.watchdog = window.setInterval(() => this.check(), 500);
    window.addEventListener("online", () => this.open());
  }

  /** Watches these twins from now on. */
  watch(twins: readonly string[]): void {
    if (twins.length === this.twins.length && twins.every((t, i) => t === this.twins[i])) return;
    this.twins = [...twins];
    this.open();
  }

  close(): void {
    window.clearInterval(this.watchdog);
    window.clearTimeout(this.retryTimer);
    this.source?.abort();
  }

  /** The same twins once more, as somebody else perhaps. */
  reopen(): void {
    this.open();
  }

  private open(): void {
    window.clearTimeout(this.retryTimer);
    this.source?.abort();
    const query = this.twins.map((t) => `twin=${encodeURIComponent(t)}`).join("&");
    const source = new AbortController();
    this.source = source;
    const ended = () => {
      if (this.source !== source) return; // it was replaced
      if (connection.value === "live") connection.value = "connecting";
      this.retryTimer = window.setTimeout(() => this.open(), this.retry);
      this.retry = Math.min(this.retry * 2, RETRY_MAX_MS);
    };
    readEvents(`/v1/stream?${query}`, source.signal, (event) => {
      if (this.source === source) this.take(event);
    }).then(ended, ended);
  }

  private take(event: ServerEvent): void {
    this.heard();
    const data: unknown = JSON.parse(event.data);
    if (event.name === "snapshot") {
      const d = data as { time: string; twins: Twin[] };
      this.setClock(d.time);
      this.listener.snapshot(d.twins);
    } else if (event.name === "change") {
      this.listener.change(data as Change);
    } else if (event.name === "alive") {
      this.setClock((data as { time: string }).time);
    } else {
      this.listener.structure(); // created, deleted, relationship
    }
  }

  private heard(): void {
    lastHeard.value = performance.now();
    this.retry = RETRY_FIRST_MS;
    if (connection.value !== "live") epoch.value++;
    connection.value = "live";
  }

  private setClock(serverTime: string): void {
    serverOffset.value = Date.parse(serverTime) - Date.now();
  }

  private check(): void {
    if (connection.value === "live" && performance.now() - lastHeard.value > STALE_MS) connection.value = "stale";
    // A stream that is silent although the connection looks open is opened afresh.
    if (connection.value === "stale" && performance.now() - lastHeard.value > 3 * STALE_MS) {
      lastHeard.value = performance.now() - 2 * STALE_MS;
      this.open();
    }
  }
}
