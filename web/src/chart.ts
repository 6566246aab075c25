// A drawing of lines over time: one axis for each unit, a shared cursor, zoom and pan. uPlot does the drawing.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatMoment, formatNumber } from "./format";

// Distinguishable with the common colour-vision deficiencies (after Okabe and Ito), on light and dark grounds.
export const SERIES_COLORS = ["#2f7ed8", "#e08a1e", "#159e77", "#cc6fa8", "#8a63d2", "#c2a200", "#d4503e", "#4aa3c7"];
// The same order again as dashes, so that colour is not the only sign.
export const SERIES_DASHES: number[][] = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5], [12, 4], [1, 4], [8, 3, 2, 3, 2, 3]];
export const HEIGHT = 320;
const CURSORS = uPlot.sync("time");

export interface Line {
  label: string;
  unit: string;
  held?: boolean;
  color?: string;
  dash?: number[];
  width?: number;
  quiet?: boolean; // not in the legend, no points: an edge of a band
}
export interface Band { low: number; high: number; color: string } // indexes of lines
export interface ChartHooks {
  zoomed?(from: number, to: number): void; // seconds
  overlay?(chart: uPlot): void; // draws on the canvas behind the lines
}

export function css(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const two = (n: number): string => String(n).padStart(2, "0");

/** Clock times of 24 hours; the day stands below where it begins, and at the first tick. */
function timeLabels(_: uPlot, ticks: number[], _axis: number, _space: number, step: number): string[] {
  let day = "";
  return ticks.map((t) => {
    const d = new Date(t * 1000);
    const date = `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
    const below = date === day ? "" : `\n${date}`;
    day = date;
    if (step >= 86400) return date;
    const seconds = step < 1 ? `:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, "0")}` : step < 60 ? `:${two(d.getSeconds())}` : "";
    return `${two(d.getHours())}:${two(d.getMinutes())}${seconds}${below}`;
  });
}

function axes(units: readonly string[], width: number): uPlot.Axis[] {
  const look = { stroke: css("--ink-dim"), ticks: { stroke: css("--line"), width: 1 }, font: "12px system-ui, sans-serif" };
  const time: uPlot.Axis = { ...look, grid: { stroke: css("--line"), width: 1 }, values: timeLabels, space: 84 } /* px: a date's width */;
  return [time, ...units.map((unit, i): uPlot.Axis => ({
    ...look,
    scale: `unit-${unit}`,
    side: i % 2 === 0 ? 3 : 1,
    label: unit,
    labelSize: unit === "" ? 0 : 18,
    labelFont: "12px system-ui, sans-serif",
    size: width < 500 ? 48 : 64,
    grid: { show: i === 0, stroke: css("--line"), width: 1 },
    values: (_, ticks) => ticks.map(formatNumber),
  }))];
}

function lineOptions(line: Line, i: number): uPlot.Series {
  return {
    label: line.unit === "" ? line.label : `${line.label} [${line.unit}]`,
    scale: `unit-${line.unit}`,
    stroke: line.color ?? SERIES_COLORS[i % SERIES_COLORS.length]!,
    dash: line.dash ?? SERIES_DASHES[i % SERIES_DASHES.length]!,
    width: line.width ?? 1.5,
    spanGaps: false,
    ...(line.quiet ? { class: "quiet", points: { show: false } } : {}),
    ...(line.held ? { paths: uPlot.paths.stepped!({ align: 1 }) } : {}),
    value: (_, v: number | null) => (v == null ? "–" : formatNumber(v)),
  };
}

export class Chart {
  readonly plot: uPlot;
  private readonly size: ResizeObserver;

  constructor(private readonly box: HTMLElement, readonly lines: readonly Line[], hooks: ChartHooks = {}, bands: readonly Band[] = [], height = HEIGHT) {
    const units = [...new Set(lines.map((l) => l.unit))];
    box.replaceChildren();
    this.plot = new uPlot({
      width: Math.max(box.clientWidth, 200), height,
      cursor: { drag: { x: true, y: false, setScale: false }, sync: { key: CURSORS.key } },
      scales: { x: { time: true } },
      axes: axes(units, box.clientWidth),
      bands: bands.map((b) => ({ series: [b.high + 1, b.low + 1], fill: b.color })),
      series: [
        { value: (_: uPlot, t: number | null) => (t == null ? "–" : formatMoment(t * 1000)) },
        ...lines.map(lineOptions),
      ],
      hooks: {
        setSelect: [(u) => {
          if (u.select.width < 4) return;
          hooks.zoomed?.(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        }],
        drawClear: [(u) => hooks.overlay?.(u)],
      },
    }, [[], ...lines.map(() => [])] as uPlot.AlignedData, box);
    this.size = new ResizeObserver(() => this.plot.setSize({ width: Math.max(box.clientWidth, 200), height }));
    this.size.observe(box);
    if (hooks.zoomed !== undefined) this.listen(hooks.zoomed);
  }

  /** A table of times and values for each line; times need not be the same. */
  set(data: readonly [number[], (number | null)[]][], from: number, to: number): void {
    this.plot.batch(() => {
      this.plot.setData(data.length === 0 ? [[]] : uPlot.join(data.map((d) => d as unknown as uPlot.AlignedData)), false);
      this.plot.setScale("x", { min: from, max: to });
    });
  }

  destroy(): void {
    this.size.disconnect();
    this.plot.destroy();
  }

  // The wheel zooms about the cursor, with shift (or sideways) it pans; so do the keys.
  private listen(zoomed: (from: number, to: number) => void): void {
    const scale = (): [number, number] => [this.plot.scales["x"]!.min ?? 0, this.plot.scales["x"]!.max ?? 1];
    const zoomBy = (factor: number, about: number) => {
      const [min, max] = scale();
      if (Math.max((max - min) * factor, 0) < 0.01) return;
      this.move(about - (about - min) * factor, about + (max - about) * factor, zoomed);
    };
    const panBy = (share: number) => {
      const [min, max] = scale();
      this.move(min + (max - min) * share, max + (max - min) * share, zoomed);
    };
    this.plot.over.addEventListener("wheel", (e) => {
      if (!e.ctrlKey && !e.shiftKey && e.deltaX === 0) return; // scrolls the page
      e.preventDefault();
      if (e.ctrlKey) zoomBy(e.deltaY > 0 ? 1.25 : 0.8, this.plot.posToVal(this.plot.cursor.left ?? 0, "x"));
      else panBy((e.deltaX + e.deltaY) / 1000);
    }, { passive: false });
    this.box.onkeydown = (e) => {
      const [min, max] = scale();
      if (e.key === "ArrowLeft") panBy(-0.2);
      else if (e.key === "ArrowRight") panBy(0.2);
      else if (e.key === "+" || e.key === "=") zoomBy(0.5, (min + max) / 2);
      else if (e.key === "-") zoomBy(2, (min + max) / 2);
      else return;
      e.preventDefault();
    };
  }

  private move(from: number, to: number, zoomed: (from: number, to: number) => void): void {
    this.plot.setScale("x", { min: from, max: to });
    zoomed(from, to);
  }
}
