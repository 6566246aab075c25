// Quantile fans of one output: what was, up to the fork and since, and what may be in each run.
import { useEffect, useRef } from "preact/hooks";
import { api } from "./api";
import { Chart, css, SERIES_COLORS, SERIES_DASHES, type Band, type Line } from "./chart";
import { downloadPng } from "./download";
import { asNumber, formatNumber, formatSpan } from "./format";
import { now } from "./live";
import type { Run } from "./runs";
import { withGaps } from "./series";
import { text } from "./text";
import { theme } from "./view";

const PAST_SHARE = 0.25; // of the horizon, drawn before the fork
const HISTORY_EVERY_MS = 3000;
type Data = [number[], (number | null)[]];

interface Spread { low: string; high: string; middle: string }
/** The outermost pair of quantiles and the one nearest to the middle. */
export function spread(quantiles: { [q: string]: number[] }): Spread | null {
  const keys = Object.keys(quantiles).sort((a, b) => Number(a) - Number(b));
  if (keys.length === 0) return null;
  const middle = keys.reduce((best, k) => (Math.abs(Number(k) - 0.5) < Math.abs(Number(best) - 0.5) ? k : best));
  return { low: keys[0]!, high: keys[keys.length - 1]!, middle };
}

/** The middle quantile of an output of a run. */
export function middleOf(run: Run, output: string): readonly number[] | null {
  const quantiles = run.futures?.outputs?.[output]?.quantiles, s = quantiles === undefined ? null : spread(quantiles);
  return quantiles === undefined || s === null ? null : quantiles[s.middle]!;
}

export function runColor(i: number): string {
  return SERIES_COLORS[(i + 1) % SERIES_COLORS.length]!;
}

/** Lines of a run: low, middle, high; a partial result reaches as far as it has come. */
function linesOf(run: Run, output: string): Data[] {
  const f = run.futures, quantiles = f?.outputs?.[output]?.quantiles;
  const s = quantiles === undefined ? null : spread(quantiles);
  if (f?.time === undefined || quantiles === undefined || s === null) return [[[], []], [[], []], [[], []]];
  const start = Date.parse(f.asOf) / 1000;
  return [s.low, s.middle, s.high].map((k): Data => {
    const values = quantiles[k]!;
    return [f.time!.slice(0, values.length).map((t) => start + t), values];
  });
}

function bounds(runs: readonly Run[]): [number, number] {
  const forks = runs.map((r) => (r.futures?.asOf ? Date.parse(r.futures.asOf) / 1000 : NaN)).filter((t) => !Number.isNaN(t));
  const first = forks.length === 0 ? now.peek() / 1000 : Math.min(...forks), last = forks.length === 0 ? first : Math.max(...forks);
  const length = Math.max(1, ...runs.map((r) => Math.max(r.horizon, r.futures?.time?.[r.futures.time.length - 1] ?? 0)));
  return [first - PAST_SHARE * length, last + length];
}

// alone: the run that is drawn; the others only keep the scale, so that charts side by side have the same one.
function fanChart(box: HTMLElement, runs: readonly Run[], unit: string, alone: string | undefined): Chart {
  const lines: Line[] = [{ label: text.future.measured, unit, color: css("--ink"), dash: [] }];
  const bands: Band[] = [];
  runs.forEach((run, i) => {
    const hidden = alone !== undefined && alone !== run.id, color = runColor(i), base = lines.length;
    if (hidden) {
      for (let k = 0; k < 3; k++) lines.push({ label: "", unit, color: "transparent", width: 0, dash: [], quiet: true });
      return;
    }
    lines.push({ label: "", unit, color: `${color}99`, width: 0.5, dash: [], quiet: true });
    lines.push({ label: run.name, unit, color, width: 2, dash: SERIES_DASHES[i % SERIES_DASHES.length]! });
    lines.push({ label: "", unit, color: `${color}99`, width: 0.5, dash: [], quiet: true });
    bands.push({ low: base, high: base + 2, color: `${color}33` });
  });
  return new Chart(box, lines, {
    overlay: (u) => {
      const at = now.peek() / 1000;
      if (at < u.scales["x"]!.min! || at > u.scales["x"]!.max!) return;
      const x = u.valToPos(at, "x", true);
      u.ctx.save();
      u.ctx.strokeStyle = css("--ink-dim");
      u.ctx.setLineDash([2, 4]);
      u.ctx.beginPath();
      u.ctx.moveTo(x, u.bbox.top);
      u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
      u.ctx.stroke();
      u.ctx.restore();
    },
  }, bands, 260);
}

