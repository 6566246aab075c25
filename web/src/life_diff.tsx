// Is what was built what was designed? Two phases of a life side by side.
import { useState } from "preact/hooks";
import { life, PHASES, type Difference, type Phase } from "./life_api";
import { saidText } from "./life_fact";
import { useAbout } from "./life_use";
import { lifeText as text } from "./text_life";

// What has to be looked at comes first.
const ORDER: readonly Difference["verdict"][] = ["out of tolerance", "different", "missing", "added", "within tolerance", "same"];
const LOOK: { [verdict in Difference["verdict"]]: string } = { "out of tolerance": "verdict-bad", different: "verdict-warn", missing: "verdict-warn", added: "", "within tolerance": "verdict-good", same: "dim" };

export function DiffView({ id }: { id: string }) {
  const [first, setFirst] = useState<Phase>("as-designed");
  const [second, setSecond] = useState<Phase>("as-built");
  const { value, error } = useAbout(JSON.stringify([id, first, second]), (stop, t) => life.diff(id, first, second, t, stop));
  const pick = (phase: Phase, put: (p: Phase) => void, name: string) => (
    <select value={phase} aria-label={name} data-testid={`diff-${name === text.diff.first ? "first" : "second"}`} onChange={(e) => put(e.currentTarget.value as Phase)}>
      {PHASES.map((p) => <option key={p} value={p}>{text.phases[p]}</option>)}
    </select>
  );
  return (
    <section data-testid="diff">
      <div class="toolbar">
        <label>{text.diff.first} {pick(first, setFirst, text.diff.first)}</label> <label>{text.diff.second} {pick(second, setSecond, text.diff.second)}</label>
        <span class="spacer" />
        {value !== null && value.items.length > 0 && <span class={value.outOfTolerance > 0 ? "verdict-bad" : "verdict-good"} data-testid="diff-out">{value.outOfTolerance > 0 ? "✗" : "✓"} {text.diff.out(value.outOfTolerance)}</span>}
      </div>
      {first === second ? <p class="dim">{text.diff.same}</p> : error !== null ? <p class="refusal" role="alert">{error}</p> : value === null ? <p class="dim">…</p>
        : value.items.length === 0 ? <p class="dim">{text.diff.none(text.phases[first].toLowerCase(), text.phases[second].toLowerCase())}</p> : (
          <div class="table-box"><table class="grid life-table">
            <thead><tr>{[text.diff.key, text.diff.verdict, text.phases[first], text.phases[second]].map((x) => <th key={x} scope="col">{x}</th>)}</tr></thead>
            <tbody>
              {[...value.items].sort((a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict)).map((d) => (
                <tr key={d.key} data-key={d.key} data-verdict={d.verdict}>
                  <th scope="row">{d.key}</th>
                  <td class={LOOK[d.verdict]}>{text.diff.verdicts[d.verdict]}</td>
                  <td>{d.first === undefined ? "" : saidText(d.first)}</td>
                  <td class={d.verdict === "out of tolerance" ? "verdict-bad" : ""}>{d.second === undefined ? "" : saidText(d.second)}</td>
                </tr>
              ))}
            </tbody>
          </table></div>
        )}
    </section>
  );
}
