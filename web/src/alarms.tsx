// Alarms after ISA-18.2: the most urgent first, whatever their age. Acknowledge, shelve with a reason and a time.
import { computed } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { PRIORITIES } from "./alarm_badges";
import { api, type Alarm } from "./api";
import { formatAge, formatMoment } from "./format";
import { now, principal } from "./live";
import { text } from "./text";
import { useRegularly } from "./use_regularly";
import { moment, select, show } from "./view";

const SHELVE = ["15min", "1h", "8h", "24h", "7d"];

function mayAct(): boolean {
  return principal.value !== null && principal.value.role !== "reader";
}

function Shelve({ done }: { done: (reason: string, length: string) => void }) {
  const [reason, setReason] = useState("");
  const [length, setLength] = useState("1h");
  return (
    <form class="toolbar" onSubmit={(e) => { e.preventDefault(); if (reason.trim() !== "") done(reason.trim(), length); }}>
      <label>{text.alarms.reason} <input required value={reason} data-testid="shelve-reason" onInput={(e) => setReason(e.currentTarget.value)} /></label>
      <label>{text.alarms.length} <select value={length} onChange={(e) => setLength(e.currentTarget.value)}>{SHELVE.map((s) => <option key={s}>{s}</option>)}</select></label>
      <button type="submit" class="button main">{text.alarms.actions.shelve}</button>
    </form>
  );
}

const SLICE = 40; // alarms that are put on the page in one go

/** A number that grows to n, some each frame: a flood of alarms does not hold the page up. */
function useGradually(n: number): number {
  const [shown, setShown] = useState(SLICE);
  useEffect(() => {
    if (shown >= n) return;
    const frame = window.setTimeout(() => setShown((s) => s + SLICE), 16);
    return () => window.clearTimeout(frame);
  }, [shown, n]);
  return Math.min(shown, n);
}

// The age of an alarm is read to the second while it is young, and changes seldom later.
const often = computed(() => Math.floor(now.value / 1000) * 1000), seldom = computed(() => Math.floor(now.value / 60000) * 60000);
function Age({ raised }: { raised: number }) {
  const young = seldom.value - raised < 60000;
  return <span class="dim" title={formatMoment(raised)}>{text.alarms.ago(formatAge((young ? often.value : Math.max(seldom.value, raised)) - raised))}</span>;
}

/** What the state admits, in the order of ISA-18.2. */
export function actionsOf(a: Alarm): ("acknowledge" | "reset" | "shelve" | "unshelve" | "return-to-service")[] {
  if (a.state === "shelved") return ["unshelve"];
  if (a.state === "out of service") return ["return-to-service"];
  if (a.state === "unacknowledged" || a.state === "returned") return ["acknowledge", "shelve"];
  if (a.state === "latched") return ["reset", "shelve"];
  return a.state === "acknowledged" ? ["shelve"] : [];
}

