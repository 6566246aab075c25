// The winner of a comparison, done: each change of the scenario as a command or a desired value, with what the server says to it,
// sent together once all are permitted.
import { useEffect, useState } from "preact/hooks";
import { Followed, mayNotAct, TrialView, useTrial, valueText } from "./act";
import { acts, type Act, type Command } from "./act_api";
import { api, type Twin } from "./api";
import type { Todo } from "./runs";
import { actText as text } from "./text_act";

/** The ways in which a twin can be brought to a value: commands that take it by its name, and desired values. */
export function waysOf(twin: Twin, todo: Todo): Act[] {
  const v = twin.values.find((x) => x.path === todo.path);
  if (v === undefined) return [];
  const value = v.kind === "boolean" ? todo.value !== 0 : v.kind === "integer" ? Math.round(todo.value) : todo.value;
  return [...(twin.commands ?? []).filter((c) => c.request?.name === todo.path).map((c): Act => ({ twin: twin.id, name: c.name, set: false, value })),
          ...(v.writable && !v.telemetry ? [{ twin: twin.id, name: v.path, set: true, value }] : [])];
}

type Tell = (permitted: boolean) => void;
interface StepProps { ways: readonly Act[]; go: boolean; tell: Tell }

function Step({ ways, go, tell }: StepProps) {
  const [way, setWay] = useState(0), [sent, setSent] = useState<Command | null>(null), [refused, setRefused] = useState<string | null>(null);
  const act = ways[way]!;
  const { trial, error } = useTrial(act);
  useEffect(() => tell(trial?.permitted === true), [trial]);
  useEffect(() => {
    if (go && sent === null) acts.ask(act).then((c) => { setSent(c); setRefused(null); }, (e: Error) => setRefused(e.message));
  }, [go]);
  return (
    <div class="order" data-testid={`do-${act.twin}.${act.name}`}>
      <div class="toolbar">
        <strong>{text.act.what(act.name, valueText(act.value), act.twin)}</strong>
        {ways.length > 1 && !go && <label>{text.winner.as} <select value={way} onChange={(e) => setWay(Number(e.currentTarget.value))}>{ways.map((w, i) => <option key={i} value={i}>{w.set ? text.winner.desired : text.winner.command(w.name)}</option>)}</select></label>}
      </div>
      {sent !== null ? <Followed first={sent} /> : trial === null ? <p class="dim">{error ?? text.act.asking}</p> : <TrialView trial={trial} set={act.set} />}
      {refused !== null && <p class="refusal" role="alert">{refused}</p>}
    </div>
  );
}

export function DoIt({ name, todo, close }: { name: string; todo: readonly Todo[]; close: () => void }) {
  const [ways, setWays] = useState<Act[][] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [permitted, setPermitted] = useState<{ [i: number]: boolean }>({});
  const [go, setGo] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    Promise.all(todo.map(async (t) => waysOf(await api.twin(t.twin, stop.signal), t))).then(setWays, (e: Error) => { if (!stop.signal.aborted) setError(e.message); });
    return () => stop.abort();
  }, [JSON.stringify(todo)]);
  const forbidden = mayNotAct();
  const steps = (ways ?? []).flatMap((w, i) => (w.length > 0 && todo[i]!.at === "" ? [i] : []));
  return (
    <div class="panel act" data-testid="do-it">
      <p><strong>{text.winner.title(name)}</strong></p>
      {error !== null && <p class="refusal" role="alert">{error}</p>}
      {ways !== null && todo.map((t, i) => (
        steps.includes(i) ? <Step key={i} ways={ways[i]!} go={go} tell={(p) => setPermitted((all) => (all[i] === p ? all : { ...all, [i]: p }))} />
          : <p key={i} class="quality warn">⚠ {t.at !== "" ? text.winner.later(`${t.twin}.${t.path}`, t.at) : text.winner.noWay(`${t.twin}.${t.path}`)}</p>
      ))}
      <div class="toolbar">
        {!go && <button type="button" class="button main" data-testid="do-send" disabled={forbidden !== null || steps.length === 0 || !steps.every((i) => permitted[i] === true)} onClick={() => setGo(true)}>{text.winner.send(steps.length)}</button>}
        <button type="button" class="button" onClick={close}>{go ? text.act.close : text.act.cancel}</button>
        {forbidden !== null && <span class="dim">{forbidden}</span>}
      </div>
    </div>
  );
}
