// A life at a glance: the phases one under the other, each fact a mark where it began to hold.
import { useMemo, useRef, useState } from "preact/hooks";
import { formatMoment } from "./format";
import type { Fact, Phase } from "./life_api";
import { FactCard, momentText, saidText } from "./life_fact";
import { ribbonOf, type Lane, type Mark } from "./life_marks";
import type { Life } from "./life_use";
import { now } from "./live";
import { lifeText as text } from "./text_life";
import { moment } from "./view";

const SHOWN_MAX = 12;
type Place = readonly [Phase, number];

const titleOf = (facts: readonly Fact[]): string => [...facts.slice(0, 6).map((f) => `${f.key}: ${saidText(f)}, ${text.from} ${momentText(f.from, text.always)}`), ...(facts.length > 6 ? ["…"] : [])].join("\n");

/** The nearest mark of the next lane that has any, up or down. */
function neighbour(lanes: readonly Lane[], [phase, i]: Place, step: number): Place | null {
  const from = lanes.findIndex((l) => l.phase === phase), x = lanes[from]!.marks[i]!.at;
  for (let k = from + step; k >= 0 && k < lanes.length; k += step) {
    const marks = lanes[k]!.marks;
    if (marks.length === 0) continue;
    const nearest = marks.reduce((best, m, at) => (Math.abs(m.at - x) < Math.abs(marks[best]!.at - x) ? at : best), 0);
    return [lanes[k]!.phase, nearest];
  }
  return null;
}

interface LaneProps { lane: Lane; out: ReadonlySet<string>; open: Place | null; tab: Place | null; put: (place: Place) => void; key_: (e: KeyboardEvent, place: Place) => void }

function LaneRow({ lane, out, open, tab, put, key_ }: LaneProps) {
  const wrong = (m: Mark) => lane.phase === "as-built" && m.facts.some((f) => out.has(f.key) && f.holds === true);
  return (
    <div class="lane" data-phase={lane.phase}>
      <span class="lane-name">{text.phases[lane.phase]}</span>
      <div class="lane-line">
        {lane.band === null ? <span class="dim lane-none">{text.noFactsInPhase}</span> : <span class="lane-band" style={{ left: `${lane.band.from * 100}%`, width: `${Math.max(0.3, (lane.band.to - lane.band.from) * 100)}%` }} />}
        {lane.marks.map((m, i) => {
          const holds = m.facts.some((f) => f.holds === true), bad = wrong(m), isOpen = open !== null && open[0] === lane.phase && open[1] === i;
          const label = m.facts.length === 1 ? `${m.facts[0]!.key}: ${saidText(m.facts[0]!)}` : text.several(m.facts.length);
          return (
            <button key={i} type="button" class={`mark${holds ? " holds" : ""}${bad ? " bad" : ""}${m.facts.length > 1 ? " several" : ""}`} style={{ left: `${m.at * 100}%` }} data-mark={`${lane.phase}-${i}`}
                    aria-label={`${text.phases[lane.phase]}, ${label}, ${holds ? text.holds : text.holdsNot}${bad ? `, ${text.outOf}` : ""}`} aria-expanded={isOpen} title={titleOf(m.facts)}
                    tabIndex={tab !== null && tab[0] === lane.phase && tab[1] === i ? 0 : -1} onClick={() => put([lane.phase, i])} onKeyDown={(e) => key_(e, [lane.phase, i])}>
              {bad ? "✗" : m.facts.length > 99 ? "+" : m.facts.length > 1 ? m.facts.length : ""}
            </button>
          );
        })}
      </div>
    </div>
  );
}

export function RibbonView({ life, out }: { life: Life; out: ReadonlySet<string> }) {
  const box = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<Place | null>(null);
  const [focus, setFocus] = useState<Place | null>(null);
  const at = moment.value, hour = Math.floor(now.value / 60e3) * 60e3;
  const ribbon = useMemo(() => ribbonOf(life.said, hour, at), [life, hour, at]);
  const there = (p: Place | null): Place | null => (p !== null && (ribbon.lanes.find((l) => l.phase === p[0])?.marks.length ?? 0) > p[1] ? p : null);
  const firstLane = ribbon.lanes.find((l) => l.marks.length > 0);
  const tab = there(focus) ?? (firstLane === undefined ? null : [firstLane.phase, 0] as Place);
  const shownAt = there(open), shown = shownAt === null ? [] : ribbon.lanes.find((l) => l.phase === shownAt[0])!.marks[shownAt[1]]!.facts;
  const go = (place: Place | null) => {
    if (place === null) return;
    setFocus(place);
    box.current?.querySelector<HTMLElement>(`[data-mark="${place[0]}-${place[1]}"]`)?.focus();
  };
  const key = (e: KeyboardEvent, place: Place) => {
    const [phase, i] = place, marks = ribbon.lanes.find((l) => l.phase === phase)!.marks;
    if (e.key === "ArrowRight") go([phase, Math.min(marks.length - 1, i + 1)]);
    else if (e.key === "ArrowLeft") go([phase, Math.max(0, i - 1)]);
    else if (e.key === "Home") go([phase, 0]);
    else if (e.key === "End") go([phase, marks.length - 1]);
    else if (e.key === "ArrowDown") go(neighbour(ribbon.lanes, place, 1));
    else if (e.key === "ArrowUp") go(neighbour(ribbon.lanes, place, -1));
    else return;
    e.preventDefault();
  };
  const pageAt = ((at ?? hour) - ribbon.start) / (ribbon.end - ribbon.start);
  return (
    <div class="ribbon" ref={box} data-testid="ribbon" role="group" aria-label={text.ribbon} onKeyDown={(e) => { if (e.key === "Escape" && shownAt !== null) { setOpen(null); go(shownAt); } }}>
      {ribbon.lanes.map((lane) => <LaneRow key={lane.phase} lane={lane} out={out} open={shownAt} tab={tab} key_={key} put={(p) => { setFocus(p); setOpen(shownAt !== null && shownAt[0] === p[0] && shownAt[1] === p[1] ? null : p); }} />)}
      <div class="lane axis" aria-hidden="true">
        <span class="lane-name" />
        <div class="lane-line">
          {ribbon.ticks.map((t) => <span key={t.at} class="tick" style={{ left: `${t.at * 100}%` }}>{t.label}</span>)}
          <span class="page-moment" title={`${text.page}: ${formatMoment(at ?? hour)}`} style={{ left: `${pageAt * 100}%` }} />
        </div>
      </div>
      {shown.length > 0 && (
        <div class="panel" data-testid="ribbon-facts">
          <ul class="plain-list">{shown.slice(0, SHOWN_MAX).map((f, i) => <FactCard key={i} fact={f} holds={f.holds === true} out={f.phase === "as-built" && out.has(f.key) && f.holds === true} />)}</ul>
          {shown.length > SHOWN_MAX && <p class="dim">{text.more(shown.length - SHOWN_MAX)}</p>}
          <button type="button" class="button" onClick={() => { const p = shownAt; setOpen(null); go(p); }}>{text.close}</button>
        </div>
      )}
      <p class="dim hint">{text.ribbonHint}{life.of > life.said.length && ` ${text.ribbonCut(life.said.length, life.of)}`}</p>
    </div>
  );
}
