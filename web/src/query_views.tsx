// The answer of a query as a graph of its twins, or as a plot: lines over time for properties of twins, else bars.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api, type Document, type Twin } from "./api";
import { Chart } from "./chart";
import { formatNumber, formatValue } from "./format";
import { Drawing, layOut, type Picture } from "./graph_drawing";
import { nearAll } from "./group";
import { now } from "./live";
import { drawn, loadSeries, type Series } from "./series";
import { TWIN_COLUMN } from "./table";
import { text } from "./text";
import { moment, range, spanOf, theme } from "./view";

const TWINS_MAX = 120, LINES_MAX = 8, BARS_MAX = 200;

/** The twins that rows speak of, in their order. */
export function twinsIn(rows: readonly Document[]): string[] {
  const ids = new Set<string>();
  for (const row of rows) for (const [key, value] of Object.entries(row)) if (TWIN_COLUMN.test(key) && typeof value === "string") ids.add(value);
  return [...ids];
}

export function AsGraph({ rows }: { rows: readonly Document[] }) {
  const [picture, setPicture] = useState<Picture | null>(null);
  const [error, setError] = useState<string | null>(null);
  const ids = useMemo(() => twinsIn(rows), [rows]);
  const at = moment.value;
  useEffect(() => {
    const stop = new AbortController();
    nearAll(ids.slice(0, TWINS_MAX), at, stop.signal).then((twins) => layOut(twins, new Set(), new Map(), stop.signal))
      .then(setPicture, (e: Error) => { if (!stop.signal.aborted) setError(e.message); });
    return () => stop.abort();
  }, [ids, at]);
  if (ids.length === 0) return <p class="dim">{text.query.noTwins}</p>;
  if (error !== null) return <p class="refusal" role="alert">{error}</p>;
  if (picture === null) return <p class="dim">{text.loading}</p>;
  return (
    <div class="graph-box" data-testid="query-graph">
      {ids.length > TWINS_MAX && <p class="dim">{text.query.firstTwins(TWINS_MAX, ids.length)}</p>}
      <Drawing picture={picture} models={[...new Set(picture.nodes.map((n) => n.twin.model))].sort()} />
    </div>
  );
}

/** The path of a column's property: the query calls a nested one by its last name. */
function pathOf(twin: Twin, column: string): string | null {
  const name = column.replace(/\./g, "/"), last = name.slice(name.indexOf("/") + 1);
  return (twin.values.find((v) => v.path === name) ?? twin.values.find((v) => v.path === last) ?? twin.values.find((v) => v.path.endsWith(`/${name}`)))?.path ?? null;
}

function Bars({ rows, column }: { rows: readonly Document[]; column: string }) {
  const shown = rows.slice(0, BARS_MAX), most = Math.max(...shown.map((r) => Math.abs(Number(r[column] ?? 0))), Number.MIN_VALUE);
  const name = (r: Document, i: number) => Object.entries(r).filter(([, v]) => typeof v === "string").map(([, v]) => formatValue(v)).join(" · ") || `${i + 1}`;
  return (
    <div class="bars-plot" data-testid="query-bars" role="list" aria-label={column}>
      {shown.map((r, i) => (
        <div key={i} role="listitem">
          <span class="bar-name">{name(r, i)}</span>
          <span class="bar-room"><span class="bar" style={{ width: `${(Math.abs(Number(r[column] ?? 0)) / most) * 100}%` }} /></span>
          <span class="bar-value">{formatNumber(Number(r[column] ?? 0))}</span>
        </div>
      ))}
      {rows.length > BARS_MAX && <p class="dim">{text.rowsShown(BARS_MAX)}</p>}
    </div>
  );
}

function Lines({ ids, column }: { ids: readonly string[]; column: string }) {
  const box = useRef<HTMLDivElement>(null);
  const [say, setSay] = useState<string | null>(text.loading);
  const at = moment.value, span = spanOf(range.value);
  useEffect(() => {
    const stop = new AbortController();
    let chart: Chart | null = null;
    const to = at ?? now.peek(), from = Number.isFinite(span) ? to - span : 0;
    const work = async () => {
      const twins = (await Promise.all(ids.slice(0, LINES_MAX).map((id) => api.twin(id, stop.signal).catch(() => null)))).filter((t): t is Twin => t !== null);
      const points = Math.max(200, box.current!.clientWidth);
      const loaded = await Promise.all(twins.map(async (t): Promise<[Twin, Series] | null> => {
        const path = pathOf(t, column);
        return path === null ? null : [t, await loadSeries(t, path, { from, to: to + 1000 }, points, stop.signal)];
      }));
      const lines = loaded.filter((l): l is [Twin, Series] => l !== null);
      if (stop.signal.aborted) return;
      const first = Math.min(...lines.map(([, s]) => s.times[0] ?? Infinity));
      if (!Number.isFinite(first)) { setSay(lines.length === 0 ? text.query.noProperty(column) : text.noSamples); return; }
      setSay(null);
      const start = from === 0 ? first : from / 1000;
      chart = new Chart(box.current!, lines.map(([t, s]) => ({ label: t.id, unit: s.unit, held: s.held })));
      chart.set(lines.map(([, s]) => drawn(s, (to / 1000 - start) / points, to / 1000)), start, to / 1000);
    };
    work().catch((e: Error) => { if (!stop.signal.aborted) setSay(e.message); });
    return () => { stop.abort(); chart?.destroy(); };
  }, [ids, column, at, span, theme.value]);
  return (
    <>
      {say !== null && <p class="dim">{say}</p>}
      {ids.length > LINES_MAX && <p class="dim">{text.query.firstTwins(LINES_MAX, ids.length)}</p>}
      <div ref={box} class="chart" data-testid="query-plot" />
    </>
  );
}

export function AsPlot({ rows, columns }: { rows: readonly Document[]; columns: readonly string[] }) {
  const numeric = useMemo(() => columns.filter((c) => rows.some((r) => typeof r[c] === "number")), [rows, columns]);
  const [wanted, setWanted] = useState<string | null>(null);
  const ids = useMemo(() => twinsIn(rows), [rows]);
  const column = wanted !== null && numeric.includes(wanted) ? wanted : numeric[0];
  if (column === undefined) return <p class="dim">{text.query.noNumbers}</p>;
  return (
    <>
      <div class="toolbar">
        <label>{text.query.column} <select value={column} onChange={(e) => setWanted(e.currentTarget.value)}>{numeric.map((c) => <option key={c}>{c}</option>)}</select></label>
        {ids.length > 0 && <span class="dim">{text.query.overTime(text.ranges[range.value])}</span>}
      </div>
      {ids.length > 0 ? <Lines ids={ids} column={column} /> : <Bars rows={rows} column={column} />}
    </>
  );
}
