// Alarms after ISA-18.2: the most urgent first, whatever their age. Acknowledge, shelve with a reason and a time.
import { computed } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { PRIORITIES } from "./alarm_badges";
import { lookAt, WhyRaised } from "./alarm_why";
import { api, type Alarm, type AlarmMetrics } from "./api";
import { formatAge, formatMoment } from "./format";
import { now, principal } from "./live";
import { text } from "./text";
import { actText } from "./text_act";
import { useRegularly } from "./use_regularly";
import { allAlarms, flood as flooded, grouping, GROUPS, moment, show, type Group } from "./view";

type Action = keyof typeof text.alarms.actions;
const SHELVE = ["15min", "1h", "8h", "24h", "7d"];

function mayAct(): boolean {
  return principal.value !== null && principal.value.role !== "reader";
}

interface WhyProps { action: Action; done: (body: { reason: string; for?: string }) => void }
function Why({ action, done }: WhyProps) {
  const [reason, setReason] = useState("");
  const [length, setLength] = useState("1h");
  const timed = action === "shelve";
  return (
    <form class="toolbar" onSubmit={(e) => { e.preventDefault(); if (reason.trim() !== "") done({ reason: reason.trim(), ...(timed ? { for: length } : {}) }); }}>
      <label>{text.alarms.reason} <input required value={reason} data-testid={`${action}-reason`} onInput={(e) => setReason(e.currentTarget.value)} /></label>
      {timed && <label>{text.alarms.length} <select value={length} data-testid="shelve-length" onChange={(e) => setLength(e.currentTarget.value)}>{SHELVE.map((s) => <option key={s}>{s}</option>)}</select></label>}
      <button type="submit" class="button main">{timed ? text.alarms.actions.shelve : actText.alarmPage.remove}</button>
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
export function actionsOf(a: Alarm): Action[] {
  if (a.state === "shelved") return ["unshelve"];
  if (a.state === "out of service") return ["return-to-service"];
  if (a.state === "unacknowledged" || a.state === "returned") return ["acknowledge", "shelve", "remove-from-service"];
  if (a.state === "latched") return ["reset", "shelve", "remove-from-service"];
  return a.state === "acknowledged" ? ["shelve", "remove-from-service"] : [];
}

/** Those that are not done without a reason. */
const REASONED: readonly Action[] = ["shelve", "remove-from-service"];

/** here: the page shows its twin already. */
export function AlarmItem({ alarm, again, here = false }: { alarm: Alarm; again: () => void; here?: boolean }) {
  const [whyOpen, setWhyOpen] = useState(here);
  const [asked, setAsked] = useState<Action | null>(null);
  const [error, setError] = useState<string | null>(null);
  const act = (action: string, body: { reason?: string; for?: string } = {}) =>
    void api.alarmAct(alarm.id, action, body).then(() => { setError(null); setAsked(null); again(); }, (e: Error) => setError(e.message));
  const raised = alarm.raised === undefined ? null : Date.parse(alarm.raised);
  return (
    <li class={`alarm ${alarm.priority}`} data-testid={`alarm-${alarm.id}`}>
      <div class="toolbar">
        <span class={`alarm-badge ${alarm.priority}`}>{text.alarms.priority[alarm.priority] ?? alarm.priority}</span>
        <strong>{alarm.name}</strong>
        {!here && <button type="button" class="link" onClick={() => lookAt(alarm, null)}>{alarm.twin}</button>}
        <span>{text.alarms.state[alarm.state] ?? alarm.state}</span>
        {raised !== null && <Age raised={raised} />}
        {alarm.chattering && <span class="quality warn">⚠ {text.alarms.chattering}</span>}
        <div class="actions">
          {raised !== null && <button type="button" class="button" data-testid="look-then" onClick={() => lookAt(alarm, raised + 1)}>{text.alarms.lookThen}</button>}
          {!here && <button type="button" class="button" data-testid="why-alarm" aria-expanded={whyOpen} onClick={() => setWhyOpen(!whyOpen)}>{actText.why.button}</button>}
          {here && <button type="button" class="button" data-testid="plot-alarm" onClick={() => lookAt(alarm, moment.peek())}>{actText.why.plot}</button>}
          <button type="button" class="button" data-testid="what-if-alarm" onClick={() => show("futures", alarm.twin)}>{actText.why.whatIf}</button>
          {actionsOf(alarm).map((action) => (
            <button key={action} type="button" class="button" data-testid={`do-${action}`} disabled={!mayAct()} title={mayAct() ? undefined : text.alarms.mayNot}
                    aria-expanded={REASONED.includes(action) ? asked === action : undefined}
                    onClick={() => (REASONED.includes(action) ? setAsked(asked === action ? null : action) : act(action))}>{text.alarms.actions[action]}</button>
          ))}
        </div>
      </div>
      {alarm.text !== undefined && <p>{alarm.text}</p>}
      {whyOpen && <WhyRaised alarm={alarm} />}
      {alarm.consequence !== undefined && <p class="dim">{text.alarms.consequence}: {alarm.consequence}</p>}
      {alarm.response !== undefined && <p class="dim">{text.alarms.response}: {alarm.response}</p>}
      {alarm.shelvedUntil !== undefined && <p class="dim">{text.alarms.until(formatMoment(Date.parse(alarm.shelvedUntil)), alarm.who ?? "", alarm.reason ?? "")}</p>}
      {alarm.state === "out of service" && <p class="dim">{actText.alarmPage.outOf(alarm.who ?? "", alarm.reason ?? "")}</p>}
      {asked !== null && <Why key={asked} action={asked} done={(body) => act(asked, body)} />}
      {error !== null && <p class="refusal" role="alert">{error}</p>}
    </li>
  );
}

function Metrics({ value }: { value: AlarmMetrics | null }) {
  if (value === null) return null;
  const facts: [string, string | number][] = [
    [text.alarms.metrics.tenMinutes, value.raised["tenMinutes"] ?? 0], [text.alarms.metrics.hour, value.raised["hour"] ?? 0], [text.alarms.metrics.day, value.raised["day"] ?? 0],
    [actText.alarmPage.peak, value.raised["peakTenMinutes"] ?? 0], [text.alarms.metrics.standing, value.standing], [text.alarms.metrics.chattering, value.chattering], [text.alarms.metrics.flood, value.flood ? text.yes : text.no],
    [actText.alarmPage.floodTime, value.spanSeconds > 0 ? `${((100 * value.floodSeconds) / value.spanSeconds).toFixed(1)} %` : "–"],
  ];
  const states = Object.entries(value.states).filter(([, n]) => n > 0);
  return (
    <>
      <dl class="facts">{facts.map(([name, fact]) => <div key={name}><dt>{name}</dt><dd>{fact}</dd></div>)}</dl>
      <p class="dim" data-testid="alarm-states">{states.map(([state, n]) => `${n.toLocaleString("en")} ${text.alarms.state[state] ?? state}`).join(" · ")}</p>
    </>
  );
}

const raisedAt = (a: Alarm): number => (a.raised === undefined ? Infinity : Date.parse(a.raised));

/** Alarms by a trait of theirs; the groups in the order of their most urgent, in a flood in the order in which they began. */
export function grouped(items: readonly Alarm[], by: Group, flood: boolean): { key: string; items: Alarm[] }[] {
  const found = new Map<string, Alarm[]>();
  const order = flood ? [...items].sort((a, b) => raisedAt(a) - raisedAt(b)) : PRIORITIES.flatMap((p) => items.filter((a) => a.priority === p));
  for (const a of order) found.set(a[by], [...(found.get(a[by]) ?? []), a]);
  return [...found].map(([key, list]) => ({ key, items: list }));
}

function labelOf(by: Group, key: string): string {
  return by === "priority" ? text.alarms.priority[key] ?? key : by === "state" ? text.alarms.state[key] ?? key : key;
}

interface GroupProps { by: Group; label: string; items: readonly Alarm[]; open: boolean; first: boolean; again: () => void; itemOf: (a: Alarm) => VNode }
function GroupBox({ by, label, items, open, first, again, itemOf }: GroupProps) {
  const [opened, setOpened] = useState(open);
  const most = useGradually(opened ? items.length : 0);
  const waiting = items.filter((a) => actionsOf(a).includes("acknowledge")), begun = Math.min(...items.map(raisedAt));
  const all = () => void Promise.allSettled(waiting.map((a) => api.alarmAct(a.id, "acknowledge", {}))).then(again);
  return (
    <div class="alarm-group" data-testid={`group-${label}`}>
      <div class="toolbar">
        <button type="button" class="group-name" aria-expanded={opened} onClick={() => setOpened(!opened)}>
          <span aria-hidden="true">{opened ? "▾" : "▸"}</span> {label} <span class="dim">{actText.alarmPage.of(items.length)}{Number.isFinite(begun) && by === "name" && ` · ${formatMoment(begun)}`}</span> {first && <span class="quality warn">⚠ {actText.alarmPage.first}</span>}
        </button>
        {waiting.length > 0 && <button type="button" class="button" data-testid={`ack-all-${label}`} disabled={!mayAct()} title={mayAct() ? undefined : text.alarms.mayNot} onClick={all}>{actText.alarmPage.ackAll(waiting.length)}</button>}
      </div>
      {opened && <ul class="plain-list" aria-label={label}>{items.slice(0, most).map(itemOf)}</ul>}
    </div>
  );
}

export function Alarms() {
  const all = allAlarms.value, by = grouping.value, flood = flooded.value;
  const metrics = useRegularly((stop) => api.alarmMetrics(stop), 2000).value;
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
  const plain = by === "priority" && !flood;
  const groups = grouped(value.items, flood ? "name" : by, flood);
  // What is on the page in one go grows from frame to frame; groups that are shut cost nothing.
  let left = most;
  const cut = plain ? groups.map((g) => { const items = g.items.slice(0, Math.max(0, left)); left -= items.length; return { key: g.key, items }; }) : groups;
  return (
    <section>
      <div class="toolbar">
        <h2>{text.alarms.title}</h2>
        <span class="spacer" />
        <label>{actText.alarmPage.group} <select value={by} data-testid="alarm-group" disabled={flood} onChange={(e) => (grouping.value = e.currentTarget.value as Group)}>{GROUPS.map((g) => <option key={g} value={g}>{actText.alarmPage.groups[g]}</option>)}</select></label>
        <label><input type="checkbox" data-testid="flood-view" checked={flood} onChange={(e) => (flooded.value = e.currentTarget.checked)} /> {actText.alarmPage.floodView}</label>
        <label><input type="checkbox" data-testid="alarms-all" checked={all} onChange={(e) => (allAlarms.value = e.currentTarget.checked)} /> {text.alarms.all}</label>
      </div>
      {metrics?.flood === true && !flood && (
        <p class="flood-banner" role="alert">{actText.alarmPage.flood(metrics.raised["tenMinutes"] ?? 0)} <button type="button" class="button" onClick={() => (flooded.value = true)}>{actText.alarmPage.floodView}</button></p>
      )}
      {moment.value !== null && <p class="dim">{text.alarms.alwaysNow}</p>}
      <Metrics value={metrics} />
      {flood && <p class="dim">{actText.alarmPage.floodHint}</p>}
      {value.items.length === 0 && <p class="dim">{text.alarms.none}</p>}
      {cut.map((g, i) => g.items.length === 0 ? null
        : plain ? <ul key={g.key} class="plain-list" aria-label={labelOf(by, g.key)}>{g.items.map(itemOf)}</ul>
        : <GroupBox key={`${flood}${by}${g.key}`} by={flood ? "name" : by} label={labelOf(flood ? "name" : by, g.key)} items={g.items} open={!flood && value.items.length <= SLICE} first={flood && i === 0} again={again} itemOf={itemOf} />)}
      {value.leftOut > 0 && <p class="dim">{text.alarms.leftOut(value.leftOut)}</p>}
    </section>
  );
}
