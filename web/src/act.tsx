// One act on the world: a value by its schema, what the server would say to it (interlocks, expected effect), the confirmation,
// and its life until it is over.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Json } from "./api";
import { acts, type Act, type Command, type Interlock, type Trial } from "./act_api";
import type { Schema } from "./dtdl";
import { formatMoment, formatSpan, formatValue } from "./format";
import { principal } from "./live";
import { firstValue, misfit, Payload } from "./payload";
import { actText as text } from "./text_act";
import { useRegularly } from "./use_regularly";
import { moment } from "./view";

const TRY_EVERY_MS = 2000, FOLLOW_EVERY_MS = 500;
const OVER = ["closed", "failed", "timed out", "rolled back", "refused", "advised"];
const WAY = ["requested", "permitted", "sent", "acknowledged", "verified", "closed"];
/** Steps that are told as another. */
const AS: { [state: string]: string } = { validated: "requested", waiting: "permitted", approved: "permitted" };

export const isOver = (c: Command): boolean => OVER.includes(c.state);

/** Why this person can not act now; null: he can. */
export function mayNotAct(): string | null {
  if (principal.value?.role === "reader") return text.act.mayNot;
  return moment.value !== null ? text.act.notThen : null;
}

function InterlockRow({ lock }: { lock: Interlock }) {
  return (
    <li class={lock.permits ? "lock" : "lock refuses"} data-testid={`interlock-${lock.name}`} data-permits={lock.permits}>
      <strong>{lock.permits ? "✓" : "✗"} {lock.name}</strong> {lock.permits ? text.act.permits : text.act.refuses(lock.why ?? "")}
      {lock.because !== undefined && <> — {lock.because}</>}
      {lock.condition !== undefined && <code title={`${lock.file ?? ""}:${lock.line ?? ""}`}>{lock.condition}</code>}
    </li>
  );
}

/** What the server would say, and what is expected to follow. */
export function TrialView({ trial, set }: { trial: Trial; set: boolean }) {
  return (
    <div class="trial" data-testid="trial" data-permitted={trial.permitted}>
      <p class={trial.permitted ? "quality good" : "refusal"}>{trial.permitted ? `✓ ${text.act.permitted}` : `✗ ${text.act.notPermitted(trial.reason ?? "")}`}</p>
      {trial.interlocks.length === 0 ? <p class="dim">{text.act.noInterlocks}</p> : <ul class="plain-list">{trial.interlocks.map((l) => <InterlockRow key={l.name} lock={l} />)}</ul>}
      {trial.requires !== undefined && <p class="dim">{text.act.requires} <code>{trial.requires}</code></p>}
      <p>{trial.expect !== undefined ? <>{text.act.expects(formatSpan(trial.expectWithin ?? 0))} <code>{trial.expect}</code></> : set ? text.act.expectsReport : text.act.expectsAnswer(formatSpan(trial.deadline ?? 10))}</p>
      {trial.rollback !== undefined && <p class="dim">{text.act.rollback(trial.rollback)}</p>}
      {trial.approveWithin !== undefined && <p class="quality warn">⚠ {text.act.approval(formatSpan(trial.approveWithin))}</p>}
      {trial.rate !== undefined && <p class="dim">{text.act.rate(trial.rate.count, formatSpan(trial.rate.seconds))}</p>}
    </div>
  );
}

export function valueText(value: Json | undefined): string {
  return value === undefined ? "" : formatValue(value);
}

/** The way of a command, as far as it has come. */
export function Life({ command, again }: { command: Command; again?: () => void }) {
  const [error, setError] = useState<string | null>(null);
  const at = WAY.indexOf(AS[command.state] ?? command.state), bad = isOver(command) && command.state !== "closed";
  const approve = () => void acts.approve(command.id).then(() => { setError(null); again?.(); }, (e: Error) => setError(e.message));
  return (
    <div class="life" data-testid="life" data-state={command.state}>
      <ol class="steps" aria-label={text.act.life}>
        {bad ? <li class="bad" aria-current="step">✗ {text.act.state(command.state)}</li>
          : WAY.filter((s) => command.property === undefined || s !== "acknowledged").map((s) => (
            <li key={s} class={WAY.indexOf(s) <= at ? "done" : ""} {...(WAY.indexOf(s) === at ? { "aria-current": "step" as const } : {})}>{WAY.indexOf(s) <= at ? "✓ " : ""}{text.act.state(s)}</li>
          ))}
      </ol>
      {command.state === "waiting" && (
        <span class="toolbar"><span class="quality warn">⚠ {text.act.waits}</span>
          <button type="button" class="button" data-testid="approve" disabled={mayNotAct() !== null} title={mayNotAct() ?? undefined} onClick={approve}>{text.act.approve}</button></span>
      )}
      {command.reason !== undefined && <p class={bad ? "refusal" : "dim"}>{command.reason}</p>}
      {error !== null && <p class="refusal" role="alert">{error}</p>}
    </div>
  );
}

