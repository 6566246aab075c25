// Planned maintenance of a fleet: what is proposed, why, what it saves, and the way from a window to a work order.
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { formatMoment, formatSpan } from "./format";
import { ChartLegend, chance, CrewStrips, leftText, RedundancyStrips, spanOfHours, WindowsChart } from "./maintenance_chart";
import { JobOrder, MakeForm, OrderButton } from "./maintenance_form";
import { maintenance, type Entry, type Job, type Proposal } from "./maintenance_api";
import { money, Policies } from "./maintenance_policies";
import { groupsOf, kindsOf, rowsOf, scaleOf, windowAt, type Scale } from "./maintenance_rows";
import { maintenanceText as text } from "./text_maintenance";
import { useRegularly } from "./use_regularly";
import { entry as chosen, jobsBy, jobsFound, MAINTENANCE_ORDERS, moment, selected, show } from "./view";
import "./maintenance.css";

const EVERY_MS = 4000, RUNNING_EVERY_MS = 400, WHOLE_EVERY_MS = 15000;

const at = (time: string | undefined): string => (time === undefined ? "" : formatMoment(Date.parse(time)).slice(0, 16));

/** One asset: why its window is where it is. */
function JobPanel({ proposal, job, scale, done, told }: { proposal: Proposal; job: Job; scale: Scale; done: (told: string) => void; told: string | null }) {
  const order = proposal.orders?.find((o) => o.twin === job.twin), groups = groupsOf(job.twin, proposal.redundancy ?? []), p = job.prediction, j = text.job;
  const when = job.window === undefined ? text.chart.later : text.chart.between(at(job.from), at(job.to));
  return (
    <div class="panel" data-testid="job" data-twin={job.twin}>
      <div class="toolbar">
        <strong>{job.twin}</strong> <span>{job.work}</span>
        <button type="button" class="link" onClick={() => show("twin", job.twin)}>{j.go}</button>
        <span class="spacer" />
        <JobOrder key={job.twin} entry={proposal.name} job={job} when={when} order={order} done={done} />
      </div>
      <dl class="facts">
        <div><dt>{j.window}</dt><dd>{when}</dd></div>
        <div><dt>{j.cost}</dt><dd>{money(job.cost)}</dd></div>
        <div><dt>{j.fails}</dt><dd>{chance(job.failsBefore)}</dd></div>
        {job.failure !== undefined && <div><dt>{j.failure}</dt><dd>{job.failure.impact === undefined ? money(job.failure.cost) : j.stops(money(job.failure.cost), money(job.failure.impact), job.failure.stops ?? 0)}</dd></div>}
        <div><dt>{j.left}</dt><dd>{leftText(job)}</dd></div>
        <div><dt>{j.wastes}</dt><dd>{spanOfHours(job.wastes)}</dd></div>
        <div><dt>{j.prediction}</dt><dd>{p.model ?? j.known[p.from] ?? p.from}{p.at !== undefined && ` ${j.at(at(p.at))}`}</dd></div>
        {groups.length > 0 && <div><dt>{j.groups}</dt><dd>{groups.map((g) => text.redundancy.label(g.name, g.twins.length, g.out)).join("; ")}</dd></div>}
      </dl>
      {job.alone !== job.window && <p class="dim">{job.alone === undefined ? j.aloneLater : j.shifted(formatMoment(windowAt(scale, job.alone)).slice(0, 16))}</p>}
      {told !== null && <p class="quality good" role="status">{told}</p>}
    </div>
  );
}

function Windows({ proposal, again }: { proposal: Proposal; again: () => void }) {
  const [told, setTold] = useState<string | null>(null);
  const items = proposal.items ?? [], scale = scaleOf(proposal), order = jobsBy.value, find = jobsFound.value;
  const kinds = useMemo(() => kindsOf(items), [proposal]), rows = useMemo(() => rowsOf(items, order, find), [proposal, order, find]);
  const ordered = useMemo(() => new Set((proposal.orders ?? []).map((o) => o.twin)), [proposal]);
  useEffect(() => setTold(null), [selected.value]);
  if (scale === null) return null;
  const job = items.find((j) => j.twin === selected.value), placed = items.filter((j) => j.window !== undefined), open = placed.filter((j) => !ordered.has(j.twin));
  const done = (what: string) => { setTold(what); again(); };
  return (
    <>
      <section data-testid="windows">
        <div class="toolbar">
          <label>{text.chart.find} <input type="search" size={34} value={find} placeholder={text.chart.findWhat} data-testid="jobs-find" onInput={(e) => (jobsFound.value = e.currentTarget.value)} /></label>
          <label>{text.chart.order} <select value={order} data-testid="jobs-by" onChange={(e) => (jobsBy.value = MAINTENANCE_ORDERS.find((o) => o === e.currentTarget.value) ?? "window")}>{MAINTENANCE_ORDERS.map((o) => <option key={o} value={o}>{text.chart.orders[o]}</option>)}</select></label>
          <span class="dim" data-testid="jobs-count">{text.chart.shown(rows.length, items.length)}</span>
          <span class="spacer" />
          {open.length === 0 ? placed.length > 0 && <span class="dim">{text.order.nothing}</span> : <OrderButton entry={proposal.name} twins={null} id="jobs-order" label={text.order.all(open.length)} question={text.order.reallyAll(open.length)} send={text.order.sendAll} done={done} />}
        </div>
        <ChartLegend kinds={kinds} counts={kinds.map((k) => items.filter((j) => j.work === k).length)} />
        <WindowsChart jobs={rows} kinds={kinds} scale={scale} ordered={ordered} />
        <p class="dim hint">{text.chart.keys}</p>
        {job !== undefined ? <JobPanel proposal={proposal} job={job} scale={scale} done={done} told={told} /> : told !== null && <p class="quality good" role="status">{told}</p>}
      </section>
      {(proposal.crews ?? []).length > 0 && <CrewStrips crews={proposal.crews!} scale={scale} />}
      {(proposal.redundancy ?? []).length > 0 && <RedundancyStrips groups={proposal.redundancy!} scale={scale} />}
      <Policies compare={proposal.compare} />
    </>
  );
}

