// What a system amounts to from its parts, and the systems right below it.
import { FaultSection } from "./fault_list";
import { formatNumber } from "./format";
import { life, type Amount } from "./life_api";
import { OriginsSection } from "./origins";
import { lifeText } from "./text_life";
import { useRegularly } from "./use_regularly";
import { moment, select, selected } from "./view";
import "./life.css";

const text = lifeText.system, EVERY_MS = 2000;

const share = (x: number | undefined): string => (x === undefined || x === null ? text.unknown : `${formatNumber(Math.round(x * 1000) / 10)} %`);

/** The value as one reads it, with a sign that is not only a colour. */
export function amountText(a: Amount): string {
  if (a.value === null || a.value === undefined) return text.unknown;
  if (typeof a.value === "boolean") return a.value ? text.works : text.fails;
  if (typeof a.value === "string") return a.value;
  if (a.function === "oee") return share(a.value);
  return `${formatNumber(a.value)}${a.unit === undefined ? "" : ` ${a.unit}`}`;
}

function Card({ amount }: { amount: Amount }) {
  const a = amount;
  return (
    <div class="sum" data-testid={`amount-${a.name}`}>
      <span class="dim">{a.name} · {text.functions[a.function] ?? a.function}</span>
      {a.trouble !== undefined ? <p class="refusal">✗ {a.trouble}</p> : (
        <>
          <strong class={a.value === false ? "verdict-bad" : a.value === true ? "verdict-good" : ""}>{amountText(a)}</strong>
          {a.working !== undefined && a.needed !== undefined && a.spare !== undefined && <p class={a.spare > 0 ? "dim" : a.spare === 0 ? "verdict-warn" : "verdict-bad"}>{text.of(a.working, a.needed)} · {text.spare(a.spare)}</p>}
          {a.function === "oee" && <p class="dim">{text.oee(share(a.availability), share(a.performance), share(a.quality))}</p>}
          <p class="dim">{text.members(a.members ?? 0)}{(a.missing ?? 0) > 0 && <span class="verdict-warn"> · ⚠ {text.missing(a.missing!)}</span>}</p>
        </>
      )}
    </div>
  );
}

function Below({ amounts }: { amounts: readonly Amount[] }) {
  const names = [...new Set(amounts.map((a) => a.name))], twins = [...new Set(amounts.map((a) => a.twin!))];
  return (
    <section data-testid="systems-below">
      <h2>{text.below}</h2>
      {twins.length === 0 ? <p class="dim">{text.belowNone}</p> : (
        <div class="table-box"><table class="grid">
          <thead><tr><th scope="col">{text.member}</th>{names.map((n) => <th key={n} scope="col" class="number">{n}</th>)}</tr></thead>
          <tbody>
            {twins.map((twin) => (
              <tr key={twin} data-system={twin}>
                <th scope="row"><button type="button" class="link" onClick={() => select(twin)}>{twin}</button></th>
                {names.map((n) => {
                  const a = amounts.find((x) => x.twin === twin && x.name === n);
                  return <td key={n} class={a?.value === false ? "number verdict-bad" : "number"} title={a?.trouble}>{a === undefined ? "" : a.trouble !== undefined ? "✗" : amountText(a)}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </table></div>
      )}
    </section>
  );
}

function Amounts({ id }: { id: string }) {
  const { value, error } = useRegularly(async (stop) => ({ id, mine: await life.amounts(id, stop), plant: await life.plantAmounts(stop) }), EVERY_MS, [id]);
  if (error !== null && value === null) return <p class="empty" role="alert">{error}</p>;
  if (value === null || value.id !== id) return <p class="empty">{lifeText.loading}</p>;
  const mine = value.mine.items.filter((a) => a.twin === id), below = value.mine.items.filter((a) => a.twin !== id), plant = value.plant.items;
  const declared = (value.plant.declared ?? 0) > 0;
  return (
    <>
      <section data-testid="amounts">
        <div class="toolbar"><h2>{text.title(id)}</h2></div>
        {moment.value !== null && <p class="quality warn">⚠ {text.nowOnly}</p>}
        {!declared ? <p class="dim" data-testid="amounts-none">{text.none}</p> : mine.length === 0 ? <p class="dim" data-testid="amounts-none">{text.notThis(id)}</p> : <div class="sums">{mine.map((a) => <Card key={a.name} amount={a} />)}</div>}
        {(value.mine.outside ?? 0) > 0 && <p class="dim" data-testid="amounts-outside">{text.outside(value.mine.outside!)}</p>}
        {value.mine.more === true && <p class="dim">{text.more}</p>}
        {mine.length > 0 && <p class="dim hint">{text.noHistory}</p>}
      </section>
      {mine.length > 0 && <Below amounts={below} />}
      <FaultSection id={id} />
      <OriginsSection />
      {plant.length > 0 && <section data-testid="amounts-plant"><h2>{text.plant}</h2><div class="sums">{plant.map((a) => <Card key={a.name} amount={a} />)}</div></section>}
    </>
  );
}

export function System() {
  const id = selected.value;
  return id === null ? <p class="empty">{lifeText.pick}</p> : <Amounts key={id} id={id} />;
}
