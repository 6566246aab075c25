// Settings that hold for a whole horizon: the best one, and those that came next.
import type { PlanSetting } from "./act_api";
import { formatNumber } from "./format";
import { actText as text } from "./text_act";

const short = (x: number): string => formatNumber(Number(x.toPrecision(4)));
const share = (x: number): string => `${Math.round(x * 100)} %`;

export function PlanRanking({ ranking, scenarios }: { ranking: readonly PlanSetting[]; scenarios: number }) {
  const names = Object.keys(ranking[0].inputs);
  return (
    <div class="table-box" data-testid="plan-ranking"><table class="grid">
      <caption>{text.plans.ranking(scenarios)}</caption>
      <thead><tr>{[...names, text.plans.cost, text.plans.gain, text.plans.better, text.plans.brokenIn].map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
      <tbody>{ranking.map((s, i) => (
        <tr key={i}>
          {names.map((n) => <td key={n} class="number">{i === 0 ? <strong>{short(s.inputs[n])}</strong> : short(s.inputs[n])}</td>)}
          <td class="number">{short(s.cost)}</td>
          <td class="number">{s.gainDeviation === undefined ? short(s.gain) : `${short(s.gain)} ± ${short(s.gainDeviation)}`}</td>
          <td class="number">{share(s.better)}</td>
          <td class={`number ${s.broken > 0 ? "quality warn" : ""}`}>{s.broken > 0 ? `⚠ ${share(s.broken)}` : share(0)}</td>
        </tr>
      ))}</tbody>
    </table></div>
  );
}
