// A live plot with its history behind it. History comes decimated from the server (min and max of every bucket);
// changes are appended as they arrive; a gap in the data is a gap in the line.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { api, type Twin } from "./api";
import { asNumber, formatNumber } from "./format";
import { now, onChange } from "./live";
import { connection, epoch } from "./stream";
import { text } from "./text";
import { plotted, range, RANGES, theme } from "./view";

// Distinguishable with the common colour-vision deficiencies (after Okabe and Ito), on light and dark grounds.
export const SERIES_COLORS = ["#2f7ed8", "#e08a1e", "#159e77", "#cc6fa8", "#8a63d2", "#c2a200", "#d4503e", "#4aa3c7"];
const POINTS_PER_PIXEL = 1;
const KEEP_MAX = 20000; // appended samples per series before the page asks the server for a fresh decimation

interface Series {
  path: string;
  label: string;
  unit: string;
  times: number[]; // seconds
  values: (number | null)[];
}

/** uPlot wants one time axis: merges the series, undefined where a series has no sample at a time. */
function align(series: Series[]): uPlot.AlignedData {
  if (series.length === 0) return [[]];
  return uPlot.join(series.map((s) => [s.times, s.values] as uPlot.AlignedData)) as uPlot.AlignedData;
}

function css(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function options(series: Series[], width: number, height: number): uPlot.Options {
  const units = [...new Set(series.map((s) => s.unit))];
  const axis = { stroke: css("--ink-dim"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line"), width: 1 } };
  return {
    width,
    height,
    legend: { live: true },
    cursor: { drag: { x: true, y: false } },
    scales: { x: { time: true } },
    axes: [
      { ...axis },
      ...units.map((unit, i) => ({
        ...axis,
        scale: `unit-${unit}`,
        side: i % 2 === 0 ? 3 : 1,
        label: unit,
        labelSize: unit === "" ? 0 : 18,
        size: 64,
        grid: { show: i === 0, stroke: css("--line"), width: 1 },
        values: (_: uPlot, ticks: number[]) => ticks.map(formatNumber),
      })),
    ],
    series: [
      { value: (_: uPlot, t: number | null) => (t == null ? "" : new Date(t * 1000).toLocaleString("en", { hour12: false })) },
      ...series.map((s, i) => ({
        label: s.unit === "" ? s.label : `${s.label} [${s.unit}]`,
        scale: `unit-${s.unit}`,
        stroke: SERIES_COLORS[i % SERIES_COLORS.length]!,
        width: 1.5,
        spanGaps: false,
        points: { show: s.times.length < 40 },
        value: (_: uPlot, v: number | null) => (v == null ? "–" : formatNumber(v)),
      })),
    ],
  };
}

async function load(twin: Twin, paths: readonly string[], from: Date, to: Date, points: number, stop: AbortSignal): Promise<Series[]> {
  return Promise.all(
    paths.map(async (path) => {
      const value = twin.values.find((v) => v.path === path);
      const h = await api.history(twin.id, path, from, to, points, stop);
      return {
        path,
        label: value?.displayName ?? path,
        unit: value?.symbol ?? value?.unit ?? "",
        times: h.points.map((p) => Date.parse(p[0]) / 1000),
        values: h.points.map((p) => asNumber(p[1])),
      };
    }),
  );
}

export function Plot({ twin }: { twin: Twin }) {
  const holder = useRef<HTMLDivElement>(null);
  const [message, setMessage] = useState<string | null>(null);
  const [version, setVersion] = useState(0); // rises to ask for everything anew
  const paths = plotted.value.filter((p) => twin.values.some((v) => v.path === p));
  const shown = range.value;
  const loadedWhile = epoch.value;

  useEffect(() => {
    const box = holder.current;
    if (box === null || paths.length === 0) return;
    const stop = new AbortController();
    const span = RANGES.find((r) => r.key === shown)!.ms;
    const to = new Date(now.peek() + 1000);
    const from = new Date(Number.isFinite(span) ? to.getTime() - span : 0);
    let chart: uPlot | null = null;
    let series: Series[] = [];
    let frame = 0;
    let zoomed = false;

    const draw = () => {
      frame = 0;
      if (chart === null) return;
      const data = align(series);
      chart.setData(data, false);
      if (!zoomed) {
        const end = now.peek() / 1000;
        const first = data[0]?.[0] ?? end;
        chart.setScale("x", { min: Number.isFinite(span) ? end - span / 1000 : first, max: Math.max(end, first + 1) });
      }
    };
    const soon = () => {
      if (frame === 0) frame = requestAnimationFrame(draw);
    };

    load(twin, paths, from, to, Math.round(box.clientWidth * POINTS_PER_PIXEL), stop.signal).then(
      (loaded) => {
        series = loaded;
        setMessage(loaded.every((s) => s.times.length === 0) ? text.noSamples : null);
        box.replaceChildren();
        chart = new uPlot({ ...options(series, box.clientWidth, 320), hooks: { setSelect: [() => (zoomed = true)] } }, align(series), box);
        chart.over.addEventListener("dblclick", () => { zoomed = false; soon(); });
        draw();
      },
      (e: Error) => { if (!stop.signal.aborted) setMessage(e.message); },
    );

    const off = onChange((change) => {
      let grew = false;
      for (const s of series) {
        const fresh = change.values[s.path];
        if (fresh === undefined) continue;
        const t = Date.parse(fresh.sourceTime) / 1000;
        const last = s.times[s.times.length - 1];
        if (last !== undefined && t <= last) continue;
        s.times.push(t);
        s.values.push(asNumber(fresh.value));
        grew = true;
        if (s.times.length > KEEP_MAX) setVersion((v) => v + 1);
      }
      if (grew) { setMessage(null); soon(); }
    });
    const tick = window.setInterval(() => { if (connection.peek() === "live") soon(); }, 500);
    const resize = new ResizeObserver(() => chart?.setSize({ width: box.clientWidth, height: 320 }));
    resize.observe(box);
    return () => {
      stop.abort();
      off();
      window.clearInterval(tick);
      cancelAnimationFrame(frame);
      resize.disconnect();
      chart?.destroy();
    };
    // A regained connection (a new epoch) loads again: what was missed is in the history, so the plot has no gap. A lost
    // one leaves the plot as it was.
  }, [twin.id, paths.join("\n"), shown, version, theme.value, loadedWhile]);

  return (
    <section class="plot" aria-label={text.plot(twin.id)}>
      <div class="ranges" role="group" aria-label={text.range}>
        {RANGES.map((r) => (
          <button key={r.key} type="button" aria-pressed={r.key === shown} onClick={() => (range.value = r.key)}>
            {text.ranges[r.key]}
          </button>
        ))}
      </div>
      {paths.length === 0 && <p class="dim">{text.plotHint}</p>}
      {message !== null && paths.length > 0 && <p class="dim">{message}</p>}
      <div ref={holder} class="chart" data-testid="chart" />
    </section>
  );
}
