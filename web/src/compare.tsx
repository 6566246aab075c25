// Runs of scenarios side by side in numbers: where each output ends, how low and high it goes, and how far from the first run.
import { middleOf, runColor, spread } from "./fan";
import { formatNumber } from "./format";
import type { Run } from "./runs";
import { actText as text } from "./text_act";

const short = (x: number): string => formatNumber(Number(x.toPrecision(4)));

interface Facts { end: number; low: number; high: number; least: number; most: number }
/** Of one output of a run that is over; null: there is nothing to compare. */
export function factsOf(run: Run, output: string): Facts | null {
  const quantiles = run.futures?.state === "done" ? run.futures.outputs?.[output]?.quantiles : undefined, s = quantiles === undefined ? null : spread(quantiles);
  const middle = middleOf(run, output);
  if (quantiles === undefined || s === null || middle === null || middle.length === 0) return null;
  const last = middle.length - 1;
  return { end: middle[last]!, low: quantiles[s.low]![last]!, high: quantiles[s.high]![last]!, least: Math.min(...quantiles[s.low]!), most: Math.max(...quantiles[s.high]!) };
}

function Cell({ facts, base, unit }: { facts: Facts | null; base: Facts | null; unit: string }) {
  if (facts === null) return <td class="dim">–</td>;
  const off = base === null || base === facts ? null : facts.end - base.end;
  return (
    <td>
      <strong>{short(facts.end)} {unit}</strong> {off !== null && <span class="dim">({off > 0 ? "+" : ""}{short(off)})</span>}
      <br /><span class="dim">{text.compare.between(short(facts.low), short(facts.high))} · {text.compare.range(short(facts.least), short(facts.most))}</span>
    </td>
  );
}

export function Compare({ runs, outputs, unitOf }: { runs: readonly Run[]; outputs: readonly string[]; unitOf: (output: string) => string }) {
  if (runs.filter((r) => r.futures?.state === "done").length < 2) return null;
  return (
    <section data-testid="compare">
      <h2>{text.compare.title}</h2>
      <p class="dim">{text.compare.hint}</p>
      <div class="table-box"><table class="grid compare">
        <thead><tr><th scope="col">{text.compare.output}</th>{runs.map((r, i) => <th key={r.id} scope="col"><span class="swatch" style={{ background: runColor(i) }} /> {r.name}</th>)}</tr></thead>
        <tbody>
          {outputs.map((o) => {
            const all = runs.map((r) => factsOf(r, o));
            return <tr key={o}><th scope="row">{o}</th>{all.map((f, i) => <Cell key={i} facts={f} base={i === 0 ? null : all[0]!} unit={unitOf(o)} />)}</tr>;
          })}
        </tbody>
      </table></div>
    </section>
  );
}