export function CommandLine({ command, again }: { command: Command; again?: () => void }) {
  return (
    <li class="order" data-testid={`command-${command.id}`}>
      <div class="toolbar">
        <strong>{command.command ?? command.property} {valueText(command.value)}</strong>
        <span class="dim">{text.act.byAt(command.who ?? "", formatMoment(Date.parse(command.requested)))}</span>
      </div>
      <Life command={command} {...(again === undefined ? {} : { again })} />
    </li>
  );
}

/** Follows a command until it is over. */
export function Followed({ first, done }: { first: Command; done?: (c: Command) => void }) {
  const [command, setCommand] = useState(first);
  const over = isOver(command);
  useEffect(() => { if (over) done?.(command); }, [over]);
  useEffect(() => {
    if (over) return;
    const stop = new AbortController();
    const look = () => void acts.command(first.id, stop.signal).then(setCommand, () => undefined); // a lost connection is told elsewhere
    const timer = window.setInterval(look, FOLLOW_EVERY_MS);
    return () => { stop.abort(); window.clearInterval(timer); };
  }, [first.id, over]);
  return <Life command={command} />;
}

/** The trial of an act, asked for again as the plant changes. */
export function useTrial(act: Act): { trial: Trial | null; error: string | null } {
  const key = JSON.stringify(act);
  const [kept, setKept] = useState<{ key: string; act: Act }>({ key, act });
  useEffect(() => {
    const timer = window.setTimeout(() => setKept({ key, act }), 150); // while one types
    return () => window.clearTimeout(timer);
  }, [key]);
  const { value, error } = useRegularly(async (stop) => ({ key: kept.key, trial: await acts.try(kept.act, stop) }), TRY_EVERY_MS, [kept.key]);
  // An answer to an earlier question permits nothing.
  return { trial: value?.key === key ? value.trial : null, error };
}

interface ActFormProps {
  twin: string;
  name: string;
  label: string;
  set: boolean;
  schema: Schema | null; // null: it takes no value
  unit?: string;
  begin?: Json; // what the form begins with
  close: () => void;
  done: () => void;
  children?: ComponentChildren;
}

export function ActForm({ twin, name, label, set, schema, unit, begin, close, done }: ActFormProps) {
  const [value, setValue] = useState<Json>(schema === null ? null : begin ?? firstValue(schema));
  const [confirming, setConfirming] = useState(false);
  const [sent, setSent] = useState<Command | null>(null);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  const act: Act = { twin, name, set, ...(schema === null ? {} : { value }) };
  const { trial, error } = useTrial(act);
  const why = schema === null ? null : misfit(schema, value, trial?.range);
  const [range, setRange] = useState<[number, number] | undefined>(undefined);
  useEffect(() => { if (trial?.range !== undefined && String(trial.range) !== String(range)) setRange(trial.range); }, [trial]);
  const forbidden = mayNotAct();
  const send = () => {
    setBusy(true);
    acts.ask(act).then((c) => { setSent(c); setRefused(null); done(); }, (e: Error) => { setRefused(e.message); done(); }).finally(() => setBusy(false));
  };
  const what = text.act.what(label, schema === null ? "" : `${valueText(value)}${unit === undefined || unit === "" ? "" : ` ${unit}`}`, twin);
  if (sent !== null)
    return (
      <div class="panel act" data-testid={`act-${name}`}>
        <p><strong>{what}</strong></p>
        <Followed first={sent} done={done} />
        <button type="button" class="button" data-testid="act-close" onClick={close}>{text.act.close}</button>
      </div>
    );
  return (
    <form class="panel act" data-testid={`act-${name}`} onSubmit={(e) => { e.preventDefault(); if (why !== null) return; if (!confirming) setConfirming(true); else if (trial?.permitted === true && !busy) send(); }}>
      {!confirming ? (
        <>
          <p><strong>{label}</strong> <span class="dim">{twin}</span></p>
          {schema !== null && <Payload schema={schema} label={label} value={value} put={setValue} {...(unit === undefined ? {} : { unit })} {...(range === undefined ? {} : { range })} />}
          {why !== null && <p class="refusal">{why}</p>}
        </>
      ) : (
        <>
          <p><strong>{text.act.really(what)}</strong></p>
          {trial === null ? <p class="dim">{error ?? text.act.asking}</p> : <TrialView trial={trial} set={set} />}
        </>
      )}
      {refused !== null && <p class="refusal" role="alert">{refused}</p>}
      <div class="toolbar">
        {confirming
          ? <button type="submit" class="button main" data-testid="act-send" disabled={trial?.permitted !== true || busy || forbidden !== null}>{text.act.send}</button>
          : <button type="submit" class="button main" data-testid="act-check" disabled={why !== null || forbidden !== null}>{text.act.check}</button>}
        {confirming && <button type="button" class="button" data-testid="act-back" onClick={() => { setConfirming(false); setRefused(null); }}>{text.act.back}</button>}
        <button type="button" class="button" onClick={close}>{text.act.cancel}</button>
        {forbidden !== null && <span class="dim">{forbidden}</span>}
      </div>
    </form>
  );
}
