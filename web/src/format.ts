// How values and times look. Numbers keep what a person can use: about six significant digits, thin-space groups.
import type { Json, Value } from "./api";

export function formatNumber(x: number): string {
  if (!Number.isFinite(x)) return String(x);
  if (Number.isInteger(x) && Math.abs(x) < 1e15) return x.toLocaleString("en", { useGrouping: true });
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return x.toExponential(4);
  return x.toLocaleString("en", { maximumSignificantDigits: 6 });
}

export function formatValue(value: Json): string {
  if (value === null) return "";
  if (typeof value === "number") return formatNumber(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** "3 s", "12 min", "5 h", "9 d"; never negative: a device clock may run a little ahead. */
export function formatAge(ms: number): string {
  const s = Math.max(0, ms) / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 100) return `${Math.round(s)} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 48 * 3600) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}

export function formatClock(date: Date): string {
  return date.toLocaleTimeString("en", { hour12: false });
}

/** Numbers and booleans can be drawn; text can not. */
export function canPlot(value: Value): boolean {
  return value.kind === "number" || value.kind === "integer" || value.kind === "boolean";
}

export function asNumber(value: Json): number | null {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  return null;
}

export function formatMoment(ms: number): string {
  return toLocalInput(ms).replace("T", " ");
}

/** What an <input type=datetime-local> takes: local time without a zone. */
export function toLocalInput(ms: number): string {
  const d = new Date(ms);
  return new Date(ms - d.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}

/** Seconds as "90 s", "6 h", "2 d": spans of the future. */
export function formatSpan(s: number): string {
  return formatAge(s * 1000).replace(".0 ", " ");
}

/** A name or value for a cell of CSV (RFC 4180). */
export function csvCell(value: unknown): string {
  const plain = value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  // A spreadsheet would take these beginnings for formulas; numbers may begin with a minus.
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(plain) ? `'${plain}` : plain;
  return /[",\n\r]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}
