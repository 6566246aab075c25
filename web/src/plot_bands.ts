// What stands beside the measurements in a plot: where the twin really is as far as estimates tell (gathered while the page
// is open), and where a value goes by its own past. Each is a band of three lines: low, middle, high.
import { api, type Estimated } from "./api";
import type { Band, Line } from "./chart";
import { SERIES_COLORS } from "./chart";
import { connection } from "./stream";
import { moment } from "./view";

type Data = [number[], (number | null)[]];
interface Kept { times: number[]; low: number[]; middle: number[]; high: number[] }

const EVERY_MS = 1000, FAN_EVERY_MS = 10000, KEEP_MAX = 20000, FAN_POINTS = 20, TRIES = 4, WIDE = 1.96; // deviations to either side: 95 %
const empty = (): Kept => ({ times: [], low: [], middle: [], high: [] });

/** The estimates of a twin by property path; empty when nothing estimates it. */
export async function estimatesOf(twin: string, stop?: AbortSignal): Promise<Map<string, { at: number; value: Estimated }>> {
  const found = new Map<string, { at: number; value: Estimated }>();
  for (const e of (await api.estimates(twin, stop)).items) {
    if (e.at === undefined) continue;
    for (const value of [...e.variables, ...e.signals]) if (value.estimate !== undefined) found.set(value.name.replace(/\./g, "/"), { at: Date.parse(e.at) / 1000, value });
  }
  return found;
}

export class PlotBands {
  private readonly kept: Kept[];
  private readonly stop = new AbortController();
  private timers: number[] = [];
  trouble: string | null = null; // why there is no forecast

  /** estimated: those of the paths that have an estimate; fans: whether forecasts are wanted. */
  constructor(private readonly twin: string, private readonly paths: readonly string[], private readonly estimated: readonly string[], private readonly fans: readonly string[]) {
    this.kept = [...estimated, ...fans].map(empty);
  }

  /** Three lines for each band; `unit` tells a path's unit. */
  lines(unit: (path: string) => string): Line[] {
    return [...this.estimated, ...this.fans].flatMap((path, i): Line[] => {
      const color = SERIES_COLORS[this.paths.indexOf(path) % SERIES_COLORS.length]!, edge = { label: "", unit: unit(path), color: `${color}66`, width: 0.5, dash: [], quiet: true };
      return [edge, { ...edge, color, width: 1.2, dash: i < this.estimated.length ? [6, 3] : [2, 4] }, edge];
    });
  }

  bands(base: number): Band[] {
    return [...this.estimated, ...this.fans].map((path, i): Band => ({
      low: base + 3 * i, high: base + 3 * i + 2, color: `${SERIES_COLORS[this.paths.indexOf(path) % SERIES_COLORS.length]!}2e`,
    }));
  }

  data(): Data[] {
    const past = moment.peek() !== null;
    return this.kept.flatMap((k): Data[] => (past ? [[[], []], [[], []], [[], []]] : [[k.times, k.low], [k.times, k.middle], [k.times, k.high]]));
  }

  /** stepS: seconds between points of a forecast. */
  start(stepS: number, changed: () => void): void {
    if (this.estimated.length > 0) {
      const gather = () => void this.gather().then(changed, () => undefined);
      gather();
      this.timers.push(window.setInterval(gather, EVERY_MS));
    }
    if (this.fans.length > 0) {
      const look = () => void this.look(stepS).then(changed, () => undefined);
      look();
      this.timers.push(window.setInterval(look, FAN_EVERY_MS));
    }
  }

  destroy(): void {
    this.stop.abort();
    this.timers.forEach((t) => window.clearInterval(t));
  }

  private async gather(): Promise<void> {
    if (connection.peek() !== "live" || moment.peek() !== null) return;
    const found = await estimatesOf(this.twin, this.stop.signal);
    this.estimated.forEach((path, i) => {
      const f = found.get(path), k = this.kept[i]!, last = k.times[k.times.length - 1];
      if (f === undefined || (last !== undefined && f.at <= last)) return;
      const mean = f.value.estimate!, wide = WIDE * (f.value.deviation ?? 0);
      k.times.push(f.at);
      k.low.push(mean - wide);
      k.middle.push(mean);
      k.high.push(mean + wide);
      if (k.times.length > KEEP_MAX) for (const list of [k.times, k.low, k.middle, k.high]) list.splice(0, KEEP_MAX / 2);
    });
  }

  /** A past that is too short for so far ahead is asked for less. */
  private async ask(path: string, stepS: number, tries: number): ReturnType<typeof api.forecast> {
    try {
      return await api.forecast(this.twin, path, FAN_POINTS, stepS, this.stop.signal);
    } catch (e) {
      if (tries <= 1 || this.stop.signal.aborted || (e as { status?: number }).status !== 400) throw e;
      return this.ask(path, stepS / 4, tries - 1);
    }
  }

  private async look(stepS: number): Promise<void> {
    if (connection.peek() !== "live" || moment.peek() !== null) return;
    this.trouble = null;
    await Promise.all(this.fans.map(async (path, i) => {
      try {
        const f = await this.ask(path, stepS, TRIES);
        this.kept[this.estimated.length + i] = {
          times: f.points.map((p) => Date.parse(p[0]) / 1000), middle: f.points.map((p) => p[1]), low: f.points.map((p) => p[2]), high: f.points.map((p) => p[3]),
        };
      } catch (e) {
        if (!this.stop.signal.aborted) this.trouble = (e as Error).message;
      }
    }));
  }
}

export const fanStep = (spanMs: number): number => Math.max(0.1, spanMs / 4000 / FAN_POINTS); // a quarter of the range ahead
