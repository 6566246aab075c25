// A value's recent past in the width of a word. Asked for when it comes into sight.
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "./api";
import { asNumber } from "./format";
import { now } from "./live";
import { connection } from "./stream";
import { moment, range, spanOf } from "./view";

const WIDTH = 96, HEIGHT = 20, EVERY_MS = 10000;

/** Points of an SVG polyline that fills the box; empty when there is nothing to draw. */
export function outline(times: readonly number[], values: readonly number[], from: number, to: number): string {
  if (values.length === 0) return "";
  const low = Math.min(...values), high = Math.max(...values);
  const y = (v: number) => (high > low ? HEIGHT - 2 - ((v - low) / (high - low)) * (HEIGHT - 4) : HEIGHT / 2);
  const x = (t: number) => ((t - from) / (to - from)) * WIDTH;
  const points = times.map((t, i) => `${x(t).toFixed(1)},${y(values[i]!).toFixed(1)}`);
  // The value holds to the end.
  points.push(`${WIDTH},${y(values[values.length - 1]!).toFixed(1)}`);
  return points.join(" ");
}

export function Sparkline({ twin, path }: { twin: string; path: string }) {
  const box = useRef<SVGSVGElement>(null);
  const [seen, setSeen] = useState(false);
  const [points, setPoints] = useState("");
  const at = moment.value;
  useEffect(() => {
    const eye = new IntersectionObserver((entries) => setSeen(entries.some((e) => e.isIntersecting)));
    eye.observe(box.current!);
    return () => eye.disconnect();
  }, []);
  useEffect(() => {
    if (!seen) return;
    const stop = new AbortController();
    const load = () => {
      if (connection.peek() !== "live") return;
      const to = (at ?? now.peek()) + 1, span = spanOf(range.value);
      const from = Number.isFinite(span) ? to - span : 0;
      api.history(twin, path, new Date(from), new Date(to), WIDTH / 2, stop.signal).then((h) => {
        const list = h.points.map((p): [number, number | null] => [Date.parse(p[0]), asNumber(p[1])]).filter((p): p is [number, number] => p[1] !== null);
        setPoints(outline(list.map((p) => p[0]), list.map((p) => p[1]), from === 0 ? list[0]?.[0] ?? 0 : from, to));
      }, () => undefined);
    };
    const first = window.setTimeout(load, 60); // a scrub that goes on is not asked for at every step
    const again = at === null ? window.setInterval(load, EVERY_MS) : 0;
    return () => { stop.abort(); window.clearTimeout(first); window.clearInterval(again); };
  }, [seen, twin, path, at, range.value]);
  return (
    <svg ref={box} class="spark" width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      {points !== "" && <polyline points={points} fill="none" stroke="currentColor" stroke-width="1.2" />}
    </svg>
  );
}
