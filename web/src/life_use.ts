// The times that a twin's life is read at, and what is said of it then.
import { computed, signal } from "@preact/signals";
import { life, type Fact, type Times } from "./life_api";
import { principal } from "./live";
import { lifeText as text } from "./text_life";
import { useRegularly } from "./use_regularly";
import { formatMoment } from "./format";
import { knownAt, moment } from "./view";

const EVERY_MS = 15000; // lives are slow

export const lifeVersion = signal(0); // rises when this page has added something
/** Valid is the page's time; known is chosen beside it. */
export const times = computed<Times>(() => ({ valid: moment.value, known: knownAt.value === "" ? null : knownAt.value === "then" ? moment.value : Date.parse(knownAt.value) }));

export function timesText(t: Times): string {
  const say = (at: number | null) => (at === null ? text.live : text.moment(formatMoment(at)));
  return text.asOf(say(t.valid), say(t.known));
}

/** Why this person can not add facts; null: he can. Facts are of any time, so that the page may be in the past. */
export function mayNotAdd(): string | null {
  return principal.value?.role === "reader" ? text.form.mayNot : null;
}

const RECENT = 1000; // facts that the ribbon draws

export interface Life { id: string; said: Fact[]; of: number } // the newest, each with whether it holds; of so many

/** What was said of it last (until known), and which of it holds; null while it is being asked for. */
export function useLife(id: string): { life: Life | null; error: string | null } {
  const t = times.value;
  const { value, error } = useRegularly(async (stop): Promise<Life> => {
    const facts = await life.facts(id, { history: true, phases: [], find: "", limit: RECENT }, t, stop);
    return { id, said: facts.items, of: facts.said };
  }, EVERY_MS, [id, t.valid, t.known, lifeVersion.value]);
  return { life: value !== null && value.id === id ? value : null, error };
}

/** An answer about one thing, asked for again when that, the times or the facts change; null while it comes. */
export function useAbout<T>(about: string, ask: (stop: AbortSignal, t: Times) => Promise<T>): { value: T | null; error: string | null } {
  const t = times.value;
  const { value, error } = useRegularly(async (stop) => ({ about, answer: await ask(stop, t) }), EVERY_MS, [about, t.valid, t.known, lifeVersion.value]);
  return { value: value !== null && value.about === about ? value.answer : null, error };
}
