// The one time of the page. Live, everything follows the stream; at a moment, what is shown is read as of then.
import { computed, effect, signal } from "@preact/signals";
import { api, type Json, type Relationship, type Twin, type Value } from "./api";
import { now, twin } from "./live";
import { moment, selected } from "./view";

const then = signal<{ twin: Twin | null; at: number } | null>(null); // twin null: it did not exist then
export const pastError = signal<string | null>(null);
/** The time that values are as old as: the moment, or now. */
export const clock = computed(() => moment.value ?? now.value);
/** The twin at the page's time; null while it is being asked for, or when there was none. */
export const shown = computed(() => (moment.value === null ? twin.value : then.value?.twin ?? null));
export const absentThen = computed(() => moment.value !== null && then.value !== null && then.value.twin === null);

type Document = { [key: string]: Json };
const object = (x: Json | undefined): Document => (x !== null && typeof x === "object" && !Array.isArray(x) ? x : {});

function valueThen(v: Value, document: Document): Value {
  const parts = v.path.split("/");
  const name = parts.pop()!;
  let at = document;
  for (const part of parts) at = object(at[part]);
  const value = at[name] ?? null;
  // Fields of an object share the times of the object.
  const holder = v.component === undefined ? document : object(document[v.component]);
  const inner = v.component === undefined ? v.path : v.path.slice(v.component.length + 1);
  const times = object(object(holder["$metadata"])[inner.split("/")[0]!]);
  const { sourceTime: _s, ingestTime: _i, ...rest } = v;
  const source = times["sourceTime"] ?? times["lastUpdateTime"];
  return { ...rest, value, ...(typeof source === "string" && value !== null ? { sourceTime: source } : {}) };
}

async function twinThen(present: Twin, at: Date, stop: AbortSignal): Promise<Twin> {
  const [document, out, incoming] = await Promise.all([
    api.documentAt(present.id, at, stop),
    api.relationshipsAt(present.id, "relationships", at, stop),
    api.relationshipsAt(present.id, "incomingrelationships", at, stop),
  ]);
  const links = (list: Document[], end: "source" | "target"): Relationship[] =>
    list.map((r) => ({ id: String(r["$relationshipId"]), name: String(r["$relationshipName"]), [end]: String(r[end === "target" ? "$targetId" : "$sourceId"]) }));
  return {
    ...present,
    model: String(object(document["$metadata"])["$model"] ?? present.model),
    etag: String(document["$etag"] ?? ""),
    values: present.values.map((v) => valueThen(v, document)),
    relationships: { out: links(out, "target"), in: links(incoming, "source") },
  };
}

/** Keeps `shown` at the moment while there is one: the newest question wins, an overtaken one is called off. */
export function startPast(): () => void {
  let stop = new AbortController();
  const structure = computed(() => (twin.value?.id === selected.value ? twin.value?.id : null)); // the form of the twin is known
  return effect(() => {
    const at = moment.value, id = structure.value;
    stop.abort();
    if (at === null) { then.value = null; pastError.value = null; return; }
    const present = twin.peek();
    if (id === null || present === null) return;
    const mine = (stop = new AbortController());
    const timer = window.setTimeout(() => {
      twinThen(present, new Date(at), mine.signal).then(
        (t) => { then.value = { twin: t, at }; pastError.value = null; },
        (e: Error & { status?: number }) => {
          if (mine.signal.aborted) return;
          then.value = { twin: null, at };
          pastError.value = e.status === 404 ? null : e.message;
        },
      );
    }, 40);
    mine.signal.addEventListener("abort", () => window.clearTimeout(timer));
  });
}