export function AlarmItem({ alarm, again }: { alarm: Alarm; again: () => void }) {
  const [shelving, setShelving] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const act = (action: string, body: { reason?: string; for?: string } = {}) =>
    void api.alarmAct(alarm.id, action, body).then(() => { setError(null); setShelving(false); again(); }, (e: Error) => setError(e.message));
  const raised = alarm.raised === undefined ? null : Date.parse(alarm.raised);
  return (
    <li class={`alarm ${alarm.priority}`} data-testid={`alarm-${alarm.id}`}>
      <div class="toolbar">
        <span class={`alarm-badge ${alarm.priority}`}>{text.alarms.priority[alarm.priority] ?? alarm.priority}</span>
        <strong>{alarm.name}</strong>
        <button type="button" class="link" onClick={() => show("twin", alarm.twin)}>{alarm.twin}</button>
        <span>{text.alarms.state[alarm.state] ?? alarm.state}</span>
        {raised !== null && <Age raised={raised} />}
        {alarm.chattering && <span class="quality warn">⚠ {text.alarms.chattering}</span>}
        <span class="spacer" />
        {raised !== null && <button type="button" class="button" onClick={() => { select(alarm.twin); show("twin"); moment.value = raised; }}>{text.alarms.lookThen}</button>}
        {actionsOf(alarm).map((action) => (
          <button key={action} type="button" class="button" data-testid={`do-${action}`} disabled={!mayAct()} title={mayAct() ? undefined : text.alarms.mayNot}
                  onClick={() => (action === "shelve" ? setShelving(!shelving) : act(action))}>{text.alarms.actions[action]}</button>
        ))}
      </div>
      {alarm.text !== undefined && <p>{alarm.text}</p>}
      {alarm.consequence !== undefined && <p class="dim">{text.alarms.consequence}: {alarm.consequence}</p>}
      {alarm.response !== undefined && <p class="dim">{text.alarms.response}: {alarm.response}</p>}
      {alarm.shelvedUntil !== undefined && <p class="dim">{text.alarms.until(formatMoment(Date.parse(alarm.shelvedUntil)), alarm.who ?? "", alarm.reason ?? "")}</p>}
      {shelving && <Shelve done={(reason, length) => act("shelve", { reason, for: length })} />}
      {error !== null && <p class="refusal" role="alert">{error}</p>}
    </li>
  );
}

function Metrics() {
  const { value } = useRegularly((stop) => api.alarmMetrics(stop), 5000);
  if (value === null) return null;
  const facts: [string, string | number][] = [
    [text.alarms.metrics.tenMinutes, value.raised["tenMinutes"] ?? 0], [text.alarms.metrics.hour, value.raised["hour"] ?? 0], [text.alarms.metrics.day, value.raised["day"] ?? 0],
    [text.alarms.metrics.standing, value.standing], [text.alarms.metrics.chattering, value.chattering], [text.alarms.metrics.flood, value.flood ? text.yes : text.no],
  ];
  return <dl class="facts">{facts.map(([name, fact]) => <div key={name}><dt>{name}</dt><dd>{fact}</dd></div>)}</dl>;
}

export function Alarms() {
  const [all, setAll] = useState(false);
  const { value, error, again } = useRegularly((stop) => api.alarms(all, stop), 2000, [all]);
  const most = useGradually(value?.items.length ?? 0);
  // An alarm that is as it was keeps its element, which is then not looked through.
  const kept = useRef(new Map<string, { is: string; item: VNode }>());
  if (error !== null) return <p class="empty" role="alert">{text.loadFailed(error)}</p>;
  if (value === null) return <p class="empty">{text.loading}</p>;
  const before = kept.current, itemOf = (a: Alarm): VNode => {
    const is = JSON.stringify(a), old = before.get(a.id);
    const item = old?.is === is ? old.item : <AlarmItem key={a.id} alarm={a} again={again} />;
    kept.current.set(a.id, { is, item });
    return item;
  };
  kept.current = new Map();
  const order = PRIORITIES.flatMap((p) => value.items.filter((a) => a.priority === p)).slice(0, most);
  return (
    <section>
      <div class="toolbar">
        <h2>{text.alarms.title}</h2>
        <span class="spacer" />
        <label><input type="checkbox" checked={all} onChange={(e) => setAll(e.currentTarget.checked)} /> {text.alarms.all}</label>
      </div>
      {moment.value !== null && <p class="dim">{text.alarms.alwaysNow}</p>}
      <Metrics />
      {value.items.length === 0 && <p class="dim">{text.alarms.none}</p>}
      {PRIORITIES.map((p) => {
        const items = order.filter((a) => a.priority === p);
        return items.length === 0 ? null : <ul key={p} class="plain-list" aria-label={text.alarms.priority[p]}>{items.map(itemOf)}</ul>;
      })}
      {value.leftOut > 0 && <p class="dim">{text.alarms.leftOut(value.leftOut)}</p>}
    </section>
  );
}
