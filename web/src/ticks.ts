// Round moments along a stretch of time, for whatever has a time axis of its own.
const DAY = 86400e3, TICKS = 6;
const STEPS = [60e3, 300e3, 900e3, 3600e3, 3 * 3600e3, 6 * 3600e3, DAY, 2 * DAY, 7 * DAY, 14 * DAY];

export interface Tick { at: number; label: string } // at: share of the stretch

/** Steps of minutes to weeks, or the beginnings of months and years. */
export function ticksOf(start: number, end: number): Tick[] {
  const span = end - start, rough = span / TICKS, found: number[] = [];
  const step = STEPS.find((s) => s >= rough);
  if (step !== undefined) for (let t = Math.ceil(start / step) * step; t <= end; t += step) found.push(t);
  else {
    const months = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200].find((m) => m * 30.4 * DAY >= rough) ?? 2400;
    const first = new Date(start), index = Math.ceil((first.getUTCFullYear() * 12 + first.getUTCMonth() + 1e-9) / months) * months;
    for (let m = index; ; m += months) {
      const t = Date.UTC(Math.floor(m / 12), m % 12, 1);
      if (t > end) break;
      if (t >= start) found.push(t);
    }
  }
  const how: Intl.DateTimeFormatOptions = span < 2 * DAY ? { hour: "2-digit", minute: "2-digit", hour12: false } : step !== undefined ? { day: "numeric", month: "short" } : span < 4 * 365 * DAY ? { month: "short", year: "numeric" } : { year: "numeric" };
  return found.map((t) => ({ at: (t - start) / span, label: new Date(t).toLocaleString("en-GB", span < 2 * DAY ? how : { ...how, timeZone: "UTC" }) }));
}
