// The windows of a fleet: a row for each asset, of which only those in sight are in the page; below them, on the same time, who is busy and
// who is out.
import type { ComponentChildren } from "preact";
import { formatMoment, formatNumber, formatSpan } from "./format";
import type { Crew, Job, Redundancy } from "./maintenance_api";
import { avoided, letterOf, share, stepsPath, windowAt, type Scale } from "./maintenance_rows";
import { maintenanceText as text } from "./text_maintenance";
import { ticksOf, type Tick } from "./ticks";
import { select, selected } from "./view";
import { rowAfter, useVirtual } from "./virtual";

const ROW = 30, HEAD = 26, KINDS = 6; // px as in maintenance.css; colours there are
const HOUR = 3600e3;

export const chance = (p: number): string => (p > 0 && p < 0.001 ? "< 0.1 %" : `${formatNumber(Number((100 * p).toPrecision(2)))} %`);
export const spanOfHours = (h: number): string => formatSpan(h * 3600);
const percent = (x: number): string => `${(100 * Math.min(1, Math.max(0, x))).toFixed(3)}%`;
const day = (t: number): string => formatMoment(t).slice(0, 16);
const whenText = (j: Job): string => (j.from === undefined || j.to === undefined ? text.chart.later : text.chart.between(day(Date.parse(j.from)), day(Date.parse(j.to))));
export const leftText = (j: Job): string => text.chart.left(spanOfHours(j.prediction.hours50), spanOfHours(j.prediction.hours5), spanOfHours(j.prediction.hours95));
const colourOf = (kind: number): string => `kind-${kind % KINDS}`;

function Letter({ kind }: { kind: number }) {
  return <span class={`kind-letter ${colourOf(kind)}`} aria-hidden="true"><b>{letterOf(kind)}</b></span>;
}

function Grid({ ticks, scale }: { ticks: readonly Tick[]; scale: Scale }) {
  const x = percent(share(scale, scale.now));
  return <>{ticks.map((t) => <line key={t.at} class="grid-line" x1={percent(t.at)} x2={percent(t.at)} y1="0" y2="100%" />)}<line class="now-line" x1={x} x2={x} y1="0" y2="100%" /></>;
}

/** What lies between two moments, no narrower than can be seen. */
function Bar({ scale, from, to, kind }: { scale: Scale; from: number; to: number; kind: number | null }) {
  const a = share(scale, from), b = share(scale, to);
  return <rect x={percent(a)} width={percent(Math.max(b - a, 0.004))} y="4" height="11" rx="2" class={kind === null ? "bar-alone" : colourOf(kind)} {...(kind === null ? {} : { fill: "currentColor" })} />;
}

/** How long it is expected to last: a line from 5 to 95 %, a diamond at the middle; an arrow where that is out of sight. */
function LifeLeft({ scale, job }: { scale: Scale; job: Job }) {
  const at = (h: number) => share(scale, scale.now + h * HOUR), p = job.prediction, middle = at(p.hours50);
  return (
    <>
      {at(p.hours5) < 1 && <line class="life-left" x1={percent(at(p.hours5))} x2={percent(at(p.hours95))} y1="22" y2="22" />}
      <svg x={percent(Math.min(middle, 1))} y="17" width="10" height="10" overflow="visible">
        <path class="life-middle" d={middle <= 1 ? "M0 0L5 5L0 10L-5 5Z" : "M-9 0L-1 5L-9 10Z"} />
      </svg>
    </>
  );
}

interface RowProps { job: Job; index: number; count: number; kind: number; scale: Scale; ticks: readonly Tick[]; ordered: boolean; tab: boolean; focus: (index: number) => void }

