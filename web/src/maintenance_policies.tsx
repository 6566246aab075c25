// What the plan costs beside other policies, in the same futures.
import { formatNumber } from "./format";
import { chance, spanOfHours } from "./maintenance_chart";
import type { Mean, Policy, Proposal } from "./maintenance_api";
import { maintenanceText as text } from "./text_maintenance";

export const money = (x: number): string => formatNumber(Math.abs(x) >= 1000 ? Math.round(x) : Number(x.toPrecision(4)));
const few = (x: number): string => formatNumber(Number(x.toPrecision(2)));
const pm = ([mean, half]: Mean): string => text.policies.pm(money(mean), few(half));

/** How far single futures lie from their mean: one standard deviation, from half of the mean's 95 % interval. */
export const deviation = ([, half]: Mean, lanes: number): number => (half / 1.96) * Math.sqrt(lanes);

function CostBar({ policy, lanes, high }: { policy: Policy; lanes: number; high: number }) {
  const [mean, half] = policy.cost, sd = deviation(policy.cost, lanes), x = (v: number) => `${(100 * Math.min(1, Math.max(0, v / high))).toFixed(2)}%`;
  const width = (a: number, b: number) => `${(100 * Math.max(0, Math.min(1, b / high) - Math.max(0, a / high))).toFixed(2)}%`;
  return (
    <svg class="policy-bar" role="img" aria-label={`${pm(policy.cost)}, ${text.policies.columns.spread} ${text.policies.spread(few(sd))}`}>
      <rect x="0" y="5" width={x(mean)} height="16" fill="currentColor" opacity="0.55" />
      <rect class="spread" x={x(mean - sd)} y="1" width={width(mean - sd, mean + sd)} height="24" fill="currentColor" />
      <line class="sure" x1={x(mean - half)} x2={x(mean + half)} y1="13" y2="13" />
      <line class="sure" x1={x(mean)} x2={x(mean)} y1="5" y2="21" />
    </svg>
  );
}

export function Policies({ compare }: { compare: Proposal["compare"] }) {
  const c = text.policies.columns;
  if (compare === undefined) return <section data-testid="policies"><h2>{text.policies.title}</h2><p class="dim">{text.policies.none}</p></section>;
  const high = Math.max(1e-9, ...compare.policies.map((p) => p.cost[0] + deviation(p.cost, compare.lanes)));
  return (
    <section data-testid="policies">
      <h2>{text.policies.title}</h2>
      <p class="dim life-note">{text.policies.about(compare.lanes.toLocaleString("en"), spanOfHours(compare.hours))}</p>
      <div class="table-box"><table class="grid policies">
        <thead><tr><th scope="col">{c.policy}</th><th scope="col">{c.cost}</th><th scope="col">{c.spread}</th><th scope="col">{c.more}</th>{[c.failures, c.jobs, c.available].map((x) => <th key={x} scope="col" class="quiet">{x}</th>)}</tr></thead>
        <tbody>
          {compare.policies.map((p) => (
            <tr key={p.policy} data-policy={p.policy}>
              <th scope="row">{text.policies.names[p.policy]}</th>
              <td><strong>{pm(p.cost)}</strong><CostBar policy={p} lanes={compare.lanes} high={high} /></td>
              <td class="number">{text.policies.spread(few(deviation(p.cost, compare.lanes)))}</td>
              <td class="number">{p.more === undefined ? "–" : pm(p.more)}</td>
              <td class="number quiet">{pm(p.failures)}</td>
              <td class="number quiet">{pm(p.jobs)}</td>
              <td class="number quiet">{chance(p.availability[0])}</td>
            </tr>
          ))}
        </tbody>
      </table></div>
      <p class="dim hint">{text.policies.hint}</p>
    </section>
  );
}
