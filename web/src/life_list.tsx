// All that was said of a twin: filtered and put in order by the server, fetched as one scrolls, only the rows in sight in the page.
import { useEffect, useState } from "preact/hooks";
import { downloadCsv } from "./download";
import { life as server, PHASES, type Asked, type Fact, type Facts, type Phase } from "./life_api";
import { momentText, SaidView, saidText } from "./life_fact";
import { lifeVersion, times } from "./life_use";
import { allPages, usePaged } from "./paged";
import { lifeText as text } from "./text_life";
import { useVirtual } from "./virtual";

const EVERY_MS = 15000, PAGE = 200, CSV_MOST = 100000, TYPING_MS = 150;
const ROW = 31, HEAD = 28; // px, as in life.css
const CSV_COLUMNS = ["phase", "key", "value", "from", "to", "known", "author", "cause"];

/** Without its seconds, which the title has. */
const minuteText = (at: string | undefined, absent: string): string => momentText(at, absent).replace(/(\d\d:\d\d):\d\d$/, "$1");

/** What is typed, when one has stopped typing. */
function useSettled(what: string): string {
  const [settled, setSettled] = useState(what);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(what), TYPING_MS);
    return () => window.clearTimeout(timer);
  }, [what]);
  return settled;
}

function FactRow({ fact, index, out }: { fact: Fact; index: number; out: ReadonlySet<string> }) {
  const holds = fact.holds ?? true, bad = holds && fact.phase === "as-built" && out.has(fact.key), h = text.fact;
  return (
    <tr class={holds ? "" : "past"} data-key={fact.key} data-row={index}>
      <td>{text.phases[fact.phase]}</td>
      <th scope="row" title={fact.key}>{fact.key}</th>
      <td title={saidText(fact)}>{!holds && <span title={text.holdsNot}>○ </span>}<SaidView twin={fact.twin} said={fact} />{bad && <strong class="verdict-bad"> ✗ {text.outOf}</strong>}</td>
      <td class="time" title={fact.from}>{minuteText(fact.from, text.always)}</td>
      <td class="time" title={fact.to}>{minuteText(fact.to, "")}</td>
      <td class="time quiet" title={fact.known}>{minuteText(fact.known, h.nobody)}</td>
      <td class="quiet" title={fact.author}>{fact.author ?? h.nobody}</td>
      <td class="quiet" title={fact.cause}>{fact.cause ?? ""}</td>
    </tr>
  );
}

/** The rows of a page, of which there may be many thousands. */
function FactTable({ facts, out, more }: { facts: Facts; out: ReadonlySet<string>; more: () => void }) {
  const rows = useVirtual(facts.items.length, ROW, HEAD), h = text.fact;
  const near = rows.last >= facts.items.length && facts.nextLink !== undefined;
  useEffect(() => { if (near) more(); }, [near, facts.items.length]);
  return (
    <div class="table-box life-rows" ref={rows.box} onScroll={rows.scrolled} tabIndex={0} role="group" aria-label={text.chapters.thread}>
      <table class="grid life-table" aria-rowcount={facts.count}>
        <thead><tr>{[h.phase, h.key, h.value, text.from, text.to].map((x) => <th key={x} scope="col">{x}</th>)}{[h.known, h.by, h.why].map((x) => <th key={x} scope="col" class="quiet">{x}</th>)}</tr></thead>
        <tbody>
          {rows.first > 0 && <tr aria-hidden="true"><td colSpan={8} style={{ height: `${rows.first * ROW}px` }} /></tr>}
          {facts.items.slice(rows.first, rows.last).map((f, i) => <FactRow key={rows.first + i} fact={f} index={rows.first + i} out={out} />)}
          {rows.last < facts.items.length && <tr aria-hidden="true"><td colSpan={8} style={{ height: `${(facts.items.length - rows.last) * ROW}px` }} /></tr>}
          {facts.nextLink !== undefined && <tr><td colSpan={8} class="dim">{text.list.loading}</td></tr>}
        </tbody>
      </table>
    </div>
  );
}

export function ThreadList({ id, out }: { id: string; out: ReadonlySet<string> }) {
  const [filter, setFilter] = useState("");
  const [hidden, setHidden] = useState<ReadonlySet<Phase>>(new Set());
  const [all, setAll] = useState(false);
  const [csvError, setCsvError] = useState<string | null>(null);
  const find = useSettled(filter.trim()), phases = PHASES.filter((p) => !hidden.has(p)), t = times.value;
  const asked: Asked = { history: all, phases: hidden.size === 0 ? [] : phases, find, limit: PAGE };
  const { value, error, more } = usePaged<Fact, Facts>((stop) => (phases.length === 0 ? Promise.resolve({ items: [], count: 0, said: 0 }) : server.facts(id, asked, t, stop)), EVERY_MS, [id, asked, t, lifeVersion.value]);
  const [last, setLast] = useState<Facts | null>(null); // what was there before, while the next comes
  useEffect(() => { if (value !== null) setLast(value); }, [value]);
  const shown = value ?? last;
  const flip = (p: Phase) => { const next = new Set(hidden); if (!next.delete(p)) next.add(p); setHidden(next); };
  const csv = () => void server.facts(id, { ...asked, limit: 10000 }, t).then((page) => allPages(page, CSV_MOST)).then((facts) => {
    setCsvError(null);
    downloadCsv(`${id}-thread.csv`, CSV_COLUMNS, facts.map((f) => [f.phase, f.key, saidText(f), f.from ?? "", f.to ?? "", f.known ?? "", f.author ?? "", f.cause ?? ""]));
  }, (e: Error) => setCsvError(e.message));
  return (
    <section data-testid="thread-list">
      <div class="toolbar">
        <label>{text.list.filter} <input type="search" size={34} value={filter} placeholder={text.list.filterWhat} data-testid="thread-filter" onInput={(e) => setFilter(e.currentTarget.value)} /></label>
        {PHASES.map((p) => <label key={p} class="chip"><input type="checkbox" checked={!hidden.has(p)} data-testid={`phase-${p}`} onChange={() => flip(p)} /> {text.phases[p]} </label>)}
        <label class="chip"><input type="checkbox" checked={all} data-testid="thread-all" onChange={(e) => setAll(e.currentTarget.checked)} /> {text.list.all} </label>
        <span class="spacer" />
        {shown !== null && <span class="dim" data-testid="thread-count">{text.list.shown(shown.count, shown.said)}</span>}
        <button type="button" class="button" data-testid="thread-csv" title={shown !== null && shown.count > CSV_MOST ? text.list.csvMost(CSV_MOST) : undefined} onClick={csv}>{text.list.csv}</button>
      </div>
      {(error ?? csvError) !== null && <p class="refusal" role="alert">{error ?? csvError}</p>}
      {shown === null ? error === null && <p class="dim">{text.list.loading}</p> : shown.count === 0 ? <p class="dim">{find === "" && hidden.size === 0 ? text.list.nothingHolds : text.list.nothing}</p> : <FactTable facts={shown} out={out} more={more} />}
    </section>
  );
}