export function Fan({ output, runs, unit, alone }: { output: string; runs: readonly Run[]; unit: string; alone?: string }) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | null>(null);
  const past = useRef<Data>([[], []]);
  const draw = () => {
    const [from, to] = bounds(runs);
    chart.current?.set([past.current, ...runs.flatMap((r) => linesOf(r, output))], from, to);
  };
  const drawing = useRef(draw);
  drawing.current = draw;
  useEffect(() => {
    chart.current = fanChart(box.current!, runs, unit, alone);
    drawing.current();
    return () => { chart.current?.destroy(); chart.current = null; };
  }, [runs.map((r) => r.id).join(), output, unit, alone, theme.value]);
  useEffect(draw, [runs]);
  const [from] = bounds(runs);
  useEffect(() => {
    const stop = new AbortController();
    const dot = output.indexOf(".");
    const load = () => api.history(output.slice(0, dot), output.slice(dot + 1), new Date(from * 1000), new Date(now.peek() + 1000), 600, stop.signal).then((h) => {
      past.current = withGaps(h.points.map((p) => Date.parse(p[0]) / 1000), h.points.map((p) => asNumber(p[1])), (now.peek() / 1000 - from) / 600);
      drawing.current();
    }, () => undefined); // an output that is no property has no past
    void load();
    const timer = window.setInterval(() => void load(), HISTORY_EVERY_MS);
    return () => { stop.abort(); window.clearInterval(timer); };
  }, [output, Math.round(from)]);
  return (
    <section class="fan" aria-label={output}>
      <div class="toolbar">
        <h2>{output}{alone !== undefined && <span class="dim"> · {runs.find((r) => r.id === alone)?.name}</span>}</h2>
        <span class="spacer" />
        <button type="button" class="button" onClick={() => { if (chart.current !== null) downloadPng(`${output}.png`, chart.current.plot.ctx.canvas, output); }}>PNG</button>
      </div>
      <div ref={box} class="chart" data-testid={alone === undefined ? `fan-${output}` : `fan-${output}-${runs.findIndex((r) => r.id === alone)}`} style={{ minHeight: "260px" }} />
      <Ends output={output} runs={alone === undefined ? runs : runs.filter((r) => r.id === alone)} unit={unit} colors={runs} />
    </section>
  );
}

/** The runs side by side at their ends, in words and numbers. */
function Ends({ output, runs, unit, colors }: { output: string; runs: readonly Run[]; unit: string; colors: readonly Run[] }) {
  return (
    <table class="grid ends">
      <tbody>
        {runs.map((run) => {
          const f = run.futures, quantiles = f?.outputs?.[output]?.quantiles, s = quantiles === undefined ? null : spread(quantiles);
          if (f?.time === undefined || quantiles === undefined || s === null) return null;
          const last = quantiles[s.middle]!.length - 1;
          const at = (k: string) => formatNumber(Number(quantiles[k]![last]!.toPrecision(4)));
          return (
            <tr key={run.id}>
              <th scope="row"><span class="swatch" style={{ background: runColor(colors.indexOf(run)) }} /> {run.name}</th>
              <td>{text.future.end(formatSpan(f.time[last]!), `${at(s.middle)} ${unit}`)}</td>
              <td class="dim">{text.future.between(Math.round((Number(s.high) - Number(s.low)) * 100), at(s.low), at(s.high))}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