/** What the plan is worth in a line or two, or why there is none. */
function Outcome({ proposal }: { proposal: Proposal }) {
  const items = proposal.items ?? [], placed = items.filter((j) => j.window !== undefined).length;
  return (
    <>
      {proposal.failed !== undefined && <p class="refusal" role="alert" data-testid="maintenance-failed">{proposal.failed}</p>}
      {proposal.status === undefined ? proposal.failed === undefined && <p class="dim" data-testid="maintenance-never">{text.never}</p> : (
        <p data-testid="maintenance-status" data-status={proposal.status}>
          {items.length > 0 ? <strong>{text.planned(placed, items.length)}{placed < items.length && `, ${text.later(items.length - placed)}`}. </strong> : null}
          <span class={proposal.status === "optimal" ? "quality good" : "quality warn"}>{proposal.status === "optimal" ? "✓" : "⚠"} {text.status[proposal.status]}</span>{" "}
          <span class="dim">{proposal.cost !== undefined && `${text.cost}: ${money(proposal.cost)}${proposal.bound === undefined ? "" : ` (${text.bound(money(proposal.bound))})`}. `}{text.made(at(proposal.at), formatSpan(proposal.seconds ?? 0))}{moment.value !== null && ` ${text.alwaysNow}`}</span>
        </p>
      )}
      {proposal.trouble !== undefined && <p class="refusal" data-testid="maintenance-trouble">{proposal.trouble}</p>}
    </>
  );
}

/** The heading of an entry, what came of it, and the form for another; then its windows. */
function EntryView({ entry, again, heading }: { entry: Entry; again: () => void; heading: ComponentChildren }) {
  // Asked for anew when it was made anew, and now and then for its orders.
  const whole = useRegularly(async (stop) => maintenance.proposal(entry.name, stop), WHOLE_EVERY_MS, [entry.name, entry.at, entry.running, entry.failed]);
  const proposal = whole.value !== null && whole.value.name === entry.name ? whole.value : null;
  const [asking, setAsking] = useState(false), open = asking || entry.running || entry.at === undefined;
  return (
    <>
      <section class="outcome">
        <div class="toolbar">
          {heading}
          <span class="spacer" />
          {(!open || asking) && <button type="button" class="button" data-testid="maintenance-ask" aria-expanded={open} onClick={() => setAsking(!asking)}>{text.form.title}</button>}
          <button type="button" class="button" onClick={() => show("fleet")}>{text.from}</button>
        </div>
        {whole.error !== null && <p class="refusal" role="alert">{whole.error}</p>}
        {proposal === null ? <p class="dim">{text.loading}</p> : <Outcome proposal={proposal} />}
        {open && <MakeForm entry={entry} again={again} />}
      </section>
      {proposal !== null && (proposal.items ?? []).length > 0 && <Windows proposal={proposal} again={whole.again} />}
    </>
  );
}

export function Maintenance() {
  const [running, setRunning] = useState(false);
  const { value, error, again } = useRegularly((stop) => maintenance.list(stop), running ? RUNNING_EVERY_MS : EVERY_MS, [running]);
  const runs = value?.some((e) => e.running) ?? false;
  useEffect(() => setRunning(runs), [runs]);
  const entry = value?.find((e) => e.name === chosen.value) ?? value?.[0];
  if (value === null || entry === undefined)
    return (
      <section>
        <h2>{text.title}</h2>
        {error !== null ? <p class="refusal" role="alert">{error}</p> : <p class="dim" data-testid={value === null ? undefined : "maintenance-none"}>{value === null ? text.loading : text.none}</p>}
      </section>
    );
  const heading = (
    <>
      <h2>{text.title}</h2>
      {value.length > 1 ? <label>{text.entry} <select value={entry.name} data-testid="maintenance-entry" onChange={(e) => (chosen.value = e.currentTarget.value)}>{value.map((e) => <option key={e.name}>{e.name}</option>)}</select></label> : <strong>{entry.name}</strong>}
    </>
  );
  return (
    <>
      {error !== null && <p class="refusal" role="alert">{error}</p>}
      <EntryView key={entry.name} entry={entry} again={again} heading={heading} />
    </>
  );
}
