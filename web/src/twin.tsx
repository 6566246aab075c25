// One twin: its values with unit and age, and what it is connected to.
import type { Relationship, Twin, Value } from "./api";
import { canPlot, formatAge, formatValue } from "./format";
import { groups, now } from "./live";
import { SERIES_COLORS } from "./plot";
import { text } from "./text";
import { plotted, select, togglePlot } from "./view";

function Row({ value }: { value: Value }) {
  const index = plotted.value.indexOf(value.path);
  const never = value.value === null;
  const age = value.sourceTime === undefined ? null : now.value - Date.parse(value.sourceTime);
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
      <th scope="row" title={value.path}>
        {value.displayName}
        {value.telemetry && <span class="dim"> {text.telemetry}</span>}
      </th>
      <td class="value" data-testid={`value-${value.path}`}>{never ? <span class="dim">{text.noValue}</span> : formatValue(value.value)}</td>
      <td class="unit">{value.symbol ?? value.unit ?? ""}</td>
      <td class="age">{age === null ? "" : formatAge(age)}</td>
    </tr>
  );
}

function Links({ title, links, end }: { title: string; links: Relationship[]; end: "source" | "target" }) {
  if (links.length === 0) return null;
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
  return (
    <section class="twin">
      <h2>
        {twin.id} <span class="dim" title={twin.model}>{twin.modelName}</span>
      </h2>
      <table class="values">
        <thead>
          <tr>
            <th class="pick" />
            <th scope="col">{text.property}</th>
            <th scope="col" class="value">{text.value}</th>
            <th scope="col">{text.unit}</th>
            <th scope="col" class="age">{text.age}</th>
          </tr>
        </thead>
        {groups.value.map((group) => (
          <tbody key={group.component}>
            {group.component !== "" && (
              <tr class="component"><th colSpan={5} scope="rowgroup">{group.component}</th></tr>
            )}
            {group.values.map((value) => <Row key={value.path} value={value} />)}
          </tbody>
        ))}
      </table>
      {out.length + incoming.length > 0 && (
        <details class="links" open={out.length + incoming.length <= 8}>
          <summary>{text.relationships} ({out.length + incoming.length})</summary>
          <ul>
            <Links title={text.outgoing} links={out} end="target" />
            <Links title={text.incoming} links={incoming} end="source" />
          </ul>
        </details>
      )}
    </section>
  );
}
