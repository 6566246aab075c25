// The time of the page: live, or any moment of the past, on a scrubber with marks of what happened.
import { useEffect, useRef, useState } from "preact/hooks";
import { formatClock, formatMoment, toLocalInput } from "./format";
import { lazyWith } from "./lazy";
import { now } from "./live";
import { MARK_KINDS, MarkSource, marksNear, type Marks } from "./marks";
import { text } from "./text";
import { moment, range, RANGES, spanOf, theme, zoom, type Window } from "./view";

const STEPS = 1000; // of the scrubber
const LONGEST = 365 * 24 * 3600e3; // what "all" means on the scrubber
const COLORS = { alarm: "--bad", anomaly: "--warn", command: "--accent", event: "--good", letter: "--ink-dim" };
const LANE = 4, REACH = 4; // px: of a kind's row; how near to a mark one points at it
const DAY = 24 * 3600e3;
const THUMB = 8; // px: half of the scrubber's handle, which its track ends within

const Happenings = lazyWith(async () => (await import("./happenings")).Happenings);

function draw(canvas: HTMLCanvasElement, marks: Marks, from: number, to: number): void {
  const ratio = window.devicePixelRatio, width = Math.round(canvas.clientWidth), height = canvas.clientHeight;
  if (canvas.width !== width * ratio) { canvas.width = width * ratio; canvas.height = height * ratio; }
  const pen = canvas.getContext("2d")!;
  const style = getComputedStyle(document.documentElement), scale = (width - 2 * THUMB) / (to - from);
  const colors = MARK_KINDS.map((kind) => style.getPropertyValue(COLORS[kind]));
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  // Each kind has a row of its own, so that colour is not the only sign.
  for (const b of marks.buckets) {
    const lane = MARK_KINDS.indexOf(b.kind);
    pen.fillStyle = colors[lane]!;
    pen.fillRect(THUMB + (b.at - from) * scale - 1, lane * LANE, 2, LANE - 1);
  }
}

/** Moves the moment; close to now is live again. */
function goTo(at: number): void {
  moment.value = at >= now.peek() ? null : Math.round(at);
}

const endLabel = (at: number, span: number): string => (span > DAY ? formatMoment(at).slice(0, 10) : formatClock(new Date(at)));

export function TimeBar() {
  const canvas = useRef<HTMLCanvasElement>(null), source = useRef<MarkSource | null>(null);
  const [tip, setTip] = useState<{ x: number; at: number } | null>(null);
  const [listed, setListed] = useState<Window | null>(null);
  source.current ??= new MarkSource(null);
  const marks = source.current.marks.value;
  useEffect(() => () => source.current?.destroy(), []);
  const at = moment.value;
  const span = Math.min(spanOf(range.value), LONGEST);
  const end = now.value, start = Math.min(end - span, at ?? end);
  const position = at === null ? STEPS : Math.round(((at - start) / (end - start)) * STEPS);
  const second = Math.floor(end / 1000);
  useEffect(() => {
    if (canvas.current === null) return;
    source.current!.want(start, end, canvas.current.clientWidth);
    draw(canvas.current, marks, start, end);
  }, [second, marks, range.value, theme.value, at === null]);
  const step = (ms: number) => goTo((at ?? end) + ms);
  const perPixel = (end - start) / Math.max(1, (canvas.current?.clientWidth ?? 1) - 2 * THUMB);
  const near = tip === null ? [] : marksNear(marks, tip.at, REACH * perPixel);
  const point = (e: MouseEvent) => { const x = e.offsetX; setTip({ x, at: start + (x - THUMB) * perPixel }); };
  const reach = Math.max(REACH * perPixel, marks.width);
  return (
    <div class={at === null ? "timebar" : "timebar past"} role="group" aria-label={text.time.title}>
      <button type="button" class="button" data-testid="pause" aria-pressed={at !== null} onClick={() => (moment.value = at === null ? Math.floor(end) : null)}>
        {at === null ? `❚❚ ${text.time.pause}` : `▶ ${text.time.backToLive}`}
      </button>
      <button type="button" class="plain" aria-label={text.time.earlier} title={text.time.earlier} onClick={() => step(-span / 20)}>◀</button>
      <div class="scrub">
        <canvas ref={canvas} role="img" aria-label={text.time.marks} data-testid="marks" data-marks={marks.buckets.reduce((n, b) => n + b.count, 0)} style={{ height: `${LANE * MARK_KINDS.length}px`, cursor: near.length > 0 ? "pointer" : "default" }}
                onMouseMove={point} onMouseLeave={() => setTip(null)} onClick={() => { if (near.length > 0) setListed({ from: Math.floor(tip!.at - reach), to: Math.ceil(tip!.at + reach) }); }} />
        {near.length > 0 && (
          <div class="mark-tip" style={{ left: `min(${tip!.x}px, 60%)` }}>
            {near.map((b) => <div key={`${b.kind}${b.at}`}><span class={`mark-kind of-${b.kind}`}>{text.happened.kinds[b.kind]}</span> {b.count > 1 && `${b.count.toLocaleString("en")} · `}{b.worst} {b.example !== null && `${b.example.name} ${b.example.twin}`}</div>)}
          </div>
        )}
        <input
          type="range" min={0} max={STEPS} value={position} data-testid="scrubber" aria-label={text.time.scrubber}
          aria-valuetext={at === null ? text.live : formatMoment(at)}
          onInput={(e) => {
            const p = Number(e.currentTarget.value);
            goTo(p >= STEPS ? Infinity : start + (p / STEPS) * (end - start));
          }}
        />
        <div class="scrub-ends dim" aria-hidden="true"><span>{endLabel(start, span)}</span>{marks.oldest !== null && marks.oldest > start && <span>{text.happened.oldest(formatMoment(marks.oldest))}</span>}<span>{text.time.now}</span></div>
      </div>
      <button type="button" class="plain" aria-label={text.time.later} title={text.time.later} disabled={at === null} onClick={() => step(span / 20)}>▶</button>
      <button type="button" class="plain" aria-label={text.happened.title} title={text.happened.title} data-testid="happened" aria-expanded={listed !== null} onClick={() => setListed(listed === null ? { from: Math.floor(start), to: Math.ceil(end) } : null)}>☰</button>
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
      {listed !== null && <Happenings window={listed} close={() => setListed(null)} />}
    </div>
  );
}
