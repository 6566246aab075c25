// What can be done with a twin: its commands, desired values against reported ones, its alarms and work orders.
import { useEffect, useState } from "preact/hooks";
import { ActForm, CommandLine, mayNotAct, valueText } from "./act";
import { acts, type Command } from "./act_api";
import type { CommandType, Twin, Value } from "./api";
import { fetchWhole, object, schemaNamed, schemaOf, said, type Schema, type Whole } from "./dtdl";
import { formatAge, formatValue } from "./format";
import { clock, shown } from "./past";
import { actText as text } from "./text_act";
import { useRegularly } from "./use_regularly";
import { Orders } from "./work_orders";

const EVERY_MS = 1500, LATELY = 5;

/** The form of a command: the model's own words where they can be read, else what the server says of it. */
function requestOf(c: CommandType, twin: Twin, whole: Whole | null): { schema: Schema | null; unit: string; begin: Value["value"] | undefined } {
  if (c.request === undefined) return { schema: null, unit: "", begin: undefined };
  const request = object(whole?.contents.find((x) => x.kind === "Command" && x.name === c.name)?.document["request"]);
  const schema = request["schema"] !== undefined ? schemaOf(request["schema"], whole!.named) : schemaNamed(c.request.schema, c.request.choices);
  // A request that is called like a property speaks of it: it begins where that is, and has its unit.
  const like = twin.values.find((v) => v.path === c.request!.name);
  const begin = like !== undefined && like.value !== null && (schema.kind === "number" || schema.kind === "boolean" || schema.kind === "choice") ? like.value : undefined;
  return { schema, unit: said(request["unit"]) ?? like?.symbol ?? like?.unit ?? "", begin };
}

function DesiredRow({ value, wanted, open, toggle }: { value: Value; wanted: Command | undefined; open: boolean; toggle: () => void }) {
  const age = value.sourceTime === undefined ? null : clock.value - Date.parse(value.sourceTime);
  const forbidden = mayNotAct(), unit = value.symbol ?? value.unit ?? "";
  const pending = wanted !== undefined && !["closed", "failed", "timed out", "rolled back", "refused", "advised"].includes(wanted.state);
  return (
    <tr data-testid={`desired-${value.path}`}>
      <th scope="row" title={value.description}>{value.displayName}</th>
      <td>{value.value === null ? "–" : formatValue(value.value)} {unit} <span class="dim">{age === null ? "" : formatAge(age)}</span></td>
      <td class={pending ? "quality warn" : ""}>{wanted === undefined ? <span class="dim">{text.desired.none}</span> : `${valueText(wanted.value)} ${unit}`}</td>
      <td>{wanted !== undefined && <span class={pending ? "quality warn" : wanted.state === "closed" ? "quality good" : "refusal"} title={wanted.reason}>{wanted.state === "closed" ? `✓ ${text.desired.same}` : text.act.state(wanted.state)}</span>}</td>
      <td><button type="button" class="button" data-testid={`set-${value.path}`} aria-expanded={open} disabled={forbidden !== null} title={forbidden ?? undefined} onClick={toggle}>{text.desired.set}</button></td>
    </tr>
  );
}

function Desired({ twin }: { twin: Twin }) {
  const [open, setOpen] = useState<string | null>(null);
  const writable = twin.values.filter((v) => v.writable && !v.telemetry);
  const { value, error, again } = useRegularly((stop) => acts.desired(twin.id, stop), EVERY_MS, [twin.id]);
  if (writable.length === 0) return null;
  const of = writable.find((v) => v.path === open);
  return (
    <section data-testid="desired">
      <h2>{text.desired.title}</h2>
      {error !== null && <p class="refusal" role="alert">{error}</p>}
      <div class="table-box"><table class="grid">
        <thead><tr>{[text.desired.property, text.desired.reported, text.desired.desired, text.desired.state, ""].map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
        <tbody>
          {writable.map((v) => <DesiredRow key={v.path} value={v} wanted={value?.find((d) => d.property === v.path)} open={open === v.path} toggle={() => setOpen(open === v.path ? null : v.path)} />)}
        </tbody>
      </table></div>
      {of !== undefined && (
        <ActForm key={of.path} twin={twin.id} name={of.path} label={of.displayName} set schema={schemaNamed(of.schema, of.choices)} unit={of.symbol ?? of.unit ?? ""}
                 close={() => setOpen(null)} done={again} {...(of.value === null ? {} : { begin: of.value })} />
      )}
    </section>
  );
}

function Commands({ twin }: { twin: Twin }) {
  const all = twin.commands ?? [];
  const [open, setOpen] = useState<string | null>(null);
  const [whole, setWhole] = useState<Whole | null | undefined>(undefined);
  const { value, again } = useRegularly((stop) => acts.commands(twin.id, stop), EVERY_MS, [twin.id]);
  useEffect(() => {
    if (all.length === 0) return;
    const stop = new AbortController();
    fetchWhole(twin.model, stop.signal).then(setWhole, () => { if (!stop.signal.aborted) setWhole(null); });
    return () => stop.abort();
  }, [twin.model]);
  if (all.length === 0) return null;
  const forbidden = mayNotAct(), chosen = all.find((c) => c.name === open);
  return (
    <section data-testid="commands">
      <div class="toolbar">
        <h2>{text.act.commands}</h2>
        {all.map((c) => (
          <button key={c.name} type="button" class="button" data-testid={`command-${c.name}`} aria-expanded={open === c.name} disabled={forbidden !== null} title={forbidden ?? c.description}
                  onClick={() => setOpen(open === c.name ? null : c.name)}>{text.act.ask(c.displayName)}</button>
        ))}
        {forbidden !== null && <span class="dim">{forbidden}</span>}
      </div>
      {chosen !== undefined && whole !== undefined && (() => {
        const { schema, unit, begin } = requestOf(chosen, twin, whole);
        return <ActForm key={chosen.name} twin={twin.id} name={chosen.name} label={chosen.displayName} set={false} schema={schema} unit={unit} close={() => setOpen(null)} done={again} {...(begin === undefined ? {} : { begin })} />;
      })()}
      {value !== null && (value.length === 0 ? <p class="dim">{text.act.noneLately}</p> : (
        <details class="lately" open={value.some((c) => c.state === "waiting")}>
          <summary>{text.act.lately} ({value.length})</summary>
          <ul class="plain-list">{value.slice(0, LATELY).map((c) => <CommandLine key={c.id} command={c} again={again} />)}</ul>
        </details>
      ))}
    </section>
  );
}

export function TwinActs() {
  const twin = shown.value;
  if (twin === null) return null;
  return (
    <>
      <span id="acts" class="anchor" />
      <Commands key={`c${twin.id}`} twin={twin} />
      <Desired key={`d${twin.id}`} twin={twin} />
      <Orders key={`o${twin.id}`} twin={twin.id} />
    </>
  );
}
