// Inputs made from a schema: numbers with their limits and unit, choices, switches, fields of objects, JSON for the rest.
import { useState } from "preact/hooks";
import type { Json } from "./api";
import type { Field, Schema } from "./dtdl";
import { actText as text } from "./text_act";

/** What a form begins with, when nothing better is known. */
export function firstValue(s: Schema): Json {
  switch (s.kind) {
    case "number": return s.min !== undefined && s.min > 0 ? s.min : 0;
    case "boolean": return false;
    case "choice": return s.choices[0]?.value ?? null;
    case "object": return Object.fromEntries(s.fields.map((f) => [f.name, firstValue(f.schema)]));
    case "json": return s.what === "Array" ? [] : {};
    default: return "";
  }
}

/** Why a value does not fit; null: it does. The server has the last word. */
export function misfit(s: Schema, value: Json, range?: readonly [number, number]): string | null {
  if (s.kind === "number") {
    if (typeof value !== "number" || !Number.isFinite(value)) return text.payload.noNumber;
    if (s.integer && !Number.isInteger(value)) return text.payload.noInteger;
    const min = Math.max(s.min ?? -Infinity, range?.[0] ?? -Infinity), max = Math.min(s.max ?? Infinity, range?.[1] ?? Infinity);
    return value < min || value > max ? text.payload.outside(min, max) : null;
  }
  if (s.kind === "object") {
    for (const f of s.fields) {
      const why = misfit(f.schema, (value as { [k: string]: Json } | null)?.[f.name] ?? null);
      if (why !== null) return `${f.label}: ${why}`;
    }
  }
  return s.kind === "json" && value === undefined ? text.payload.noJson : null;
}

interface InputProps { schema: Schema; label: string; unit?: string; value: Json; range?: readonly [number, number]; put: (value: Json) => void }

function NumberInput({ schema, label, unit, value, range, put }: InputProps & { schema: Schema & { kind: "number" } }) {
  const min = range?.[0] ?? schema.min, max = range?.[1] ?? schema.max;
  const read = (e: { currentTarget: HTMLInputElement }) => put(e.currentTarget.value === "" ? null : Number(e.currentTarget.value));
  const limits = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
  return (
    <span class="toolbar payload-number">
      {range !== undefined && <input type="range" {...limits} step={schema.integer ? 1 : (range[1] - range[0]) / 100} value={Number(value)} aria-label={label} onInput={read} />}
      <input type="number" {...limits} step={schema.integer ? 1 : "any"} value={value === null ? "" : Number(value)} aria-label={label} data-testid={`input-${label}`} onInput={read} />
      {unit !== undefined && unit !== "" && <span class="dim">{unit}</span>}
      {range !== undefined && <span class="dim">{text.payload.between(range[0], range[1])}</span>}
    </span>
  );
}

function JsonInput({ label, value, put, what }: { label: string; value: Json; put: (value: Json) => void; what: string }) {
  const [typed, setTyped] = useState(JSON.stringify(value));
  const [wrong, setWrong] = useState(false);
  return (
    <>
      <textarea rows={3} value={typed} aria-label={label} aria-invalid={wrong} data-testid={`input-${label}`} onInput={(e) => {
        setTyped(e.currentTarget.value);
        try {
          put(JSON.parse(e.currentTarget.value) as Json);
          setWrong(false);
        } catch {
          setWrong(true);
        }
      }} />
      <span class={wrong ? "refusal" : "dim"}>{wrong ? text.payload.noJson : text.payload.json(what)}</span>
    </>
  );
}

export function Payload(p: InputProps) {
  const { schema, label, value, put } = p;
  switch (schema.kind) {
    case "number": return <NumberInput {...p} schema={schema} />;
    case "boolean": return <label class="toolbar"><input type="checkbox" checked={value === true} aria-label={label} data-testid={`input-${label}`} onChange={(e) => put(e.currentTarget.checked)} /> {value === true ? text.yes : text.no}</label>;
    case "choice":
      return (
        <select value={schema.choices.findIndex((c) => c.value === value)} aria-label={label} data-testid={`input-${label}`} onChange={(e) => put(schema.choices[Number(e.currentTarget.value)]?.value ?? null)}>
          {schema.choices.map((c, i) => <option key={i} value={i}>{c.label}</option>)}
        </select>
      );
    case "object": return <Fields fields={schema.fields} value={value} put={put} />;
    case "json": return <JsonInput label={label} value={value} put={put} what={schema.what} />;
    default: return <input type={schema.format} value={String(value ?? "")} aria-label={label} data-testid={`input-${label}`} onInput={(e) => put(e.currentTarget.value)} />;
  }
}

function Fields({ fields, value, put }: { fields: readonly Field[]; value: Json; put: (value: Json) => void }) {
  const o = (value ?? {}) as { [key: string]: Json };
  return (
    <dl class="fields">
      {fields.map((f) => (
        <div key={f.name}>
          <dt title={f.description}>{f.label}</dt>
          <dd><Payload schema={f.schema} label={f.label} value={o[f.name] ?? null} put={(v) => put({ ...o, [f.name]: v })} {...(f.unit === undefined ? {} : { unit: f.unit })} /></dd>
        </div>
      ))}
    </dl>
  );
}
