// What follows if the selected twin fails: who, when, along what, how likely, at what cost, and which redundancy is left.
import { chanceText, hitText, impact, impactError, KIND_SIGN, kindOf, type Hit, type Impact } from "./fault";
import { useFault } from "./fault_bar";
import { formatNumber, formatSpan } from "./format";
import { faultText as text } from "./text_fault";
import { fault, moment, select, show } from "./view";

const Twin = ({ id }: { id: string }) => <button type="button" class="link" onClick={() => select(id)}>{id}</button>;

function Row({ hit }: { hit: Hit }) {
  const kind = kindOf(hit);
  return (
    <tr data-hit={hit.id} data-kind={kind}>
      <th scope="row"><span class={`hit-${kind}`}>{KIND_SIGN[kind]}</span> <Twin id={hit.id} /></th>
      <td title={hit.text}>{hitText(hit)}{hit.severity !== undefined && <span class="dim"> · {hit.severity}</span>}{hit.text !== undefined && <span class="dim"> · {hit.text}</span>}</td>
      <td>{hit.via === undefined ? "" : <Twin id={hit.via} />}</td>
      <td>{hit.relationshipName ?? ""}{(hit.need ?? hit.gate) !== undefined && <span class="dim"> ({hit.need ?? hit.gate})</span>}</td>
      <td class="number">{chanceText(hit.probability)}</td>
      <td class="number dim">{hit.certain ? "" : chanceText(hit.otherwise)}</td>
      <td class="number">{hit.cost === null || hit.cost === 0 ? "" : formatNumber(Math.round(hit.cost))}</td>
    </tr>
  );
}

function Redundancy({ i }: { i: Impact }) {
  return (
    <>
      <h2>{text.redundancy}</h2>
      {i.redundancy.length === 0 ? <p class="dim">{text.noRedundancy}</p> : (
        <ul class="plain-list" data-testid="redundancy">
          {i.redundancy.map((s, k) => (
            <li key={k}><Twin id={s.id} /> <span class="dim">{s.need ?? s.gate}</span>: {text.works(s.working, s.of, s.needed)} · <span class={s.spare === 0 ? "verdict-warn" : ""}>{s.spare === 0 ? "⚠ " : ""}{text.spare(s.spare)}</span>
              {s.next.length > 0 && <span class="dim"> · {text.next(s.next.join(", "))}</span>}</li>
          ))}
        </ul>
      )}
    </>
  );
}

function Answer({ i }: { i: Impact }) {
  const c = text.columns;
  return (
    <div class="fault-answer" data-testid="impact">
      {i.stands && <p class="quality warn">⚠ {text.has(i.twin)}</p>}
      <p><strong>{text.counts(i.stops, i.degraded, i.atRisk)}</strong> <span class="dim">{text.within(formatSpan(i.horizon))}</span>
        {i.standing > 0 && <span class="dim"> · {text.standing(i.standing)}</span>}
        {i.cost !== null && i.cost > 0 && <> · {text.cost(formatNumber(Math.round(i.cost)))}</>}{i.riskCost !== null && i.riskCost > 0 && <span class="dim"> · {text.riskCost(formatNumber(Math.round(i.riskCost)))}</span>}</p>
      {i.items.length <= 1 && <p class="dim">{text.nothing}</p>}
      <div class="table-box"><table class="grid life-table">
        <thead><tr>{[c.twin, c.what, c.via, c.along].map((h) => <th key={h} scope="col">{h}</th>)}{[c.chance, c.otherwise, c.cost].map((h) => <th key={h} scope="col" class="number">{h}</th>)}</tr></thead>
        <tbody>{i.items.map((h) => <Row key={h.id} hit={h} />)}</tbody>
      </table></div>
      {i.more && <p class="dim">{text.more}</p>}
      {i.why !== undefined && i.why !== "" && <p class="dim">{text.why(i.why)}</p>}
      <Redundancy i={i} />
    </div>
  );
}

export function FaultSection({ id }: { id: string }) {
  useFault();
  const lit = fault.value === id, i = impact.value;
  return (
    <section data-testid="fault">
      <div class="toolbar">
        <h2>{text.title}</h2> <span class="spacer" />
        <button type="button" class="button" data-testid="fault-ask" aria-pressed={lit} onClick={() => (fault.value = lit ? "" : id)}>{lit ? text.off : text.ask(id)}</button>
        {lit && i !== null && <button type="button" class="button" data-testid="fault-graph" onClick={() => show("graph")}>{text.graph}</button>}
        {lit && i !== null && <button type="button" class="button" data-testid="fault-scene" onClick={() => show("scene")}>{text.scene}</button>}
      </div>
      {moment.value !== null && <p class="quality warn">⚠ {text.nowOnly}</p>}
      {!lit ? <p class="dim">{fault.value === "" ? text.hint : `${text.lit(fault.value)} ${text.hint}`}</p> : impactError.value !== null ? <p class="refusal" role="alert">{impactError.value}</p>
        : i === null ? <p class="dim">{text.asking}</p> : <Answer i={i} />}
    </section>
  );
}
