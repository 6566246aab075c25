// Adding to a life: a fact, a document, a move into another assembly. The server has the last word.
import { useState } from "preact/hooks";
import type { Json } from "./api";
import { toLocalInput } from "./format";
import { life, PHASES, type NewFact, type Phase } from "./life_api";
import { lifeVersion, mayNotAdd } from "./life_use";
import { lifeText as text } from "./text_life";
import { moment } from "./view";

type Kind = keyof typeof text.form.kinds;
const t = text.form;

interface Typed { phase: Phase; key: string; kind: Kind; value: string; unit: string; min: string; max: string; quantity: string; position: string; from: string; to: string; cause: string }
const BEGIN: Typed = { phase: "as-built", key: "", kind: "number", value: "", unit: "", min: "", max: "", quantity: "", position: "", from: "", to: "", cause: "" };

const number = (s: string): number | undefined => (s.trim() === "" || !Number.isFinite(Number(s)) ? undefined : Number(s));
const iso = (local: string): string | undefined => (local === "" ? undefined : new Date(local).toISOString());

/** What was typed as a fact, or the sentence that says what is missing. */
export function factOf(twin: string, f: Typed): NewFact | string {
  const from = iso(f.from), to = iso(f.to);
  if (f.key.trim() === "") return t.noKey;
  if (from !== undefined && to !== undefined && to <= from) return t.toMoreThanFrom;
  const fact: NewFact = { twin, phase: f.phase, key: f.key.trim(), ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }), ...(f.cause === "" ? {} : { cause: f.cause }) };
  const unit = f.unit === "" ? {} : { unit: f.unit };
  switch (f.kind) {
    case "number": {
      const value = number(f.value), min = number(f.min), max = number(f.max);
      if (value === undefined || (f.min !== "" && min === undefined) || (f.max !== "" && max === undefined)) return t.noNumber;
      return { ...fact, value, ...unit, ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
    }
    case "part": {
      const quantity = number(f.quantity);
      if (f.value.trim() === "") return t.noPart;
      if (f.quantity !== "" && quantity === undefined) return t.noNumber;
      return { ...fact, part: f.value.trim(), ...unit, ...(quantity === undefined ? {} : { quantity }), ...(f.position === "" ? {} : { position: f.position }) };
    }
    case "json": try { return { ...fact, value: JSON.parse(f.value) as Json }; } catch { return t.noJson; }
    case "none": return { ...fact, value: null };
    default: return { ...fact, value: f.value };
  }
}

function Field({ label, value, put, testid, number: isNumber, wide }: { label: string; value: string; put: (v: string) => void; testid: string; number?: boolean; wide?: boolean }) {
  return <label class={wide === true ? "grow-field" : ""}>{label} <input type="text" class={isNumber === true ? "number" : ""} inputMode={isNumber === true ? "decimal" : "text"} value={value} data-testid={testid} onInput={(e) => put(e.currentTarget.value)} /></label>;
}

function Moment({ label, value, put, testid }: { label: string; value: string; put: (v: string) => void; testid: string }) {
  return <label>{label} <input type="datetime-local" step="1" value={value} data-testid={testid} onInput={(e) => put(e.currentTarget.value)} /></label>;
}

function PhasePick({ value, put }: { value: Phase; put: (p: Phase) => void }) {
  return <label>{text.fact.phase} <select value={value} data-testid="fact-phase" onChange={(e) => put(e.currentTarget.value as Phase)}>{PHASES.map((p) => <option key={p} value={p}>{text.phases[p]}</option>)}</select></label>;
}

/** Sends something and says how it went. */
function useSending(done: (what: string) => void): { busy: boolean; refused: string | null; send: (what: string, work: () => Promise<unknown>) => void } {
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  const send = (what: string, work: () => Promise<unknown>) => {
    setBusy(true);
    work().then(() => { setRefused(null); lifeVersion.value++; done(what); }, (e: Error) => setRefused(e.message)).finally(() => setBusy(false));
  };
  return { busy, refused, send };
}

function Buttons({ save, why, busy, refused, close }: { save: string; why: string | null; busy: boolean; refused: string | null; close: () => void }) {
  return (
    <>
      {refused !== null && <p class="refusal" role="alert">{refused}</p>}
      <div class="toolbar">
        <button type="submit" class="button main" data-testid="fact-save" disabled={why !== null || busy}>{save}</button>
        <button type="button" class="button" onClick={close}>{t.cancel}</button>
        {why !== null && <span class="dim">{why}</span>}
      </div>
    </>
  );
}

interface FormProps { id: string; close: () => void; done: (what: string) => void }
const beginAt = (): string => (moment.value === null ? "" : toLocalInput(moment.value));

