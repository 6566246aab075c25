// What if: fork the plant as it is, or was, change some of it, and watch what may come.
import { useEffect, useState } from "preact/hooks";
import { api, type Json, type Verification } from "./api";
import { Fan, runColor } from "./fan";
import { formatMoment, formatNumber, formatSpan } from "./format";
import { groupOf, sliderRange, variablesOf, type Variable } from "./group";
import { Compare } from "./compare";
import { mayNotAct } from "./act";
import { now, principal } from "./live";
import { drop, pin, runs, start, startRuns, type Run, type Todo } from "./runs";
import { token } from "./session";
import { text } from "./text";
import { actText } from "./text_act";
import { useRegularly } from "./use_regularly";
import { DoIt } from "./what_if_do";
import { moment, plotted, selected } from "./view";

interface Change { variable: string; value: number; at: string; for: string }
interface Scenario { name: string; changes: Change[] }
const HORIZONS: [string, number][] = [["10min", 600], ["1h", 3600], ["6h", 21600], ["24h", 86400], ["7d", 604800]];
const LANES = [64, 256, 1024, 4096];
const SPREADS = [0.05, 0.1, 0.2, 0.5];
const QUANTILES = [0.05, 0.5, 0.95];
const POINTS = 96;

function useGroup(): { variables: Variable[] | null; error: string | null } {
  const [variables, setVariables] = useState<Variable[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const root = selected.value;
  useEffect(() => {
    if (root === null) return;
    const stop = new AbortController();
    setVariables(null);
    groupOf(root, stop.signal).then((twins) => { setVariables(variablesOf(twins)); setError(null); }, (e: Error) => { if (!stop.signal.aborted) setError(e.message); });
    return () => stop.abort();
  }, [root, token.value]);
  return { variables, error };
}

const label = (v: Variable): string => `${v.twin} · ${v.label}${v.unit === "" ? "" : ` [${v.unit}]`}`;

function Choice({ variables, value, onPick, empty }: { variables: readonly Variable[]; value: string; onPick: (name: string) => void; empty: string }) {
  return (
    <select value={value} aria-label={empty} onChange={(e) => onPick(e.currentTarget.value)}>
      <option value="">{empty}</option>
      {variables.map((v) => <option key={v.name} value={v.name}>{label(v)}</option>)}
    </select>
  );
}

function ChangeRow({ change, variables, put, remove }: { change: Change; variables: readonly Variable[]; put: (c: Change) => void; remove: () => void }) {
  const v = variables.find((x) => x.name === change.variable);
  if (v === undefined) return null;
  const r = sliderRange(v.value);
  const value = (e: { currentTarget: HTMLInputElement }) => { if (e.currentTarget.value !== "") put({ ...change, value: Number(e.currentTarget.value) }); };
  return (
    <li class="toolbar change">
      <span class="name-of">{label(v)} <span class="dim">{text.future.nowIs(formatNumber(v.value))}</span></span>
      <button type="button" class="plain" aria-label={text.future.remove} onClick={remove}>✕</button>
      <input type="range" {...r} value={change.value} aria-label={label(v)} onInput={value} />
      <input type="number" step="any" value={change.value} aria-label={label(v)} data-testid="change-value" onInput={value} />
      <label class="dim">{text.future.after} <input class="short" placeholder="0" value={change.at} onInput={(e) => put({ ...change, at: e.currentTarget.value })} /></label>
      <label class="dim">{text.future.during} <input class="short" placeholder={text.future.always} value={change.for} onInput={(e) => put({ ...change, for: e.currentTarget.value })} /></label>
    </li>
  );
}

function ScenarioBox({ scenario, variables, put, remove }: { scenario: Scenario; variables: readonly Variable[]; put: (s: Scenario) => void; remove: (() => void) | null }) {
  const changes = scenario.changes;
  return (
    <fieldset data-testid="scenario">
      <legend>
        <input value={scenario.name} aria-label={text.future.scenarioName} onInput={(e) => put({ ...scenario, name: e.currentTarget.value })} />
        {remove !== null && <button type="button" class="plain" aria-label={text.future.remove} onClick={remove}>✕</button>}
      </legend>
      {changes.length === 0 && <p class="dim">{text.future.unchanged}</p>}
      <ul class="plain-list">
        {changes.map((c, i) => (
          <ChangeRow key={c.variable} change={c} variables={variables}
                     put={(next) => put({ ...scenario, changes: changes.map((x, k) => (k === i ? next : x)) })}
                     remove={() => put({ ...scenario, changes: changes.filter((_, k) => k !== i) })} />
        ))}
      </ul>
      <Choice variables={variables.filter((v) => !changes.some((c) => c.variable === v.name)).sort((a, b) => Number(a.measured) - Number(b.measured))} value="" empty={text.future.change}
              onPick={(name) => { const v = variables.find((x) => x.name === name); if (v !== undefined) put({ ...scenario, changes: [...changes, { variable: name, value: v.value, at: "", for: "" }] }); }} />
    </fieldset>
  );
}

function Unknowns({ variables, unknown, put }: { variables: readonly Variable[]; unknown: Record<string, number>; put: (u: Record<string, number>) => void }) {
  return (
    <div class="toolbar" data-testid="unknowns">
      <strong>{text.future.unknown}</strong>
      {Object.entries(unknown).map(([name, sd]) => (
        <span key={name} class="chip">
          {name} ±
          <select value={sd} aria-label={name} onChange={(e) => put({ ...unknown, [name]: Number(e.currentTarget.value) })}>{SPREADS.map((s) => <option key={s} value={s}>{s * 100} %</option>)}</select>
          <button type="button" class="plain" aria-label={text.future.remove} onClick={() => { const { [name]: _, ...rest } = unknown; put(rest); }}>✕</button>
        </span>
      ))}
      <Choice variables={variables.filter((v) => !v.measured && !(v.name in unknown))} value="" empty={text.future.addUnknown} onPick={(name) => { if (name !== "") put({ ...unknown, [name]: 0.1 }); }} />
      {Object.keys(unknown).length === 0 && <span class="dim">{text.future.noUnknown}</span>}
    </div>
  );
}

/** The request of one scenario. All of a run have the seed and the unknowns in common, so that differences are no noise. */
export function requestOf(root: string, s: Scenario, o: { horizon: string; lanes: number; seed: number; outputs: string[]; unknown: Record<string, number>; asOf: number | null }): Json {
  return {
    root, horizon: o.horizon, lanes: o.lanes, seed: o.seed, points: POINTS, outputs: o.outputs, quantiles: QUANTILES, wait: false, save: true,
    ...(o.asOf === null ? {} : { asOf: new Date(o.asOf).toISOString() }),
    vary: [
      ...Object.entries(o.unknown).map(([name, sd]) => `${name}*=normal(1,${sd})`),
      ...s.changes.map((c) => ({ name: c.variable, value: c.value, ...(c.at.trim() === "" ? {} : { at: c.at.trim() }), ...(c.for.trim() === "" ? {} : { for: c.for.trim() }) })),
      // What is set anew is not known any better.
      ...s.changes.filter((c) => c.variable in o.unknown).map((c) => `${c.variable}*=normal(1,${o.unknown[c.variable]})${c.at.trim() === "" ? "" : `@${c.at.trim()}`}`),
    ],
  };
}

function todoOf(s: Scenario, variables: readonly Variable[]): Todo[] {
  return s.changes.flatMap((c): Todo[] => {
    const v = variables.find((x) => x.name === c.variable);
    return v === undefined ? [] : [{ twin: v.twin, path: v.path, value: c.value, at: c.at.trim() }];
  });
}

/** Saved futures of this and other pages, to be put on this one. */
function Earlier() {
  const { value } = useRegularly((stop) => api.futuresList(stop), 10000, [runs.value.length]);
  const others = (value?.value ?? []).filter((f) => f.state === "done" && !runs.value.some((r) => r.id === f.id));
  if (others.length === 0) return null;
  return (
    <select value="" aria-label={actText.verify.earlier} data-testid="earlier" onChange={(e) => { const f = others.find((o) => o.id === e.currentTarget.value); if (f !== undefined) pin(f.id, `${f.root} ${formatMoment(Date.parse(f.asOf))}`); }}>
      <option value="">{actText.verify.earlier}</option>
      {others.map((f) => <option key={f.id} value={f.id}>{f.root} · {formatMoment(Date.parse(f.asOf))}</option>)}
    </select>
  );
}

function Verified({ run }: { run: Run }) {
  const [v, setV] = useState<Verification | string | null>(null);
  // What lies in the past altogether is held against the truth without being asked.
  const f = run.futures, over = f?.time !== undefined && Date.parse(f.asOf) + 1000 * (f.time[f.time.length - 1] ?? 0) <= now.peek();
  useEffect(() => { if (over) void api.verification(run.id).then(setV, (e: Error) => setV(e.message)); }, [run.id, over]);
  return (
    <>
      <button type="button" class="button" data-testid="verify" onClick={() => void api.verification(run.id).then(setV, (e: Error) => setV(e.message))}>{text.future.verify}</button>
      {typeof v === "string" && <p class="refusal">{v}</p>}
      {v !== null && typeof v !== "string" && (
        <ul data-testid="verified">
          {Object.entries(v.outputs).map(([name, o]) => (
            <li key={name}>
              {name}: {o.points === 0 ? text.future.tooEarly : text.future.verified(o.points, Object.entries(o.below).map(([q, share]) => `${Math.round(Number(q) * 100)} % → ${share === null ? "–" : `${Math.round(share * 100)} %`}`).join(", "), o.rmse === null ? "–" : formatNumber(Number(o.rmse.toPrecision(3))))}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function RunRow({ run, index }: { run: Run; index: number }) {
  const f = run.futures;
  const [doing, setDoing] = useState(false);
  return (
    <li class="run" data-testid="run">
      <div class="toolbar">
        <span class="swatch" style={{ background: runColor(index) }} /> <strong>{run.name}</strong>
        {f !== null && f.asOf !== "" && <span class="dim">{f.root} · {text.future.forked(formatMoment(Date.parse(f.asOf)))}</span>}
        {f?.state === "running" && <><progress max={1} value={f.progress ?? 0} /> <span class="dim">{text.future.counted(f.counted ?? 0)}</span></>}
        {f?.state === "done" && <span data-testid="run-done">✓ {text.future.done(f.lanes ?? 0, f.seconds ?? 0)}{(f.diverged ?? 0) > 0 && ` · ${text.future.diverged(f.diverged!)}`}</span>}
        {f?.state === "cancelled" && <span>{text.future.cancelled}</span>}
        <div class="actions">
        {f?.state === "done" && <Verified run={run} />}
        {f?.state === "done" && run.todo.length > 0 && <button type="button" class="button" data-testid="do-run" aria-expanded={doing} disabled={mayNotAct() !== null} title={mayNotAct() ?? undefined} onClick={() => setDoing(!doing)}>{actText.winner.button}</button>}
        <button type="button" class="button" onClick={() => drop(run)}>{f?.state === "running" ? text.future.cancel : text.future.unpin}</button>
        </div>
      </div>
      {run.error !== null && <p class="refusal" role="alert">{run.error}</p>}
      {doing && <DoIt name={run.name} todo={run.todo} close={() => setDoing(false)} />}
    </li>
  );
}

function Form({ root, variables }: { root: string; variables: Variable[] }) {
  const measured = variables.filter((v) => v.measured), without = variables.filter((v) => v.twin === root && v.commanded);
  const own = measured.filter((v) => v.twin === root);
  const chosen = own.filter((v) => plotted.peek().includes(v.path));
  const [scenarios, setScenarios] = useState<Scenario[]>([{ name: text.future.asItIs, changes: [] }]);
  const [unknown, setUnknown] = useState<Record<string, number>>({});
  const [outputs, setOutputs] = useState<string[]>((chosen.length > 0 ? chosen : own.length > 0 ? own : measured).slice(0, 2).map((v) => v.name));
  const [horizon, setHorizon] = useState("6h");
  const [lanes, setLanes] = useState(256);
  const [error, setError] = useState<string | null>(null);
  const reader = principal.value?.role === "reader";
  const seconds = HORIZONS.find(([h]) => h === horizon)![1];
  // The fan that would have been drawn one horizon ago, over what then came.
  const lookBack = async () => {
    setError(null);
    try {
      const asIs: Scenario = { name: "", changes: [] }, then = (moment.value ?? now.value) - 1000 * seconds;
      await start(actText.verify.name(formatSpan(seconds)), requestOf(root, asIs, { horizon, lanes, seed: Math.floor(Math.random() * 2 ** 31), outputs, unknown, asOf: then }), seconds, []);
    } catch (e) {
      setError((e as Error).message);
    }
  };
  const run = async () => {
    setError(null);
    const seed = Math.floor(Math.random() * 2 ** 31);
    try {
      for (const s of scenarios) await start(s.name, requestOf(root, s, { horizon, lanes, seed, outputs, unknown, asOf: moment.value }), seconds, todoOf(s, variables));
    } catch (e) {
      setError((e as Error).message);
    }
  };
  return (
    <section>
      <h2>{moment.value === null ? text.future.titleNow(root) : text.future.titleThen(root, formatMoment(moment.value))}</h2>
      <div class="scenarios">
        {scenarios.map((s, i) => (
          <ScenarioBox key={i} scenario={s} variables={variables} put={(next) => setScenarios(scenarios.map((x, k) => (k === i ? next : x)))}
                       remove={scenarios.length > 1 ? () => setScenarios(scenarios.filter((_, k) => k !== i)) : null} />
        ))}
      </div>
      <div class="toolbar">
        {without.length > 0 && <button type="button" class="button" data-testid="without" onClick={() => setScenarios([...scenarios, { name: text.future.without(root), changes: without.map((v) => ({ variable: v.name, value: 0, at: "", for: "" })) }])}>{text.future.without(root)}</button>}
        <button type="button" class="button" data-testid="add-scenario" onClick={() => setScenarios([...scenarios, { name: text.future.scenario(scenarios.length + 1), changes: [] }])}>{text.future.addScenario}</button>
      </div>
      <Unknowns variables={variables} unknown={unknown} put={setUnknown} />
      <div class="toolbar">
        <strong>{text.future.look}</strong>
        {outputs.map((o) => <span key={o} class="chip">{o} <button type="button" class="plain" aria-label={text.future.remove} onClick={() => setOutputs(outputs.filter((x) => x !== o))}>✕</button></span>)}
        <Choice variables={measured.filter((v) => !outputs.includes(v.name))} value="" empty={text.future.addOutput} onPick={(name) => { if (name !== "") setOutputs([...outputs, name]); }} />
      </div>
      <div class="toolbar">
        <label>{text.future.horizon} <select value={horizon} data-testid="horizon" onChange={(e) => setHorizon(e.currentTarget.value)}>{HORIZONS.map(([h, s]) => <option key={h} value={h}>{formatSpan(s)}</option>)}</select></label>
        <label>{text.future.lanes} <select value={lanes} data-testid="lanes" onChange={(e) => setLanes(Number(e.currentTarget.value))}>{LANES.map((n) => <option key={n}>{n}</option>)}</select></label>
        <button type="button" class="button main" data-testid="run-futures" disabled={outputs.length === 0 || reader} title={reader ? text.future.mayNot : undefined} onClick={() => void run()}>{text.future.run}</button>
        <button type="button" class="button" data-testid="look-back" disabled={outputs.length === 0 || reader} title={actText.verify.what(formatSpan(seconds))} onClick={() => void lookBack()}>{actText.verify.button(formatSpan(seconds))}</button>
        <Earlier />
        {reader && <span class="dim">{text.future.mayNot}</span>}
      </div>
      {error !== null && <p class="refusal" role="alert">{error}</p>}
    </section>
  );
}

export function WhatIf() {
  const { variables, error } = useGroup();
  const [apart, setApart] = useState(false);
  useEffect(startRuns, []);
  const root = selected.value;
  const shown = runs.value;
  const outputs = [...new Set(shown.flatMap((r) => Object.keys(r.futures?.outputs ?? {})))];
  const unitOf = (name: string) => variables?.find((v) => v.name === name)?.unit ?? "";
  return (
    <>
      {root === null || error !== null ? <p class="empty">{error ?? text.pickTwin}</p>
        : variables === null ? <p class="empty">{text.loading}</p>
        : variables.length === 0 ? <p class="empty">{text.future.nothingNumeric(root)}</p>
        : <Form key={root} root={root} variables={variables} />}
      {shown.length > 0 && (
        <section>
          {shown.length > 1 && <div class="toolbar">
            <span class="spacer" />
            <button type="button" class="button" data-testid="side-by-side" aria-pressed={apart} onClick={() => setApart(!apart)}>{actText.compare.apart}</button>
          </div>}
          <ul class="plain-list">{shown.map((r, i) => <RunRow key={r.id} run={r} index={i} />)}</ul>
        </section>
      )}
      <Compare runs={shown} outputs={outputs} unitOf={unitOf} />
      {outputs.map((o) => (apart && shown.length > 1
        ? <div key={o} class="scenarios">{shown.map((r) => <Fan key={r.id} output={o} unit={unitOf(o)} runs={shown} alone={r.id} />)}</div>
        : <Fan key={o} output={o} unit={unitOf(o)} runs={shown} />))}
    </>
  );
}
