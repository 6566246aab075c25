// A life as a whole: at a glance, all that was said, what was built against what was designed, what it is made of.
import { formatMoment, toLocalInput } from "./format";
import { BomView } from "./bom";
import { life } from "./life_api";
import { DiffView } from "./life_diff";
import { momentText } from "./life_fact";
import { LifeForms } from "./life_form";
import { ThreadList } from "./life_list";
import { RibbonView } from "./life_ribbon";
import { useOut } from "./life_twin";
import { times, timesText, useAbout, useLife } from "./life_use";
import { now } from "./live";
import { lifeText as text } from "./text_life";
import { chapter, CHAPTERS, knownAt, moment, select, selected } from "./view";
import "./life.css";

/** As known when: beside the page's time, the second time of every fact. */
function KnownAt() {
  const chosen = knownAt.value === "" ? "" : knownAt.value === "then" ? "then" : "at";
  const put = (how: string) => (knownAt.value = how === "at" ? new Date(moment.value ?? now.value).toISOString() : how);
  return (
    <span class="toolbar known">
      <label title={text.known.what}>{text.known.title}{" "}
        <select value={chosen} data-testid="known" onChange={(e) => put(e.currentTarget.value)}>
          <option value="">{text.known.now}</option>
          <option value="then">{text.known.then}</option>
          <option value="at">{text.known.at}</option>
        </select>
      </label>
      {chosen === "at" && <input type="datetime-local" step="1" aria-label={text.known.exact} data-testid="known-at" value={toLocalInput(Date.parse(knownAt.value))}
                                 onChange={(e) => { const t = Date.parse(e.currentTarget.value); if (!Number.isNaN(t)) knownAt.value = new Date(t).toISOString(); }} />}
      {chosen === "then" && moment.value === null && <span class="dim">{text.known.thenIsNow}</span>}
    </span>
  );
}

function Where({ id }: { id: string }) {
  const { value } = useAbout(id, (stop, t) => life.parts(id, t, stop));
  const at = value?.installedIn;
  if (at === undefined || at.part === undefined) return null;
  const assembly = at.part;
  return <p class="dim life-note" data-testid="where">{text.where.in} <button type="button" class="link" onClick={() => select(assembly)}>{assembly}</button>{at.position !== undefined && ` ${text.fact.at(at.position)}`}, {text.where.since(momentText(at.from, text.always))}.</p>;
}

function Chapters() {
  const move = (e: KeyboardEvent, i: number) => {
    const step = e.key === "ArrowRight" ? 1 : e.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    e.preventDefault();
    const next = CHAPTERS[(i + step + CHAPTERS.length) % CHAPTERS.length]!;
    chapter.value = next;
    document.querySelector<HTMLElement>(`[data-testid="chapter-${next}"]`)?.focus();
  };
  return (
    <div class="tabs life-chapters" role="tablist" aria-label={text.chapters.title}>
      {CHAPTERS.map((c, i) => <button key={c} type="button" role="tab" data-testid={`chapter-${c}`} aria-selected={chapter.value === c} tabIndex={chapter.value === c ? 0 : -1} onClick={() => (chapter.value = c)} onKeyDown={(e) => move(e, i)}>{text.chapters[c]}</button>)}
    </div>
  );
}

function Told({ id }: { id: string }) {
  const { life: found, error } = useLife(id), out = useOut(id);
  if (error !== null && found === null) return <p class="refusal" role="alert">{error}</p>;
  return (
    <>
      <section>
        <div class="toolbar"><h2>{text.title(id)}</h2> <span class="spacer" /> <KnownAt /></div>
        <p class="dim life-note" data-testid="life-times">{timesText(times.value)}</p>
        <Where id={id} />
        {found === null ? <p class="dim">…</p> : found.said.length > 0 ? <RibbonView life={found} out={out} /> : <p class="dim" data-testid="life-none">{knownAt.value === "" ? text.none : text.noneKnown(formatMoment(times.value.known ?? now.value))}</p>}
        <LifeForms id={id} />
        <Chapters />
      </section>
      {chapter.value === "thread" && found !== null && found.said.length > 0 && <ThreadList id={id} out={out} />}
      {chapter.value === "diff" && <DiffView id={id} />}
      {chapter.value === "bom" && <BomView id={id} />}
    </>
  );
}

export function Life() {
  const id = selected.value;
  return id === null ? <p class="empty">{text.pick}</p> : <Told key={id} id={id} />;
}
