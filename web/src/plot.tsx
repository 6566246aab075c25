// The chosen values of a twin over time. History comes thinned from the server; changes are appended as they arrive.
import { useEffect, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import type { Twin } from "./api";
import { Chart, css, HEIGHT } from "./chart";
import { downloadCsv, downloadPng } from "./download";
import { asNumber, canPlot } from "./format";
import { now, onChange } from "./live";
import { effect } from "@preact/signals";
import { MARK_KINDS, MarkSource } from "./marks";
import { estimatesOf, fanStep, PlotBands } from "./plot_bands";
import { drawn, loadSeries, type Series } from "./series";
import { connection, epoch } from "./stream";
import { text } from "./text";
import { fans, moment, plotted, range, RANGES, spanOf, theme, zoom, type Window } from "./view";

const FANS_MAX = 3;
const KEEP_MAX = 20000; // appended samples of a series before the page asks the server for a fresh thinning
const SETTLE_MS = 5000; // how soon after a change the history is read again: the stream tells the newest value of a burst, and nothing that comes late
const RELOAD_MS = 150; // a zoom or scrub that goes on is not asked for at every step

/** What the plot covers. At a moment, some of what came afterwards is seen too. */
function windowNow(): Window {
  if (zoom.peek() !== null) return zoom.peek()!;
  const end = now.peek(), span = spanOf(range.peek()), at = moment.peek();
  const to = at === null ? end : Math.min(end, at + (Number.isFinite(span) ? span / 4 : Infinity));
  return { from: Number.isFinite(span) ? to - span : 0, to };
}

/** Seconds of the future that a live plot with forecasts shows. */
function ahead(): number {
  return fans.peek() ? Math.min(spanOf(range.peek()), 365 * 86400e3) / 4000 : 0;
}

const MARK_COLORS = { alarm: "--bad", anomaly: "--warn", command: "--accent", event: "--good", letter: "--ink-dim" };
const FEW_MARKS = 30; // as many go through the whole plot; more would hide the lines

function drawMarks(u: uPlot, source: MarkSource): void {
  const { left, top, width, height } = u.bbox;
  const min = u.scales["x"]!.min ?? 0, max = u.scales["x"]!.max ?? 1, all = source.marks.peek().buckets;
  u.ctx.save();
  for (const b of all) {
    const x = left + ((b.at / 1000 - min) / (max - min)) * width, lane = MARK_KINDS.indexOf(b.kind);
    if (x < left || x > left + width) continue;
    u.ctx.fillStyle = css(MARK_COLORS[b.kind]);
    u.ctx.fillRect(x - 1, top + lane * 8, 3, 7);
    if (all.length > FEW_MARKS) continue;
    u.ctx.globalAlpha = 0.3;
    u.ctx.fillRect(x, top, 1, height);
    u.ctx.globalAlpha = 1;
  }
  const at = moment.peek();
  if (at !== null && at / 1000 > min && at / 1000 < max) {
    const x = left + ((at / 1000 - min) / (max - min)) * width;
    u.ctx.strokeStyle = css("--warn");
    u.ctx.lineWidth = 2;
    u.ctx.setLineDash([4, 4]);
    u.ctx.beginPath();
    u.ctx.moveTo(x, top);
    u.ctx.lineTo(x, top + height);
    u.ctx.stroke();
  }
  u.ctx.restore();
}

/** One plot of a twin's paths in a box: loads, appends, draws. */
class TwinPlot {
  readonly chart: Chart;
  series: Series[] = [];
  private stop = new AbortController();
  private timer = 0;
  private settling = 0;
  private frame = 0;
  private window: Window = windowNow();
  private loaded = 0; // performance.now() when it was last asked for
  private readonly marks: MarkSource;
  private readonly offs: readonly (() => void)[];

  constructor(private readonly box: HTMLElement, private readonly twin: Twin, private readonly paths: readonly string[], readonly bands: PlotBands, private readonly say: (message: string | null) => void) {
    this.marks = new MarkSource(twin.id);
    const value = (path: string) => twin.values.find((x) => x.path === path);
    const unit = (path: string) => value(path)?.symbol ?? value(path)?.unit ?? "";
    const lines = paths.map((path) => ({ label: value(path)?.displayName ?? path, unit: unit(path), held: value(path)?.telemetry === false }));
    this.chart = new Chart(box, [...lines, ...bands.lines(unit)], {
      zoomed: (from, to) => { zoom.value = { from: from * 1000, to: to * 1000 }; },
      overlay: (u) => drawMarks(u, this.marks),
    }, bands.bands(lines.length));
    bands.start(fanStep(Math.min(spanOf(range.peek()), 365 * 86400e3)), () => { if (bands.trouble !== null) say(text.noForecast(bands.trouble)); this.drawSoon(); });
    this.chart.plot.over.addEventListener("dblclick", () => { zoom.value = null; });
    this.offs = [onChange((change) => this.append(change.values)), effect(() => { this.marks.marks.value; this.drawSoon(); })];
  }

  load(): void {
    this.stop.abort();
    const stop = (this.stop = new AbortController());
    this.loaded = performance.now();
    const window = (this.window = windowNow());
    const points = Math.round(this.box.clientWidth);
    Promise.all(this.paths.map((path) => loadSeries(this.twin, path, { ...window, to: window.to + 1000 }, points, stop.signal))).then(
      (loaded) => {
        this.series = loaded;
        this.say(loaded.every((s) => s.times.length === 0) ? text.noSamples : null);
        this.draw();
        this.box.dataset["drawn"] = String(Number(this.box.dataset["drawn"] ?? 0) + 1);
      },
      (e: Error) => { if (!stop.signal.aborted) this.say(e.message); },
    );
  }

  loadSoon(): void {
    window.clearTimeout(this.timer);
    const wait = this.loaded + RELOAD_MS - performance.now();
    if (wait <= 0) this.load();
    else this.timer = window.setTimeout(() => this.load(), wait);
  }

  /** Once, some seconds after the first change since the last time. */
  private settleSoon(): void {
    if (this.settling === 0) this.settling = window.setTimeout(() => { this.settling = 0; if (zoom.peek() === null && moment.peek() === null) this.load(); }, SETTLE_MS);
  }

  drawSoon(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.draw());
  }

  destroy(): void {
    this.stop.abort();
    this.offs.forEach((off) => off());
    this.marks.destroy();
    this.bands.destroy();
    window.clearTimeout(this.timer);
    window.clearTimeout(this.settling);
    cancelAnimationFrame(this.frame);
    this.chart.destroy();
  }

  private draw(): void {
    this.frame = 0;
    if (this.series.length === 0) return; // nothing has come yet
    const following = zoom.peek() === null && moment.peek() === null;
    // A zoom is seen at once, with what has come so far.
    const window = zoom.peek() ?? (following ? windowNow() : this.window);
    const known = Math.min(window.to, now.peek()) / 1000;
    const stretch = (window.to - Math.max(window.from, 1000 * (this.series[0]?.times[0] ?? 0))) / 1000 / Math.max(this.box.clientWidth, 1);
    const first = Math.min(known - 1, ...this.series.map((s) => s.times[0] ?? Infinity));
    this.marks.want(window.from === 0 ? first * 1000 : window.from, window.to, this.box.clientWidth);
    this.chart.set([...this.series.map((s) => drawn(s, stretch, known)), ...this.bands.data()], window.from === 0 ? first : window.from / 1000, window.to / 1000 + (following ? ahead() : 0));
  }

  private append(values: { [path: string]: { value: import("./api").Json; sourceTime: string } }): void {
    let grew = false;
    for (const s of this.series) {
      const fresh = values[s.path];
      if (fresh === undefined) continue;
      this.settleSoon();
      const t = Date.parse(fresh.sourceTime) / 1000, last = s.times[s.times.length - 1];
      if (last !== undefined && t <= last) continue;
      s.times.push(t);
      s.values.push(asNumber(fresh.value));
      grew = true;
      if (s.times.length > KEEP_MAX) this.loadSoon();
    }
    if (grew) { this.say(null); this.drawSoon(); }
  }
}

