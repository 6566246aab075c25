// Plans that are made again and again: what each wants and what that would bring; arming, with an end and a reason.
import { useState } from "preact/hooks";
import { acts, type Plan, type PlanInput } from "./act_api";
import { beating, endBeats, startBeats } from "./beats";
import { formatMoment, formatNumber, formatSpan } from "./format";
import { principal } from "./live";
import { PlanRanking } from "./plan_ranking";
import { control, refreshControl } from "./stop";
import { actText as text } from "./text_act";
import { useRegularly } from "./use_regularly";
import { selected, show } from "./view";

const EVERY_MS = 3000;
const BEATS = [0, 30, 120, 600]; // seconds
const LENGTHS = ["1h", "8h", "24h", "7d"];
const short = (x: number | undefined): string => (x === undefined ? "–" : formatNumber(Number(x.toPrecision(4))));

/** The course of an input: its values as steps. */
export function steps(values: readonly number[], width: number, height: number): string {
  const low = Math.min(...values), high = Math.max(...values);
  const y = (v: number) => (high > low ? height - 2 - ((v - low) / (high - low)) * (height - 4) : height / 2).toFixed(1);
  return values.flatMap((v, i) => [`${((i / values.length) * width).toFixed(1)},${y(v)}`, `${(((i + 1) / values.length) * width).toFixed(1)},${y(v)}`]).join(" ");
}

/** The twin of TWIN.PATH. */
const twinOf = (name: string): string => (name.includes(".") ? name.slice(0, name.indexOf(".")) : name);

const WIDTH = 160, HEIGHT = 24;
function InputRow({ name, input }: { name: string; input: PlanInput }) {
  const plan = input.plan ?? [], unit = input.unit ?? "";
  return (
    <tr>
      <th scope="row"><button type="button" class="link" onClick={() => show("twin", twinOf(name))}>{name}</button></th>
      <td class="number">{short(input.before)} {unit}</td>
      <td class="number"><strong>{short(input.now)} {unit}</strong></td>
      <td class="number">{short(input.worth)}</td>
      <td>{plan.length > 0 && <svg class="spark" width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={plan.map((v) => short(v)).join(", ")}><polyline points={steps(plan, WIDTH, HEIGHT)} fill="none" stroke="currentColor" stroke-width="1.5" /></svg>}</td>
    </tr>
  );
}

/** Arms or disarms all of the twins, one after the other; the first that is refused ends it. */
export function ArmForm({ twins, action, done }: { twins: readonly string[]; action: "arm" | "disarm"; done: () => void }) {
  const [reason, setReason] = useState(""), [length, setLength] = useState("8h"), [beat, setBeat] = useState(0), [error, setError] = useState<string | null>(null);
  const send = async () => {
    try {
      for (const twin of twins) {
        if (action === "disarm") endBeats(twin);
        control.value = await acts.controlAct(action, { twin, reason: reason.trim(), ...(action === "arm" ? { for: length, ...(beat > 0 ? { heartbeat: `${beat}s` } : {}) } : {}) });
        if (action === "arm" && beat > 0) startBeats(twin, beat);
      }
      done();
    } catch (e) {
      setError((e as Error).message);
    }
  };
  return (
    <form class="panel toolbar" data-testid={`${action}-form`} onSubmit={(e) => { e.preventDefault(); if (reason.trim() !== "") void send(); }}>
      <strong>{twins.join(", ")}</strong>
      <label class="grow">{text.plans.reason} <input required class="wide" value={reason} data-testid={`${action}-reason`} onInput={(e) => setReason(e.currentTarget.value)} /></label>
      {action === "arm" && <label>{text.plans.length} <select value={length} data-testid="arm-length" onChange={(e) => setLength(e.currentTarget.value)}>{LENGTHS.map((l) => <option key={l}>{l}</option>)}</select></label>}
      {action === "arm" && <label title={text.plans.beatWhat}>{text.plans.beat} <select value={beat} data-testid="arm-beat" onChange={(e) => setBeat(Number(e.currentTarget.value))}>{BEATS.map((b) => <option key={b} value={b}>{b === 0 ? text.plans.noBeat : formatSpan(b)}</option>)}</select></label>}
      <button type="submit" class="button main" data-testid={`${action}-now`}>{action === "arm" ? text.plans.armIt : text.plans.disarmIt}</button>
      {error !== null && <p class="refusal" role="alert">{error}</p>}
    </form>
  );
}

/** Why this person may not arm or disarm; null: he may. */
const mayNot = (arm: boolean): string | null =>
  principal.value?.role === "reader" ? text.act.mayNot : arm && principal.value?.role === "operator" ? text.plans.mayNotArm : null;

function ArmButtons({ name, twins, armed }: { name: string; twins: readonly string[]; armed: boolean }) {
  const [asked, setAsked] = useState<"arm" | "disarm" | null>(null);
  const action = armed ? "disarm" : "arm", why = mayNot(action === "arm");
  return (
    <>
      <button type="button" class="button" data-testid={`${action}-${name}`} aria-expanded={asked !== null} disabled={why !== null} title={why ?? undefined} onClick={() => setAsked(asked === null ? action : null)}>{action === "arm" ? text.plans.arm : text.plans.disarm}</button>
      {asked === action && <ArmForm twins={twins} action={asked} done={() => { setAsked(null); void refreshControl(); }} />}
    </>
  );
}

