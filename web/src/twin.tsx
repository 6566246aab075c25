// One twin at the page's time: its values, what it is connected to, its model, and the document itself.
import { useState } from "preact/hooks";
import { EstimateCell, useEstimates, type Estimates } from "./twin_estimates";
import type { Relationship, Twin, Value } from "./api";
import { SERIES_COLORS } from "./chart";
import { canPlot, formatAge, formatValue } from "./format";
import { groupsOf } from "./live";
import { ModelPanel, RawPanel } from "./twin_panels";
import { clock } from "./past";
import { Sparkline } from "./sparkline";
import { text } from "./text";
import { actText } from "./text_act";
import { plotted, range, select, togglePlot } from "./view";

const RELATIONSHIPS_MOST = 500; // of each direction: what the server tells with a twin

const OLD_TIMES = 60e3; // telemetry that has not come for so long is told to be old

function Quality({ value, age }: { value: Value; age: number | null }) {
  if (value.value === null || age === null) return null;
  if (age < -5000) return <span class="quality warn" title={text.quality.aheadWhy}>⚠ {text.quality.ahead}</span>;
  if (value.telemetry && age > OLD_TIMES) return <span class="quality warn" title={text.oldValue}>⚠ {text.quality.old}</span>;
  return <span class="quality good" title={value.telemetry ? text.quality.fresh : text.quality.set}>✓</span>;
}

function Row({ twin, value, estimates }: { twin: string; value: Value; estimates: Estimates }) {
  const index = plotted.value.indexOf(value.path);
  const never = value.value === null;
  const age = value.sourceTime === undefined ? null : clock.value - Date.parse(value.sourceTime);
  return (
    <tr class={never ? "never" : ""} data-path={value.path}>
      <td class="pick">
        {canPlot(value) && (
          <input
            type="checkbox"
            checked={index >= 0}
            aria-label={text.plot(value.displayName)}
            style={index >= 0 ? { accentColor: SERIES_COLORS[index % SERIES_COLORS.length] } : {}}
            onChange={() => togglePlot(value.path)}
          />
        )}
      </td>
      <th scope="row" title={value.description === undefined ? value.path : `${value.path}: ${value.description}`}>
        {value.displayName}
        {value.telemetry && <span class="dim"> {text.telemetry}</span>}
      </th>
      <td class="value" data-testid={`value-${value.path}`}>{never ? <span class="dim">{text.noValue}</span> : formatValue(value.value)}</td>
      {estimates.size > 0 && <td class="value estimate"><EstimateCell found={estimates.get(value.path)} path={value.path} /></td>}
      <td class="unit">{value.symbol ?? value.unit ?? ""}</td>
      <td class="sparks">{canPlot(value) && !never && <Sparkline twin={twin} path={value.path} />}</td>
      <td class="age" title={value.sourceTime}><Quality value={value} age={age} /> {age === null ? "" : formatAge(age)}</td>
    </tr>
  );
}

function Links({ title, links, end }: { title: string; links: Relationship[]; end: "source" | "target" }) {
  return (
    <>
      {links.map((link) => {
        const other = link[end] ?? "";
        return (
          <li key={`${title}${link.id}${other}`}>
            <span class="dim">{link.name} {title}</span>{" "}
            <button type="button" class="link" onClick={() => select(other)}>{other}</button>
          </li>
        );
      })}
    </>
  );
}

export function TwinPage({ twin }: { twin: Twin }) {
  const { out, in: incoming } = twin.relationships;
  const estimates = useEstimates(twin.id), columns = estimates.size > 0 ? 7 : 6;
  const [panel, setPanel] = useState<"model" | "raw" | null>(null);
  const tab = (name: "model" | "raw", label: string) => (
    <button type="button" class="button" data-testid={`panel-${name}`} aria-expanded={panel === name} onClick={() => setPanel(panel === name ? null : name)}>{label}</button>
  );
  return (
    <section class="twin">
      <div class="toolbar">
        <h2>
          {twin.name !== undefined && twin.name !== twin.id ? `${twin.name} · ${twin.id}` : twin.id} <span class="dim" title={twin.model}>{twin.modelName}</span>
        </h2>
        <span class="spacer" />
        {((twin.commands ?? []).length > 0 || twin.values.some((v) => v.writable)) && (
          <button type="button" class="button" data-testid="to-acts" onClick={() => document.getElementById("acts")?.scrollIntoView({ block: "start" })}>{actText.act.jump}</button>
        )}
        {tab("model", text.model)}
        {tab("raw", text.raw.title)}
      </div>
      {panel === "model" && <ModelPanel model={twin.model} />}
      {panel === "raw" && <RawPanel twin={twin} />}
      {twin.values.length === 0 ? <p class="dim">{text.noValues}</p> : (
        <table class="values">
          <thead>
            <tr>
              <th class="pick" />
              <th scope="col">{text.property}</th>
              <th scope="col" class="value">{text.value}</th>
              {estimates.size > 0 && <th scope="col" class="value">{actText.estimate.title}</th>}
              <th scope="col">{text.unit}</th>
              <th scope="col" class="sparks">{text.ranges[range.value]}</th>
              <th scope="col" class="age">{text.age}</th>
            </tr>
          </thead>
          {groupsOf(twin).map((group) => (
            <tbody key={group.component}>
              {group.component !== "" && (
                <tr class="component"><th colSpan={columns} scope="rowgroup">{group.component}</th></tr>
              )}
              {group.values.map((value) => <Row key={value.path} twin={twin.id} value={value} estimates={estimates} />)}
            </tbody>
          ))}
        </table>
      )}
      {out.length + incoming.length > 0 && (
        <details class="links" open={out.length + incoming.length <= 12}>
          <summary>{text.relationships} ({text.countOf(out.length + incoming.length, out.length >= RELATIONSHIPS_MOST || incoming.length >= RELATIONSHIPS_MOST)})</summary>
          <ul>
            <Links title={text.outgoing} links={out} end="target" />
            <Links title={text.incoming} links={incoming} end="source" />
          </ul>
        </details>
      )}
    </section>
  );
}
