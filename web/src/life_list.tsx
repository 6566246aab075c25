// All that was said of a twin, filtered.
import { useMemo, useState } from "preact/hooks";
import { downloadCsv } from "./download";
import { PHASES, type Fact, type Phase } from "./life_api";
import { momentText, SaidView, saidText } from "./life_fact";
import { idOf, type Life } from "./life_use";
import { lifeText as text } from "./text_life";

const ROWS_MAX = 400;

const words = (f: Fact): string => `${f.key} ${saidText(f)} ${f.author ?? ""} ${f.cause ?? ""}`.toLowerCase();

export function ThreadList({ life, out }: { life: Life; out: ReadonlySet<string> }) {
  const [filter, setFilter] = useState("");
  const [hidden, setHidden] = useState<ReadonlySet<Phase>>(new Set());
  const [all, setAll] = useState(false);
  const wanted = filter.trim().toLowerCase();
  // The newest first: what is looked for is mostly what was said last.
  const found = useMemo(() => life.said.filter((f) => !hidden.has(f.phase) && (all || life.holding.has(idOf(f))) && (wanted === "" || words(f).includes(wanted)))
    .sort((a, b) => (b.from ?? "").localeCompare(a.from ?? "") || (b.known ?? "").localeCompare(a.known ?? "")), [life, hidden, all, wanted]);
  const flip = (p: Phase) => { const next = new Set(hidden); if (!next.delete(p)) next.add(p); setHidden(next); };
  const h = text.fact;
  return (
    <section data-testid="thread-list">
      <div class="toolbar">
        <label>{text.list.filter} <input type="search" value={filter} placeholder={text.list.filterWhat} data-testid="thread-filter" onInput={(e) => setFilter(e.currentTarget.value)} /></label>
        {PHASES.map((p) => <label key={p} class="chip"><input type="checkbox" checked={!hidden.has(p)} data-testid={`phase-${p}`} onChange={() => flip(p)} /> {text.phases[p]} </label>)}
        <label class="chip"><input type="checkbox" checked={all} data-testid="thread-all" onChange={(e) => setAll(e.currentTarget.checked)} /> {text.list.all} </label>
        <span class="spacer" />
        <span class="dim" data-testid="thread-count">{text.list.shown(found.length, life.said.length)}</span>
        <button type="button" class="button" onClick={() => downloadCsv(`${life.id}-thread.csv`, ["phase", "key", "value", "from", "to", "known", "author", "cause"], found.map((f) => [f.phase, f.key, saidText(f), f.from ?? "", f.to ?? "", f.known ?? "", f.author ?? "", f.cause ?? ""]))}>{text.list.csv}</button>
      </div>
      {found.length === 0 ? <p class="dim">{wanted === "" && hidden.size === 0 ? text.list.nothingHolds : text.list.nothing}</p> : (
        <div class="table-box"><table class="grid life-table">
          <thead><tr>{[h.phase, h.key, h.value, text.from, text.to].map((x) => <th key={x} scope="col">{x}</th>)}{[h.known, h.by, h.why].map((x) => <th key={x} scope="col" class="quiet">{x}</th>)}</tr></thead>
          <tbody>
            {found.slice(0, ROWS_MAX).map((f) => {
              const holds = life.holding.has(idOf(f)), bad = holds && f.phase === "as-built" && out.has(f.key);
              return (
                <tr key={idOf(f)} class={holds ? "" : "past"} data-key={f.key}>
                  <td>{text.phases[f.phase]}</td>
                  <th scope="row">{f.key}</th>
                  <td>{!holds && <span title={text.holdsNot}>○ </span>}<SaidView twin={f.twin} said={f} />{bad && <strong class="verdict-bad"> ✗ {text.outOf}</strong>}</td>
                  <td class="time">{momentText(f.from, text.always)}</td>
                  <td class="time">{momentText(f.to, "")}</td>
                  <td class="time quiet">{momentText(f.known, h.nobody)}</td>
                  <td class="quiet">{f.author ?? h.nobody}</td>
                  <td class="quiet">{f.cause ?? ""}</td>
                </tr>
              );
            })}
          </tbody>
        </table></div>
      )}
      {found.length > ROWS_MAX && <p class="dim">{text.list.more(found.length - ROWS_MAX)}</p>}
    </section>
  );
}
