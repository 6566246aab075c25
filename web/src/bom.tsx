// What a twin (or a part number) is made of, at the page's time: its bill of materials as a tree, what that adds up to, where it is
// used itself, and where effectivity has gaps.
import { useEffect, useMemo, useState } from "preact/hooks";
import { branchesOf, inSightOf, type Branch } from "./bom_rows";
import { formatMoment, formatNumber } from "./format";
import { life, type BomChoice, type BomGap, type BomRow } from "./life_api";
import { useAbout } from "./life_use";
import { lifeText } from "./text_life";
import { select } from "./view";

const text = lifeText.bom, ROWS_MAX = 1500, OPEN_MAX = 300, SUMS = ["mass", "cost", "carbon"] as const;

function Part({ id }: { id: string }) {
  return <button type="button" class="link" data-part={id} onClick={() => select(id)}>{id}</button>;
}

const serialsOf = (row: BomRow): string => { const s = row.more?.["serials"]; return typeof s === "string" ? s : ""; };

function effective(row: { from?: string; to?: string }): string {
  const say = (at: string | undefined, none: string) => (at === undefined ? none : formatMoment(Date.parse(at)).slice(0, 10));
  return row.from === undefined && row.to === undefined ? lifeText.always : `${say(row.from, lifeText.always)} – ${say(row.to, "")}`;
}

function Row({ branch, closed, flip }: { branch: Branch; closed: boolean; flip: () => void }) {
  const { row, leaf } = branch;
  return (
    <tr data-row={row.part} data-level={row.level} aria-level={row.level}>
      <td style={{ paddingLeft: `${(row.level - 1) * 20 + 6}px` }}>
        {leaf ? <span class="bom-twist" /> : <button type="button" class="bom-twist" aria-expanded={!closed} aria-label={text.open(row.part)} onClick={flip}>{closed ? "▸" : "▾"}</button>}
        {row.position ?? ""}{row.variant !== undefined && <span class="dim"> ~{row.variant}</span>}
      </td>
      <th scope="row"><Part id={row.part} />{row.alternate === true && <span class="tag"> ⇄ {text.alternate}</span>}</th>
      <td class="number">{formatNumber(row.quantity)}{row.unit === undefined ? "" : ` ${row.unit}`}</td>
      <td class="number">{formatNumber(row.total)}</td>
      <td class="time">{effective(row)}</td>
      <td>{serialsOf(row)}</td>
      <td class="dim">{lifeText.phases[row.phase]}</td>
    </tr>
  );
}