function FactForm({ id, close, done }: FormProps) {
  const [f, setF] = useState<Typed>({ ...BEGIN, from: beginAt() });
  const { busy, refused, send } = useSending(done);
  const fact = factOf(id, f), put = (more: Partial<Typed>) => setF({ ...f, ...more });
  return (
    <form class="panel act life-form" data-testid="fact-form" onSubmit={(e) => { e.preventDefault(); if (typeof fact !== "string" && !busy) send(t.added(fact.key), () => life.add(fact)); }}>
      <strong>{t.addTitle(id)}</strong>
      <div class="row">
        <PhasePick value={f.phase} put={(phase) => put({ phase })} />
        <Field label={t.key} value={f.key} put={(key) => put({ key })} testid="fact-key" />
        <label>{t.kind} <select value={f.kind} data-testid="fact-kind" onChange={(e) => put({ kind: e.currentTarget.value as Kind })}>{(Object.keys(t.kinds) as Kind[]).map((k) => <option key={k} value={k}>{t.kinds[k]}</option>)}</select></label>
        {f.kind !== "none" && <Field label={f.kind === "part" ? t.part : t.value} value={f.value} put={(value) => put({ value })} testid="fact-value" number={f.kind === "number"} />}
        {(f.kind === "number" || f.kind === "part") && <Field label={t.unit} value={f.unit} put={(unit) => put({ unit })} testid="fact-unit" number />}
        {f.kind === "number" && <Field label={t.min} value={f.min} put={(min) => put({ min })} testid="fact-min" number />}
        {f.kind === "number" && <Field label={t.max} value={f.max} put={(max) => put({ max })} testid="fact-max" number />}
        {f.kind === "part" && <Field label={t.quantity} value={f.quantity} put={(quantity) => put({ quantity })} testid="fact-quantity" number />}
        {f.kind === "part" && <Field label={t.position} value={f.position} put={(position) => put({ position })} testid="fact-position" number />}
      </div>
      <div class="row">
        <Moment label={t.from} value={f.from} put={(from) => put({ from })} testid="fact-from" />
        <Moment label={t.to} value={f.to} put={(to) => put({ to })} testid="fact-to" />
        <Field label={t.cause} value={f.cause} put={(cause) => put({ cause })} testid="fact-cause" />
      </div>
      <Buttons save={t.save} why={typeof fact === "string" ? fact : null} busy={busy} refused={refused} close={close} />
    </form>
  );
}

function DocumentForm({ id, close, done }: FormProps) {
  const [phase, setPhase] = useState<Phase>("as-designed");
  const [key, setKey] = useState("");
  const [cause, setCause] = useState("");
  const [file, setFile] = useState<File | null>(null);
  const { busy, refused, send } = useSending(done);
  const why = key.trim() === "" ? t.noKey : file === null ? t.noFile : null, from = iso(beginAt());
  return (
    <form class="panel act life-form" data-testid="document-form" onSubmit={(e) => {
      e.preventDefault();
      if (file !== null && why === null && !busy) send(t.added(file.name), () => life.addDocument(id, { phase, key: key.trim(), name: file.name, cause, ...(from === undefined ? {} : { from }) }, file));
    }}>
      <strong>{t.documentTitle(id)}</strong>
      <div class="row">
        <PhasePick value={phase} put={setPhase} />
        <Field label={t.key} value={key} put={setKey} testid="fact-key" />
        <label>{t.file} <input type="file" data-testid="fact-file" onChange={(e) => setFile(e.currentTarget.files?.[0] ?? null)} /></label>
        <Field label={t.cause} value={cause} put={setCause} testid="fact-cause" />
      </div>
      <Buttons save={t.save} why={why} busy={busy} refused={refused} close={close} />
    </form>
  );
}

function MoveForm({ id, close, done }: FormProps) {
  const [into, setInto] = useState("");
  const [position, setPosition] = useState("");
  const [from, setFrom] = useState(beginAt());
  const [cause, setCause] = useState("");
  const { busy, refused, send } = useSending(done);
  const to = into.trim(), at = iso(from);
  const fact: NewFact = { twin: id, phase: "maintained", key: "installedIn", replace: true, ...(to === "" ? { value: null } : { part: to }), ...(to !== "" && position !== "" ? { position } : {}), ...(at === undefined ? {} : { from: at }), ...(cause === "" ? {} : { cause }) };
  return (
    <form class="panel act life-form" data-testid="move-form" onSubmit={(e) => { e.preventDefault(); if (!busy) send(to === "" ? t.takenOut : t.moved(to), () => life.add(fact)); }}>
      <strong>{t.moveTitle(id)}</strong>
      <div class="row">
        <label>{t.into} <input type="text" value={into} placeholder={t.outEmpty} data-testid="move-into" onInput={(e) => setInto(e.currentTarget.value)} /></label>
        <Field label={t.position} value={position} put={setPosition} testid="move-position" number />
        <Moment label={t.from} value={from} put={setFrom} testid="fact-from" />
        <Field label={t.cause} value={cause} put={setCause} testid="fact-cause" />
      </div>
      {to === "" && <p class="dim">{t.out}</p>}
      <Buttons save={t.moveIt} why={null} busy={busy} refused={refused} close={close} />
    </form>
  );
}

const FORMS = { add: FactForm, document: DocumentForm, move: MoveForm } as const;

/** The buttons that open a form, and the form that is open. */
export function LifeForms({ id }: { id: string }) {
  const [open, setOpen] = useState<keyof typeof FORMS | null>(null);
  const [told, setTold] = useState<string | null>(null);
  const forbidden = mayNotAdd(), Form = open === null ? null : FORMS[open];
  return (
    <div class="life-forms">
      <div class="toolbar">
        {(Object.keys(FORMS) as (keyof typeof FORMS)[]).map((k) => (
          <button key={k} type="button" class="button" data-testid={`life-${k}`} aria-expanded={open === k} disabled={forbidden !== null} title={forbidden ?? undefined} onClick={() => { setTold(null); setOpen(open === k ? null : k); }}>{t[k]}</button>
        ))}
        {forbidden !== null && <span class="dim">{forbidden}</span>}
        {told !== null && <span class="verdict-good" role="status" data-testid="life-told">✓ {told}</span>}
      </div>
      {Form !== null && <Form key={open} id={id} close={() => setOpen(null)} done={(what) => { setTold(what); setOpen(null); }} />}
    </div>
  );
}
