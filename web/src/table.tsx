// A table of rows of any shape: sortable by every column, to be taken away as CSV; names of twins lead to them.
import { useMemo, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { Document, Json } from "./api";
import { downloadCsv } from "./download";
import { formatValue } from "./format";
import { text } from "./text";
import { show } from "./view";

const ROWS_SHOWN = 500; // drawn at once; sorting and CSV take all
export const TWIN_COLUMN = /(^|\.)(\$dtId|\$sourceId|\$targetId)$/;

/** Leaves of a document as columns; of $metadata only what names the model. */
export function flat(document: Document, prefix = "", into: Document = {}): Document {
  for (const [key, value] of Object.entries(document)) {
    const name = prefix === "" ? key : `${prefix}.${key}`;
    if (key === "$metadata") {
      const model = (value as Document | null)?.["$model"];
      if (model !== undefined) into[prefix === "" ? "$model" : `${prefix}.$model`] = model;
    } else if (value !== null && typeof value === "object" && !Array.isArray(value)) flat(value, name, into);
    else into[name] = value;
  }
  return into;
}

/** Numbers before texts, missing values last whichever way one sorts. */
export function compare(a: Json | undefined, b: Json | undefined, way: 1 | -1): number {
  const absent = (x: Json | undefined) => x === undefined || x === null;
  if (absent(a) || absent(b)) return Number(absent(a)) - Number(absent(b));
  if (typeof a === "number" && typeof b === "number") return way * (a - b);
  if (typeof a !== typeof b) return way * (typeof a === "number" ? -1 : typeof b === "number" ? 1 : 0);
  const x = formatValue(a!), y = formatValue(b!);
  return way * (x < y ? -1 : x > y ? 1 : 0);
}

export interface Column {
  name: string;
  label?: string;
  cell?: (value: Json | undefined, row: Document) => ComponentChildren;
}

interface TableProps {
  rows: readonly Document[];
  columns: readonly Column[];
  file: string;
  sort?: { by: string; way: 1 | -1 };
}

function Cell({ column, row }: { column: Column; row: Document }) {
  const value = row[column.name];
  if (column.cell !== undefined) return <>{column.cell(value, row)}</>;
  if (typeof value === "string" && TWIN_COLUMN.test(column.name)) return <button type="button" class="link" onClick={() => show("twin", value)}>{value}</button>;
  return <>{value === undefined ? "" : value === null ? "null" : formatValue(value)}</>;
}

export function Table({ rows, columns, file, sort }: TableProps) {
  const [by, setBy] = useState(sort ?? null);
  const sorted = useMemo(() => (by === null ? rows : [...rows].sort((a, b) => compare(a[by.by], b[by.by], by.way))), [rows, by]);
  const turn = (name: string) => setBy(by?.by === name ? (by.way === 1 ? { by: name, way: -1 } : null) : { by: name, way: 1 });
  return (
    <>
      <div class="toolbar">
        <span class="dim">{text.rows(rows.length)}{rows.length > ROWS_SHOWN && ` · ${text.rowsShown(ROWS_SHOWN)}`}</span>
        <span class="spacer" />
        <button type="button" class="button" data-testid="table-csv" onClick={() => downloadCsv(file, columns.map((c) => c.label ?? c.name), sorted.map((r) => columns.map((c) => r[c.name])))}>CSV</button>
      </div>
      <div class="table-box">
        <table class="grid" data-testid="table">
          <thead>
            <tr>
              {columns.map((c) => (
                <th key={c.name} scope="col" aria-sort={by?.by !== c.name ? "none" : by.way === 1 ? "ascending" : "descending"}>
                  <button type="button" onClick={() => turn(c.name)}>{c.label ?? c.name} <span aria-hidden="true">{by?.by !== c.name ? "" : by.way === 1 ? "▲" : "▼"}</span></button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted.slice(0, ROWS_SHOWN).map((row, i) => (
              <tr key={i}>{columns.map((c) => <td key={c.name} class={typeof row[c.name] === "number" ? "number" : ""}><Cell column={c} row={row} /></td>)}</tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
