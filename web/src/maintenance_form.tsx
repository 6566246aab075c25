// Asking for a new plan with what its route takes, and making work orders of one.
import { useState } from "preact/hooks";
import { mayNotAct } from "./act";
import { formatNumber, toLocalInput } from "./format";
import { maintenance, type Entry, type How, type Job } from "./maintenance_api";
import { maintenanceText as text } from "./text_maintenance";
import { show } from "./view";

/** The fields are the route's members (openapi.json); those left empty are not sent. */
export function MakeForm({ entry, again }: { entry: Entry; again: () => void }) {
  const [seconds, setSeconds] = useState(""), [gap, setGap] = useState(""), [lanes, setLanes] = useState(""), [now, setNow] = useState(""), [error, setError] = useState<string | null>(null);
  const forbidden = mayNotAct();
  const send = () => {
    const how: How = { ...(seconds === "" ? {} : { timeLimit: `${seconds}s` }), ...(gap === "" ? {} : { gap: Number(gap) / 100 }), ...(lanes === "" ? {} : { lanes: Number(lanes) }), ...(now === "" ? {} : { now: new Date(now).toISOString() }) };
    maintenance.make(entry.name, how).then(() => { setError(null); again(); }, (e: Error) => setError(e.message));
  };
  const percent = Math.round((entry.share ?? 0) * 100);
  return (
    <div class="panel" data-testid="maintenance-make">
      <form class="make-form" onSubmit={(e) => { e.preventDefault(); if (!entry.running && forbidden === null) send(); }}>
        <label>{text.form.timeLimit} ({text.form.seconds}) <input class="number" type="number" min="0.1" max="600" step="any" name="timeLimit" placeholder={formatNumber(entry.searchSeconds)} value={seconds} onInput={(e) => setSeconds(e.currentTarget.value)} /></label>
        <label>{text.form.gap} ({text.form.percent}) <input class="number" type="number" min="0" max="99" step="any" name="gap" placeholder={formatNumber(entry.gap * 100)} value={gap} onInput={(e) => setGap(e.currentTarget.value)} /></label>
        <label>{text.form.lanes} <input class="number" type="number" min="0" max="100000" step="1" name="lanes" placeholder={String(entry.lanes)} value={lanes} onInput={(e) => setLanes(e.currentTarget.value)} /></label>
        <label>{text.form.now} <input type="datetime-local" step="1" name="now" min="1971-01-01T00:00:00" max={toLocalInput(Date.UTC(2199, 0, 1))} value={now} onInput={(e) => setNow(e.currentTarget.value)} /></label>
        <button type="submit" class="button main" data-testid="maintenance-send" disabled={entry.running || forbidden !== null} title={forbidden ?? undefined}>{text.form.make}</button>
        {forbidden !== null && <span class="dim">{forbidden}</span>}
      </form>
      <p class="dim hint">{text.form.hint(`${formatNumber(entry.searchSeconds)} s`, formatNumber(entry.gap * 100), entry.lanes.toLocaleString("en"))}</p>
      {entry.running && <p role="status" data-testid="maintenance-running"><progress max="100" value={percent} aria-label={text.form.making} /> {text.form.making} <span class="dim">{text.form.progress(percent)}</span></p>}
      {error !== null && <p class="refusal" role="alert">{error}</p>}
    </div>
  );
}

interface OrderProps { entry: string; twins: readonly string[] | null; label: string; question: string; send: string; id: string; done: (told: string) => void }

/** A button, then the question whether it is meant, then what came of it. twins null: all that have a window. */
export function OrderButton({ entry, twins, label, question, send, id, done }: OrderProps) {
  const [asked, setAsked] = useState(false), [busy, setBusy] = useState(false), [error, setError] = useState<string | null>(null);
  const forbidden = mayNotAct();
  const order = () => {
    setBusy(true);
    maintenance.order(entry, twins).then((o) => { setAsked(false); setError(null); done(text.order.done(o.opened.length, o.there)); }, (e: Error) => setError(e.message)).finally(() => setBusy(false));
  };
  return (
    <>
      {asked ? (
        <span class="toolbar" role="group" data-testid={`${id}-really`}><strong>{question}</strong>
          <button type="button" class="button main" data-testid={`${id}-send`} disabled={busy || forbidden !== null} onClick={order}>{send}</button>
          <button type="button" class="button" onClick={() => { setAsked(false); setError(null); }}>{text.order.back}</button></span>
      ) : <button type="button" class="button" data-testid={id} disabled={forbidden !== null} title={forbidden ?? undefined} onClick={() => setAsked(true)}>{label}</button>}
      {forbidden !== null && <span class="dim">{forbidden}</span>}
      {error !== null && <span class="refusal" role="alert">{error}</span>}
    </>
  );
}

/** The order that there is for a job, or the way to one. */
export function JobOrder({ entry, job, when, order, done }: { entry: string; job: Job; when: string; order: { id: string; state: string } | undefined; done: (told: string) => void }) {
  if (order !== undefined) return <><span class="quality good" data-testid="job-ordered">{text.order.is(order.id, order.state)}</span> <button type="button" class="link" onClick={() => show("orders")}>{text.order.look}</button></>;
  if (job.window === undefined) return null;
  return <OrderButton entry={entry} twins={[job.twin]} id="job-order" label={text.order.one} question={text.order.really(job.work, job.twin, when)} send={text.order.send} done={done} />;
}
