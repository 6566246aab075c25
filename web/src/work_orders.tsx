// Work orders: opened by rules, predictions and people; assigned, started, done with what was found; closed.
import { useState } from "preact/hooks";
import { acts, type WorkOrder } from "./act_api";
import { mayNotAct } from "./act";
import type { Json } from "./api";
import { formatMoment, formatValue } from "./format";
import { actText as text } from "./text_act";
import { useRegularly } from "./use_regularly";
import { selected, show } from "./view";

const EVERY_MS = 3000;
const over = (w: WorkOrder): boolean => w.state === "closed" || w.state === "cancelled";
/** Where an order goes from where it is. */
const NEXT: { [state: string]: string[] } = { open: ["assigned", "started", "cancelled"], assigned: ["started", "cancelled"], started: ["done", "cancelled"], done: ["closed"] };

type Step = (state: string, feedback?: { [key: string]: Json }) => void;

function Assign({ step }: { step: Step }) {
  const [to, setTo] = useState("");
  return (
    <form class="toolbar" onSubmit={(e) => { e.preventDefault(); if (to.trim() !== "") step("assigned", { assignee: to.trim() }); }}>
      <label>{text.orders.to} <input required value={to} data-testid="order-to" onInput={(e) => setTo(e.currentTarget.value)} /></label>
      <button type="submit" class="button main">{text.orders.assign.replace("…", "")}</button>
    </form>
  );
}

function Done({ step }: { step: Step }) {
  const [found, setFound] = useState(""), [replaced, setReplaced] = useState("");
  return (
    <form class="toolbar" onSubmit={(e) => { e.preventDefault(); if (found.trim() !== "") step("done", { found: found.trim(), ...(replaced.trim() === "" ? {} : { done: replaced.trim() }) }); }}>
      <label>{text.orders.found} <input required value={found} data-testid="order-found" onInput={(e) => setFound(e.currentTarget.value)} /></label>
      <label>{text.orders.replaced} <input value={replaced} data-testid="order-replaced" onInput={(e) => setReplaced(e.currentTarget.value)} /></label>
      <button type="submit" class="button main">{text.orders.finish}</button>
    </form>
  );
}

const LABEL: { [state: string]: string } = { assigned: text.orders.assign, started: text.orders.start, done: text.orders.done, closed: text.orders.close, cancelled: text.orders.cancel };

export function OrderItem({ order, again }: { order: WorkOrder; again: () => void }) {
  const [asked, setAsked] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const step: Step = (state, feedback) => void acts.orderStep(order.id, state, feedback).then(() => { setError(null); setAsked(null); again(); }, (e: Error) => setError(e.message));
  const forbidden = mayNotAct();
  return (
    <li class="order" data-testid={`order-${order.id}`} data-state={order.state}>
      <div class="toolbar">
        <span class="chip tag">{text.orders.state[order.state] ?? order.state}</span>
        <strong>{order.text}</strong>
        <button type="button" class="link" onClick={() => show("twin", order.twin)}>{order.twin}</button>
        <span class="dim">{text.orders.opened(order.who ?? "", formatMoment(Date.parse(order.opened)))}</span>
        <span class="spacer" />
        {(NEXT[order.state] ?? []).map((s) => (
          <button key={s} type="button" class="button" data-testid={`order-${s}`} disabled={forbidden !== null} title={forbidden ?? undefined} aria-expanded={s === "assigned" || s === "done" ? asked === s : undefined}
                  onClick={() => (s === "assigned" || s === "done" ? setAsked(asked === s ? null : s) : step(s))}>{LABEL[s]}</button>
        ))}
      </div>
      {order.feedback !== undefined && Object.keys(order.feedback).length > 0 && (
        <dl class="facts">{Object.entries(order.feedback).map(([k, v]) => <div key={k}><dt>{k}</dt><dd>{formatValue(v)}</dd></div>)}</dl>
      )}
      {order.evidence !== undefined && Object.keys(order.evidence).length > 0 && (
        <details><summary>{text.orders.evidence}</summary><pre>{JSON.stringify(order.evidence, null, 1)}</pre></details>
      )}
      {asked === "assigned" && <Assign step={step} />}
      {asked === "done" && <Done step={step} />}
      {error !== null && <p class="refusal" role="alert">{error}</p>}
    </li>
  );
}

export function OpenOrder({ twin, done }: { twin: string | null; done: () => void }) {
  const [what, setWhat] = useState(""), [at, setAt] = useState(twin ?? selected.peek() ?? ""), [error, setError] = useState<string | null>(null);
  const send = () => void acts.orderOpen(twin ?? at.trim(), what.trim()).then(done, (e: Error) => setError(e.message));
  return (
    <form class="panel toolbar" data-testid="order-form" onSubmit={(e) => { e.preventDefault(); if (what.trim() !== "") send(); }}>
      {twin === null && <label>{text.orders.twin} <input required value={at} data-testid="order-twin" onInput={(e) => setAt(e.currentTarget.value)} /></label>}
      <label class="grow">{text.orders.what} <input required class="wide" value={what} data-testid="order-text" onInput={(e) => setWhat(e.currentTarget.value)} /></label>
      <button type="submit" class="button main" data-testid="order-open">{text.orders.openIt}</button>
      {error !== null && <p class="refusal" role="alert">{error}</p>}
    </form>
  );
}

/** Those of a twin, or (null) all that may be seen. */
export function Orders({ twin }: { twin: string | null }) {
  const [all, setAll] = useState(false), [opening, setOpening] = useState(false);
  const { value, error, again } = useRegularly((stop) => acts.orders(twin, stop), EVERY_MS, [twin]);
  const forbidden = mayNotAct();
  const shown = (value ?? []).filter((w) => all || !over(w));
  return (
    <section data-testid="orders">
      <div class="toolbar">
        <h2>{text.orders.title}</h2>
        <span class="spacer" />
        {(value ?? []).some(over) && <label><input type="checkbox" checked={all} onChange={(e) => setAll(e.currentTarget.checked)} /> {text.orders.over}</label>}
        <button type="button" class="button" data-testid="order-new" aria-expanded={opening} disabled={forbidden !== null} title={forbidden ?? undefined} onClick={() => setOpening(!opening)}>{text.orders.open}</button>
      </div>
      {opening && <OpenOrder twin={twin} done={() => { setOpening(false); again(); }} />}
      {error !== null && <p class="refusal" role="alert">{error}</p>}
      {error === null && value !== null && shown.length === 0 && <p class="dim">{twin === null ? text.orders.none : text.orders.noneOf(twin)}</p>}
      <ul class="plain-list">{shown.map((w) => <OrderItem key={w.id} order={w} again={again} />)}</ul>
    </section>
  );
}

export const WorkOrders = () => <Orders twin={null} />;