function Row({ job, index, count, kind, scale, ticks, ordered, tab, focus }: RowProps) {
  const label = text.chart.row(job.twin, job.work, whenText(job), chance(job.failsBefore), leftText(job)), at = job.from === undefined ? null : Date.parse(job.from);
  const move = (e: KeyboardEvent) => {
    const to = rowAfter(e.key, index, count);
    if (to === null) return;
    e.preventDefault();
    focus(to);
  };
  return (
    <button type="button" class="gantt-line gantt-row" data-row={index} data-job={job.twin} data-window={job.window} data-kind={letterOf(kind)} aria-pressed={selected.value === job.twin} aria-label={ordered ? `${label}; ${text.chart.legend.ordered}` : label} title={label}
            tabIndex={tab ? 0 : -1} onClick={() => select(job.twin)} onKeyDown={move}>
      <span class="gantt-name"><Letter kind={kind} /><span>{job.twin}{ordered && " ✓"}</span></span>
      <svg aria-hidden="true">
        <Grid ticks={ticks} scale={scale} />
        {job.alone !== undefined && job.alone !== job.window && <Bar scale={scale} from={windowAt(scale, job.alone)} to={windowAt(scale, job.alone) + (at === null ? scale.window : Date.parse(job.to!) - at)} kind={null} />}
        {at !== null ? <Bar scale={scale} from={at} to={Date.parse(job.to!)} kind={kind} /> : <text class="later" x="4" y="13">{text.chart.later}</text>}
        <LifeLeft scale={scale} job={job} />
      </svg>
      <span class="gantt-end">{chance(job.failsBefore)}</span>
    </button>
  );
}

interface ChartProps { jobs: readonly Job[]; kinds: readonly string[]; scale: Scale; ordered: ReadonlySet<string> }

export function WindowsChart({ jobs, kinds, scale, ordered }: ChartProps) {
  const rows = useVirtual(jobs.length, ROW, HEAD), ticks = ticksOf(scale.start, scale.end);
  const chosen = jobs.findIndex((j) => j.twin === selected.value), tab = chosen >= rows.first && chosen < rows.last ? chosen : rows.first;
  if (jobs.length === 0) return <p class="dim">{text.chart.nothing}</p>;
  return (
    <div class="gantt">
      <div ref={rows.box} class="gantt-box" role="group" aria-label={text.chart.label} data-testid="gantt" onScroll={rows.scrolled}>
        <div class="gantt-line gantt-head">
          <span>{text.chart.asset}</span>
          <span class="gantt-axis" aria-hidden="true">{ticks.filter((t) => t.at < 0.94).map((t) => <span key={t.at} style={{ left: percent(t.at) }}>{t.label}</span>)}</span>
          <span class="gantt-end">{text.chart.risk}</span>
        </div>
        <div style={{ height: `${rows.first * ROW}px` }} />
        {jobs.slice(rows.first, rows.last).map((job, i) => (
          <Row key={job.twin} job={job} index={rows.first + i} count={jobs.length} kind={kinds.indexOf(job.work)} scale={scale} ticks={ticks} ordered={ordered.has(job.twin)} tab={rows.first + i === tab} focus={rows.focus} />
        ))}
        <div style={{ height: `${(jobs.length - rows.last) * ROW}px` }} />
      </div>
    </div>
  );
}

const Key = ({ children, label }: { children: ComponentChildren; label: string }) => <span class="key"><svg viewBox="0 0 26 14" aria-hidden="true">{children}</svg>{label}</span>;

export function ChartLegend({ kinds, counts }: { kinds: readonly string[]; counts: readonly number[] }) {
  const legend = text.chart.legend;
  return (
    <div class="legend gantt" data-testid="gantt-legend">
      {kinds.map((k, i) => <span key={k} class="key"><Letter kind={i} /> {k} <span class="dim">{counts[i]!.toLocaleString("en")}</span></span>)}
      <Key label={legend.alone}><rect class="bar-alone" x="3" y="2" width="20" height="10" rx="2" /></Key>
      <Key label={legend.left}><line class="life-left" x1="1" x2="25" y1="7" y2="7" /><path class="life-middle" d="M13 2L18 7L13 12L8 7Z" /></Key>
      <Key label={legend.beyond}><path class="life-middle" d="M9 2L17 7L9 12Z" /></Key>
      <Key label={legend.now}><line class="now-line" x1="13" x2="13" y1="0" y2="14" /></Key>
    </div>
  );
}

