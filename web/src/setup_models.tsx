// Models: which there are, what each brings and what it inherits, and from whom.
import { useMemo, useState } from "preact/hooks";
import { api, type Json, type Model } from "./api";
import { byId, list, object, said, typesOf, wholeOf, type Content } from "./dtdl";
import { text as common } from "./text";
import { actText as text } from "./text_act";
import { useRegularly } from "./use_regularly";
import { question, show } from "./view";

const SHOWN = 400;
const nameOf = (m: Model | undefined, id: string): string => said(m?.model === undefined ? undefined : object(m.model)["displayName"]) ?? id;

function schemaText(c: Content): string {
  const d = c.document, s = (x: Json | undefined): string => (typeof x === "string" ? x : typesOf(object(x))[0] ?? "");
  if (c.kind === "Command") return `${s(object(d["request"])["schema"]) || text.setup.noRequest} → ${s(object(d["response"])["schema"]) || text.setup.noResponse}`;
  if (c.kind === "Relationship") return typeof d["target"] === "string" ? d["target"] : text.setup.anyTarget;
  return s(d["schema"]);
}

function ModelPage({ id, models, all, pick }: { id: string; models: ReadonlyMap<string, { [k: string]: Json }>; all: readonly Model[]; pick: (id: string) => void }) {
  const whole = useMemo(() => wholeOf(id, new Map(models)), [id, models]);
  const below = useMemo(() => [...models].filter(([, d]) => list(d["extends"]).includes(id)).map(([k]) => k), [id, models]);
  if (whole === null) return <p class="dim">{text.setup.noDefinition(id)}</p>;
  const link = (other: string) => <button key={other} type="button" class="link" onClick={() => pick(other)}>{other}</button>;
  return (
    <div data-testid="model-page">
      <h2>{nameOf(all.find((m) => m.id === id), id)} <span class="dim">{id}</span></h2>
      {said(whole.document["description"]) !== undefined && <p>{said(whole.document["description"])}</p>}
      <p class="dim">{text.setup.inherits}: {whole.lineage.length > 1 ? whole.lineage.slice(1).map(link) : text.setup.nothing}</p>
      {below.length > 0 && <p class="dim">{text.setup.inheritedBy}: {below.map(link)}</p>}
      {whole.contents.length === 0 ? <p class="dim">{text.setup.empty}</p> : (
        <div class="table-box"><table class="grid">
          <thead><tr>{[text.setup.name, text.setup.kind, text.setup.schema, text.setup.unit, text.setup.from].map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
          <tbody>
            {whole.contents.map((c) => (
              <tr key={c.name}>
                <th scope="row" title={said(c.document["description"])}>{c.name} <span class="dim">{said(c.document["displayName"])}</span></th>
                <td>{c.kind}{c.document["writable"] === true && ` · ${text.setup.writable}`}</td>
                <td>{c.kind === "Component" && typeof c.document["schema"] === "string" && models.has(c.document["schema"]) ? link(c.document["schema"]) : schemaText(c)}</td>
                <td>{said(c.document["unit"]) ?? ""}</td>
                <td>{c.from === id ? text.setup.own : link(c.from)}</td>
              </tr>
            ))}
          </tbody>
        </table></div>
      )}
      <div class="toolbar">
        <button type="button" class="button" onClick={() => { question.value = `SELECT T.$dtId FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, '${id}')`; show("query"); }}>{text.setup.itsTwins}</button>
      </div>
      <details><summary>{text.setup.definition}</summary><pre>{JSON.stringify(whole.document, null, 2)}</pre></details>
    </div>
  );
}

export function Models() {
  const { value, error } = useRegularly((stop) => api.models(stop), 30000);
  const [search, setSearch] = useState(""), [chosen, setChosen] = useState<string | null>(null);
  const models = useMemo(() => byId(value ?? []), [value]);
  if (error !== null) return <p class="empty" role="alert">{common.loadFailed(error)}</p>;
  if (value === null) return <p class="empty">{common.loading}</p>;
  const found = value.filter((m) => `${m.id} ${nameOf(m, "")}`.toLowerCase().includes(search.toLowerCase())), id = chosen ?? found[0]?.id ?? null;
  return (
    <section class="two">
      <div>
        <input type="search" value={search} placeholder={text.setup.searchModels} aria-label={text.setup.searchModels} onInput={(e) => setSearch(e.currentTarget.value)} />
        <p class="dim">{text.setup.models(found.length)}</p>
        <ul class="plain-list pick-list" data-testid="model-list">
          {found.slice(0, SHOWN).map((m) => (
            <li key={m.id}><button type="button" class={m.id === id ? "name selected" : "name"} aria-current={m.id === id} title={m.id} onClick={() => setChosen(m.id)}>{nameOf(m, m.id)}{m.decommissioned && <span class="quality warn"> ⚠ {text.setup.decommissioned}</span>}</button></li>
          ))}
        </ul>
        {found.length > SHOWN && <p class="dim">{text.setup.narrow}</p>}
      </div>
      {id === null ? <p class="dim">{text.setup.noModels}</p> : <ModelPage id={id} models={models} all={value} pick={setChosen} />}
    </section>
  );
}
