// The time of the page: live, or any moment of the past, on a scrubber with marks of what happened.
import { useEffect, useRef } from "preact/hooks";
import { formatMoment, toLocalInput } from "./format";
import { now } from "./live";
import { MARK_KINDS, marks, marksPerPixel } from "./marks";
import { text } from "./text";
import { moment, range, RANGES, spanOf, theme, zoom } from "./view";

const STEPS = 1000; // of the scrubber
const LONGEST = 365 * 24 * 3600e3; // what "all" means on the scrubber
const COLORS = { alarm: "--bad", anomaly: "--warn", letter: "--ink-dim" };

function draw(canvas: HTMLCanvasElement, from: number, to: number): void {
  const ratio = window.devicePixelRatio, width = Math.round(canvas.clientWidth), height = canvas.clientHeight;
  if (canvas.width !== width * ratio) { canvas.width = width * ratio; canvas.height = height * ratio; }
  const pen = canvas.getContext("2d")!;
  const style = getComputedStyle(document.documentElement);
  const rows = marksPerPixel(marks.peek(), null, from, to, width);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  // Each kind has a row of its own, so that colour is not the only sign.
  MARK_KINDS.forEach((kind, lane) => {
    pen.fillStyle = style.getPropertyValue(COLORS[kind]);
    rows[kind].forEach((count, x) => { if (count > 0) pen.fillRect(x - 1, lane * 5 + 1, 2, 4); });
  });
}

/** Moves the moment; close to now is live again. */
function goTo(at: number): void {
  moment.value = at >= now.peek() ? null : Math.round(at);
}

export function TimeBar() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const at = moment.value;
  const span = Math.min(spanOf(range.value), LONGEST);
  const end = now.value, start = Math.min(end - span, at ?? end);
  const position = at === null ? STEPS : Math.round(((at - start) / (end - start)) * STEPS);
  const second = Math.floor(end / 1000);
  useEffect(() => {
    if (canvas.current !== null) draw(canvas.current, start, end);
  }, [second, marks.value, range.value, theme.value, at === null]);
  const step = (ms: number) => goTo((at ?? end) + ms);
  return (
    <div class={at === null ? "timebar" : "timebar past"} role="group" aria-label={text.time.title}>
      <button type="button" class="button" data-testid="pause" aria-pressed={at !== null} onClick={() => (moment.value = at === null ? Math.floor(end) : null)}>
        {at === null ? `❚❚ ${text.time.pause}` : `▶ ${text.time.backToLive}`}
      </button>
      <button type="button" class="plain" aria-label={text.time.earlier} title={text.time.earlier} onClick={() => step(-span / 20)}>◀</button>
      <div class="scrub">
        <canvas ref={canvas} aria-hidden="true" title={text.time.marks} />
        <input
          type="range" min={0} max={STEPS} value={position} data-testid="scrubber" aria-label={text.time.scrubber}
          aria-valuetext={at === null ? text.live : formatMoment(at)}
          onInput={(e) => {
            const p = Number(e.currentTarget.value);
            goTo(p >= STEPS ? Infinity : start + (p / STEPS) * (end - start));
          }}
        />
      </div>
      <button type="button" class="plain" aria-label={text.time.later} title={text.time.later} disabled={at === null} onClick={() => step(span / 20)}>▶</button>
      <input
        type="datetime-local" step="1" data-testid="moment" aria-label={text.time.exact} value={toLocalInput(at ?? end)}
        onChange={(e) => { const t = Date.parse(e.currentTarget.value); if (!Number.isNaN(t)) goTo(t); }}
      />
      <label class="ranges-select">
        <span class="dim">{text.range}</span>{" "}
        <select data-testid="range" value={range.value} onChange={(e) => { range.value = e.currentTarget.value as typeof range.value; zoom.value = null; }}>
          {RANGES.map((r) => <option key={r.key} value={r.key}>{text.ranges[r.key]}</option>)}
        </select>
      </label>
    </div>
  );
}