// ---- who is busy, who is out -----------------------------------------------------------------------------------------

interface StripProps { name: string; label: string; peak: string; scale: Scale; taken: readonly number[]; there: readonly number[]; alone: readonly number[] }

function Strip({ name, label, peak, scale, taken, there, alone }: StripProps) {
  // What would be taken alone may be many times what there is: it leaves the picture at the top, and a sentence below says how much it is.
  const high = Math.max(1, ...taken, ...there) * 1.4, first = share(scale, scale.first);
  return (
    <div class="gantt-line strip">
      <span class="gantt-name" title={name}><strong>{name}</strong><span class="dim">{peak}</span></span>
      <svg role="img" aria-label={label}>
        <Grid ticks={ticksOf(scale.start, scale.end)} scale={scale} />
        <svg x={percent(first)} width={percent(1 - first)} height="100%" viewBox="0 0 1 1" preserveAspectRatio="none">
          <path class="taken" d={stepsPath(taken, high, true)} />
          <path class="alone" d={stepsPath(alone, high, false)} />
          <path class="there" d={stepsPath(there, high, false)} />
        </svg>
      </svg>
      <span />
    </div>
  );
}

const most = (values: readonly number[]): string => formatNumber(Math.max(0, ...values));

const SAMPLES = { busy: <rect class="taken" x="2" y="4" width="22" height="10" />, size: <line class="there" x1="1" x2="25" y1="7" y2="7" />, alone: <line class="alone" x1="1" x2="25" y1="7" y2="7" /> } as const;

function StripLegend() {
  return (
    <div class="legend">
      {(["busy", "size", "alone"] as const).map((k) => <span key={k} class="key"><svg viewBox="0 0 26 14" class="strip-sample" aria-hidden="true">{SAMPLES[k]}</svg>{text.crews.legend[k]}</span>)}
    </div>
  );
}

export function CrewStrips({ crews, scale }: { crews: readonly Crew[]; scale: Scale }) {
  return (
    <section data-testid="crews">
      <h2>{text.crews.title}</h2>
      <StripLegend />
      <div class="gantt strips">{crews.map((c) => <Strip key={c.name} name={c.name} label={text.crews.label(c.name, most(c.busy), most(c.size))} peak={text.crews.peak(most(c.busy), most(c.size))} scale={scale} taken={c.busy} there={c.size} alone={c.alone} />)}</div>
      {crews.map((c) => {
        const kept = avoided(c.alone, (v) => c.size[v]!);
        return <p key={c.name} class="dim strip-note" data-crew={c.name}><strong>{c.name}</strong>: {kept === null ? text.crews.free : text.crews.kept(formatNumber(kept.most), kept.windows, day(windowAt(scale, kept.first)))}</p>;
      })}
    </section>
  );
}

export function RedundancyStrips({ groups, scale }: { groups: readonly Redundancy[]; scale: Scale }) {
  return (
    <section data-testid="redundancy-groups">
      <h2>{text.redundancy.title}</h2>
      <div class="gantt strips">{groups.map((g) => <Strip key={g.name} name={g.name} label={text.redundancy.label(g.name, g.twins.length, g.out)} peak={text.redundancy.peak(most(g.planned), formatNumber(g.out))} scale={scale} taken={g.planned} there={g.planned.map(() => g.out)} alone={g.alone} />)}</div>
      {groups.map((g) => {
        const kept = avoided(g.alone, () => g.out);
        return <p key={g.name} class="dim strip-note" data-group={g.name}><strong>{text.redundancy.label(g.name, g.twins.length, g.out)}.</strong> {kept === null ? text.redundancy.free : text.redundancy.kept(kept.windows, kept.most, g.out, day(windowAt(scale, kept.first)))}</p>;
      })}
    </section>
  );
}