function csvOf(plot: TwinPlot, twin: string): void {
  const rows = plot.series.flatMap((s) => s.times.map((t, i): [string, string, string, number | null] => [new Date(t * 1000).toISOString(), s.path, s.unit, s.values[i]!]));
  downloadCsv(`${twin}.csv`, ["time", "property", "unit", "value"], rows.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0)));
}

export function Plot({ twin }: { twin: Twin }) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<TwinPlot | null>(null);
  const [message, setMessage] = useState<string | null>(null);
  const paths = plotted.value.filter((p) => twin.values.some((v) => v.path === p));
  const key = paths.join("\n");

  const [estimated, setEstimated] = useState<readonly string[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    estimatesOf(twin.id, stop.signal).then((found) => setEstimated([...found.keys()]), () => setEstimated([]));
    return () => stop.abort();
  }, [twin.id]);
  const banded = paths.filter((p) => estimated.includes(p)), numbers = paths.filter((p) => twin.values.find((v) => v.path === p)?.kind !== "boolean");

  useEffect(() => {
    if (holder.current === null || paths.length === 0) return;
    const bands = new PlotBands(twin.id, paths, banded, fans.peek() ? numbers.slice(0, FANS_MAX) : []);
    const mine = (plot.current = new TwinPlot(holder.current, twin, paths, bands, setMessage));
    const tick = window.setInterval(() => { if (connection.peek() === "live" && moment.peek() === null && zoom.peek() === null) mine.drawSoon(); }, 500);
    mine.load();
    return () => { window.clearInterval(tick); mine.destroy(); plot.current = null; };
  }, [twin.id, key, theme.value, banded.join("\n"), fans.value, fans.value ? range.value : ""]);
  // A regained connection (a new epoch) loads again: what was missed is in the history, so the plot has no gap.
  useEffect(() => plot.current?.loadSoon(), [range.value, zoom.value, moment.value, epoch.value]);

  if (!twin.values.some(canPlot)) return null; // there is nothing that could be drawn
  return (
    <section class="plot" aria-label={text.plot(twin.id)}>
      <div class="toolbar">
        <div class="ranges" role="group" aria-label={text.range}>
          {RANGES.map((r) => (
            <button key={r.key} type="button" aria-pressed={r.key === range.value && zoom.value === null} onClick={() => { range.value = r.key; zoom.value = null; }}>
              {text.ranges[r.key]}
            </button>
          ))}
        </div>
        <span class="spacer" />
        {zoom.value !== null && <button type="button" class="button" data-testid="zoom-out" onClick={() => (zoom.value = null)}>{text.wholeRange}</button>}
        {paths.length > 0 && (
          <>
            <button type="button" class="button" data-testid="plot-forecast" aria-pressed={fans.value} title={text.forecastWhat} onClick={() => (fans.value = !fans.value)}>{text.forecast}</button>
            <button type="button" class="button" data-testid="plot-png" onClick={() => { const p = plot.current; if (p !== null) downloadPng(`${twin.id}.png`, p.chart.plot.ctx.canvas, `${twin.id}: ${p.chart.lines.filter((l) => l.quiet !== true).map((l) => l.label).join(", ")}`); }}>PNG</button>
            <button type="button" class="button" data-testid="plot-csv" onClick={() => { if (plot.current !== null) csvOf(plot.current, twin.id); }}>CSV</button>
          </>
        )}
      </div>
      {paths.length === 0 && <p class="dim">{text.plotHint}</p>}
      {message !== null && paths.length > 0 && <p class="dim">{message}</p>}
      <div ref={holder} class="chart" data-testid="chart" tabIndex={0} aria-label={text.plotKeys} style={paths.length > 0 ? { minHeight: `${HEIGHT}px` } : { display: "none" }} />
      {paths.length > 0 && <p class="dim hint">{banded.length > 0 && `${text.bandWhat} `}{text.plotKeys}</p>}
    </section>
  );
}