function PlanBox({ plan, again }: { plan: Plan; again: () => void }) {
  const [error, setError] = useState<string | null>(null);
  const forbidden = mayNot(false);
  const make = () => void acts.planMake(plan.name).then(() => { setError(null); again(); }, (e: Error) => setError(e.message));
  const inputs = Object.entries(plan.inputs ?? {});
  // It is done when the twins of all its inputs are armed.
  const twins = inputs.length === 0 ? [plan.root] : [...new Set(inputs.map(([name]) => twinOf(name)))];
  const armed = twins.every((t) => control.value?.armed.some((a) => a.twin === t) === true);
  return (
    <section data-testid={`plan-${plan.name}`}>
      <div class="toolbar">
        <h2>{plan.name} <span class="dim">{text.plans.root} <button type="button" class="link" onClick={() => show("twin", plan.root)}>{plan.root}</button></span></h2>
        <span class={plan.armed ? "quality good" : "dim"} data-testid="plan-state">{plan.armed ? `● ${text.plans.armed}` : `○ ${text.plans.advice}`}</span>
        {plan.running && <span class="dim">{text.plans.running}</span>}
        <span class="spacer" />
        <button type="button" class="button" data-testid="plan-make" disabled={plan.running || forbidden !== null} title={forbidden ?? undefined} onClick={make}>{text.plans.make}</button>
        <ArmButtons name={plan.name} twins={twins} armed={armed} />
      </div>
      {plan.trouble !== undefined && <p class="refusal">{plan.trouble}</p>}
      {error !== null && <p class="refusal" role="alert">{error}</p>}
      {plan.at === undefined ? <p class="dim">{text.plans.never} {plan.next !== undefined && text.plans.next(formatMoment(Date.parse(plan.next)))}</p> : (
        <>
          <dl class="facts">
            <div><dt>{text.plans.gain}</dt><dd data-testid="plan-gain">{text.plans.pm(short(plan.gain), plan.gainDeviation === undefined ? null : short(plan.gainDeviation))}</dd></div>
            <div><dt>{text.plans.cost}</dt><dd>{short(plan.cost)}</dd></div>
            <div><dt>{text.plans.held}</dt><dd>{short(plan.held)}</dd></div>
          </dl>
          <p class={(plan.broken ?? 0) > 0 ? "quality warn" : "dim"}>{(plan.broken ?? 0) > 0 ? `⚠ ${text.plans.broken(`${Math.round(plan.broken! * 100)} %`)}` : text.plans.kept}{" "}
            {text.plans.made(formatMoment(Date.parse(plan.at)), formatSpan(plan.seconds ?? 0))} {plan.from !== undefined && text.plans.from[plan.from]}
            {plan.next !== undefined && `, ${text.plans.next(formatMoment(Date.parse(plan.next)))}`}{plan.every !== undefined && `; ${text.plans.every(formatSpan(plan.every))}`}.</p>
          {plan.ranking !== undefined && plan.ranking.length > 0 && <PlanRanking ranking={plan.ranking} scenarios={plan.scenarios ?? 1} />}
          {inputs.length > 0 && (
            <div class="table-box"><table class="grid">
              <thead><tr>{[text.plans.input, text.plans.before, text.plans.wants, text.plans.worth, text.plans.course].map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
              <tbody>{inputs.map(([name, input]) => <InputRow key={name} name={name} input={input} />)}</tbody>
            </table></div>
          )}
        </>
      )}
    </section>
  );
}

function ArmedList() {
  const armed = control.value?.armed ?? [], twin = selected.value;
  return (
    <section data-testid="armed">
      <h2>{text.plans.armedTitle}</h2>
      {armed.length === 0 && <p class="dim">{text.plans.noneArmed}</p>}
      <ul class="plain-list">
        {armed.map((a) => (
          <li key={a.twin} class="order" data-testid={`armed-${a.twin}`}>
            <div class="toolbar"><strong>{a.twin}</strong> <span>{text.plans.until(a.who, formatMoment(Date.parse(a.until)), a.reason)}</span>{a.heartbeat !== undefined && <span class={a.twin in beating.value ? "quality good" : "dim"} data-testid={`beat-${a.twin}`}>♥ {text.plans.beats(formatSpan(a.heartbeat), a.twin in beating.value)}</span>}<span class="spacer" /><ArmButtons name={a.twin} twins={[a.twin]} armed /></div>
          </li>
        ))}
      </ul>
      {twin !== null && !armed.some((a) => a.twin === twin) && <div class="toolbar"><span class="dim">{twin}</span> <ArmButtons key={twin} name={twin} twins={[twin]} armed={false} /></div>}
    </section>
  );
}

export function Plans() {
  const { value, error, again } = useRegularly((stop) => acts.plans(stop), EVERY_MS);
  return (
    <>
      {error !== null && <p class="refusal" role="alert">{error}</p>}
      {value === null ? error === null && <p class="dim">{text.act.asking}</p> : value.length === 0 ? <section><h2>{text.plans.title}</h2><p class="dim">{text.plans.none}</p></section> : value.map((p) => <PlanBox key={p.name} plan={p} again={again} />)}
      {control.value !== null && <ArmedList />}
    </>
  );
}