function Tree({ rows }: { rows: readonly BomRow[] }) {
  const branches = useMemo(() => branchesOf(rows), [rows]);
  const holders = useMemo(() => branches.filter((b) => !b.leaf), [branches]);
  // A large bill opens one level deep.
  const [closed, setClosed] = useState<ReadonlySet<string>>(() => new Set(rows.length > OPEN_MAX ? holders.map((b) => b.key) : []));
  const seen = inSightOf(branches, closed);
  const flip = (key: string) => { const next = new Set(closed); if (!next.delete(key)) next.add(key); setClosed(next); };
  return (
    <>
      <div class="toolbar">
        <span class="dim" data-testid="bom-count">{text.count(rows.length)}</span>
        {holders.length > 0 && <button type="button" class="button" onClick={() => setClosed(new Set())}>{text.expandAll}</button>}
        {holders.length > 0 && <button type="button" class="button" data-testid="bom-close" onClick={() => setClosed(new Set(holders.map((b) => b.key)))}>{text.collapseAll}</button>}
      </div>
      <div class="table-box"><table class="grid bom" data-testid="bom">
        <thead><tr>{[text.position, text.part].map((h) => <th key={h} scope="col">{h}</th>)}{[text.quantity, text.total].map((h) => <th key={h} scope="col" class="number">{h}</th>)}{[text.effectivity, text.serials, lifeText.fact.phase].map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
        <tbody>{seen.slice(0, ROWS_MAX).map((b) => <Row key={b.key} branch={b} closed={closed.has(b.key)} flip={() => flip(b.key)} />)}</tbody>
      </table></div>
      {seen.length > ROWS_MAX && <p class="dim">{text.cut(seen.length - ROWS_MAX)}</p>}
    </>
  );
}

function Sum({ id, name, choice }: { id: string; name: string; choice: BomChoice }) {
  const { value, error } = useAbout(JSON.stringify([id, name, choice]), (stop, t) => life.bomSum(id, name, choice, t, stop));
  const unit = value?.unit === undefined ? "" : ` ${value.unit}`;
  return (
    <div class="sum" data-testid={`sum-${name}`}>
      <span class="dim">{text.keys[name] ?? name}</span>
      {error !== null ? <p class="refusal" role="alert">{error}</p> : value === null ? <strong>…</strong> : value.parts === 0 ? <p class="dim">{text.nothingSaid}</p> : (
        <>
          <strong>{formatNumber(value.total)}{unit}</strong>
          <p class="dim">{text.parts(value.parts)}{value.declared !== undefined && ` · ${text.declared(`${formatNumber(value.declared)}${unit}`)}`}</p>
          {value.missingCount > 0 ? <p class="verdict-warn">⚠ {text.missing(value.missingCount, value.missing.slice(0, 5).join(", ") + (value.missingCount > 5 ? " …" : ""))}</p> : <p class="verdict-good">✓ {text.complete}</p>}
        </>
      )}
    </div>
  );
}

function UsedIn({ id, choice }: { id: string; choice: BomChoice }) {
  const { value, error } = useAbout(JSON.stringify([id, choice]), (stop, t) => life.whereUsed(id, choice, t, stop));
  return (
    <section data-testid="where-used">
      <h2>{text.usedIn}</h2>
      {error !== null ? <p class="refusal" role="alert">{error}</p> : value === null ? <p class="dim">…</p> : value.length === 0 ? <p class="dim">{text.usedNowhere}</p> : (
        <ul class="plain-list">
          {value.slice(0, ROWS_MAX).map((row, i) => <li key={i} style={{ paddingLeft: `${(row.level - 1) * 20}px` }}>{text.times(formatNumber(row.quantity))} <span class="dim">{row.position === undefined ? "" : lifeText.fact.at(row.position)}</span> → <Part id={row.assembly} />{row.total !== row.quantity && <span class="dim"> ({text.times(formatNumber(row.total))})</span>}</li>)}
        </ul>
      )}
    </section>
  );
}

const serialText = (g: BomGap): string => (g.firstSerial === undefined && g.lastSerial === undefined ? "" : `, ${text.serials.toLowerCase()} ${g.firstSerial ?? ""}–${g.lastSerial ?? ""}`);

function Gaps({ id }: { id: string }) {
  const { value } = useAbout(id, (stop, t) => life.gaps(id, t, stop));
  if (value === null) return null;
  return (
    <section data-testid="gaps">
      <h2>{text.gaps}</h2>
      {value.length === 0 ? <p class="dim">✓ {text.noGaps}</p> : <ul class="plain-list">{value.map((g, i) => <li key={i} class="verdict-warn">{text.gap(g.kind, g.position ?? "")}: {effective(g)}{serialText(g)}</li>)}</ul>}
    </section>
  );
}

export function BomView({ id }: { id: string }) {
  const [choice, setChoice] = useState<BomChoice>({ serial: "", alternates: false, installed: false });
  const [typed, setTyped] = useState("");
  useEffect(() => {
    const timer = window.setTimeout(() => setChoice((c) => (c.serial === typed ? c : { ...c, serial: typed })), 300); // while one types
    return () => window.clearTimeout(timer);
  }, [typed]);
  const about = JSON.stringify([id, choice]);
  const { value, error } = useAbout(about, (stop, t) => life.bom(id, choice, t, stop));
  return (
    <>
      <section>
        <div class="toolbar">
          <label>{text.what}{" "}
            <select value={choice.installed ? "installed" : "specified"} data-testid="bom-installed" onChange={(e) => setChoice({ ...choice, installed: e.currentTarget.value === "installed" })}>
              <option value="specified">{text.asSpecified}</option>
              <option value="installed">{text.asInstalled}</option>
            </select>
          </label>
          <label title={text.serialWhat}>{text.serial} <input type="text" class="short" value={typed} placeholder={text.serialAny} data-testid="bom-serial" onInput={(e) => setTyped(e.currentTarget.value)} /></label>
          <label class="chip"><input type="checkbox" checked={choice.alternates} data-testid="bom-alternates" onChange={(e) => setChoice({ ...choice, alternates: e.currentTarget.checked })} /> {text.alternates} </label>
        </div>
        {error !== null ? <p class="refusal" role="alert">{error}</p> : value === null ? <p class="dim">…</p> : value.length === 0 ? <p class="dim" data-testid="bom-none">{choice.installed ? text.noneInstalled(id) : text.none(id)}</p> : (
          <>
            <div class="sums">{SUMS.map((name) => <Sum key={name} id={id} name={name} choice={choice} />)}</div>
            <Tree key={about} rows={value} />
          </>
        )}
      </section>
      <UsedIn id={id} choice={choice} />
      {value !== null && value.length > 0 && !choice.installed && <Gaps id={id} />}
    </>
  );
}
