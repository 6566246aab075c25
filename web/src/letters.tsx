// Messages that could not be applied, by reason, and for each why: what came, and what would have to be there.
import { useState } from "preact/hooks";
import { api, type DeadLetter } from "./api";
import { formatMoment } from "./format";
import { message } from "./setup_state";
import { text } from "./text";
import { actText } from "./text_act";
import { part, show } from "./view";
import { useRegularly } from "./use_regularly";

/** The twin that a topic of gemel's own speaks of; bulk lines name the twin alone. */
export function twinOf(topic: string): string | null {
  if (!topic.includes("/")) return topic;
  const part = /^gemel\/([^/]+)\//.exec(topic)?.[1];
  try {
    return part === undefined ? null : decodeURIComponent(part);
  } catch {
    return null;
  }
}

/** Why, beyond the reason: does the twin exist, and what does it take? */
async function explain(letter: DeadLetter): Promise<string[]> {
  const id = twinOf(letter.topic), told: string[] = [];
  try {
    JSON.parse(letter.payload);
  } catch (e) {
    told.push(text.letters.notJson((e as Error).message));
  }
  if (id === null) return [...told, text.letters.foreignTopic];
  try {
    const twin = await api.twin(id);
    const takes = twin.values.map((v) => `${v.path} (${v.schema}${v.symbol === undefined ? "" : `, ${v.symbol}`})`);
    told.push(text.letters.twinIs(id, twin.modelName), takes.length === 0 ? text.noValues : text.letters.takes(takes.join(", ")));
  } catch (e) {
    const near = await api.search(id).catch(() => null);
    told.push((e as Error).message, ...(near !== null && near.items.length > 0 ? [text.letters.near(near.items.slice(0, 5).map((i) => i.id).join(", "))] : []));
  }
  return told;
}

function Letter({ letter }: { letter: DeadLetter }) {
  const [why, setWhy] = useState<string[] | null>(null);
  const id = twinOf(letter.topic);
  return (
    <li class="letter">
      <div class="toolbar">
        <span class="dim">{formatMoment(Date.parse(letter.time))}</span> <code>{letter.topic}</code>
        <span class="spacer" />
        <button type="button" class="button" data-testid="why" aria-expanded={why !== null} onClick={() => (why === null ? void explain(letter).then(setWhy) : setWhy(null))}>{text.letters.why}</button>
      </div>
      <p class="refusal">{letter.reason}</p>
      {why !== null && (
        <div class="panel" data-testid="explanation">
          <pre>{letter.payload}</pre>
          {why.map((line) => <p key={line}>{line}</p>)}
          {id === null && <button type="button" class="link" data-testid="try-mapping" onClick={() => { message.value = { topic: letter.topic, payload: letter.payload }; part.value = "mappings"; show("setup"); }}>{actText.mapping.tryIt}</button>}
          {id !== null && <button type="button" class="link" onClick={() => show("twin", id)}>{text.letters.look(id)}</button>}
        </div>
      )}
    </li>
  );
}

export function Letters() {
  const { value, error } = useRegularly((stop) => api.deadLetters(200, stop), 3000);
  if (error !== null) return <p class="empty" role="alert">{text.loadFailed(error)}</p>;
  if (value === null) return <p class="empty">{text.loading}</p>;
  if (value.items.length === 0) return <p class="empty">{text.letters.none}</p>;
  return (
    <section>
      <h2>{text.letters.title(value.total ?? value.items.length)}</h2>
      <ul class="plain-list">{value.items.map((l) => <Letter key={`${l.time}${l.topic}`} letter={l} />)}</ul>
    </section>
  );
}
