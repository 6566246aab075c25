// The fleet, the most endangered first: remaining useful life with its interval, and the signals that stand out.
import { api, type Anomaly, type Document, type Estimate, type Risk } from "./api";
import { formatAge, formatMoment, formatNumber } from "./format";
import { now } from "./live";
import { Table, type Column } from "./table";
import { text } from "./text";
import { actText } from "./text_act";
import { useRegularly } from "./use_regularly";
import { plotted, show } from "./view";

const twinLink = (value: unknown) => <button type="button" class="link" onClick={() => show("twin", String(value))}>{String(value)}</button>;

// An interval as a bar on the common scale of the page, with its numbers beside it: width is not the only sign.
function IntervalBar({ risk, most }: { risk: Risk; most: number }) {
  const interval = risk.intervals["90"];
  if (interval === undefined) return <>–</>;
  const x = (v: number) => `${(100 * Math.min(1, Math.max(0, v / most))).toFixed(1)}%`;
  return (
    <span class="interval">
      <svg width="140" height="14" role="img" aria-label={`${formatNumber(interval[0])} – ${formatNumber(interval[1])}`}>
        <line x1={x(interval[0])} x2={x(interval[1])} y1="7" y2="7" stroke="currentColor" stroke-width="4" opacity="0.45" />
        <circle cx={x(risk.rul)} cy="7" r="4" fill="currentColor" />
      </svg>{" "}
      {short(interval[0])} – {short(interval[1])}
    </span>
  );
}

const short = (x: number): string => formatNumber(Number(x.toPrecision(4)));

/** The signals that drive a twin's risk: the shares of its open anomalies, the greatest first. */
export function driversOf(anomalies: readonly Anomaly[], twin: string): { property: string; share: number }[] {
  const most = new Map<string, number>();
  for (const a of anomalies) {
    if (a.twin !== twin || !a.open) continue;
    for (const s of a.signals) most.set(s.property, Math.max(most.get(s.property) ?? 0, s.share));
  }
  return [...most].map(([property, share]) => ({ property, share })).sort((a, b) => b.share - a.share).slice(0, 4);
}

/** Leads to the twin with those signals in the plot. */
function Drivers({ twin, signals }: { twin: string; signals: readonly { property: string; share: number }[] }) {
  if (signals.length === 0) return <span class="dim">{actText.fleet.noDrivers}</span>;
  const look = () => { show("twin", twin); plotted.value = signals.map((s) => s.property.replace(/\./g, "/")); };
  return <button type="button" class="link" title={actText.fleet.plot} onClick={look}>{signals.map((s) => `${s.property} ${Math.round(s.share * 100)} %`).join(", ")}</button>;
}

function columnsOf(risks: readonly Risk[], anomalies: readonly Anomaly[]): Column[] {
  const most = Math.max(1, ...risks.map((r) => r.intervals["90"]?.[1] ?? r.rul)), of = new Map(risks.map((r) => [r.twin, r]));
  return [
    { name: "twin", label: text.fleet.twin, cell: twinLink },
    { name: "rul", label: text.fleet.rul, cell: (v) => <strong>{short(Number(v))}</strong> },
    { name: "interval", label: text.fleet.interval, cell: (_, row) => <IntervalBar risk={of.get(String(row["twin"]))!} most={most} /> },
    { name: "health", label: text.fleet.health, cell: (v) => <><meter min={0} max={1} low={0.3} high={0.6} optimum={1} value={Number(v)} /> {Math.round(Number(v) * 100)} %</> },
    { name: "drivers", label: text.fleet.drivers, cell: (_, row) => <Drivers twin={String(row["twin"])} signals={driversOf(anomalies, String(row["twin"]))} /> },
    { name: "model", label: text.fleet.model },
  ];
}

/** How an estimator does, in words first. */
function EstimatorRow({ e }: { e: Estimate }) {
  const good = e.trouble === undefined && e.health === "good", unknown = e.trouble === undefined && (e.health === undefined || e.health === "unknown");
  const faults = (e.faults ?? []).filter((f) => f.told), modes = (e.modes ?? []).filter((m) => m.told);
  return (
    <li class="order" data-testid={`estimator-${e.name}`}>
      <div class="toolbar">
        <strong>{e.name}</strong>
        {e.root !== undefined && <button type="button" class="link" onClick={() => show("twin", e.root)}>{e.root}</button>}
        <span class={good ? "quality good" : unknown ? "dim" : "quality warn"}>{good ? "✓" : unknown ? "" : "⚠"} {e.trouble ?? (unknown ? actText.fleet.unknown : e.health)}</span>
        <span class="dim">{e.filter}</span>
        {e.at !== undefined && <span class="dim">{actText.estimate.age(formatAge(now.value - Date.parse(e.at)))}</span>}
      </div>
      {e.trouble === undefined && (
        <dl class="facts">
          {e.nis !== undefined && <div title={actText.fleet.nisWhat}><dt>{actText.fleet.nis}</dt><dd>{short(e.nis)}</dd></div>}
          {(["moments", "taken", "refused", "late", "unusable", "lost", "restarts"] as const).map((k) => <div key={k}><dt>{actText.fleet.counts[k]}</dt><dd>{(e[k] ?? 0).toLocaleString("en")}</dd></div>)}
        </dl>
      )}
      {faults.map((f) => <p key={f.twin + f.name} class="refusal">{actText.fleet.fault(`${f.twin}.${f.name}`, f.severity === undefined ? "?" : short(f.severity), f.since === undefined ? "" : formatMoment(Date.parse(f.since)))}</p>)}
      {modes.map((m) => <p key={m.name} class="refusal">{actText.fleet.mode(m.name, `${Math.round(100 * m.probability)} %`)}</p>)}
    </li>
  );
}

function Estimators() {
  const { value, error } = useRegularly((stop) => api.estimates(null, stop), 3000);
  return (
    <section data-testid="estimators">
      <h2>{actText.fleet.estimators}</h2>
      {error !== null && <p class="refusal" role="alert">{text.loadFailed(error)}</p>}
      {value !== null && value.items.length === 0 && <p class="dim">{actText.fleet.noEstimators}</p>}
      <ul class="plain-list">{(value?.items ?? []).map((e) => <EstimatorRow key={e.name} e={e} />)}</ul>
    </section>
  );
}

export function Fleet() {
  const { value, error } = useRegularly(async (stop) => {
    const [risks, anomalies] = await Promise.all([api.rul(stop), api.anomalies(stop)]);
    return { risks, anomalies: anomalies.items };
  }, 5000);
  if (error !== null) return <p class="empty" role="alert">{text.loadFailed(error)}</p>;
  if (value === null) return <p class="empty">{text.loading}</p>;
  const risks = value.risks.items.map((r): Document => ({
    twin: r.twin, rul: r.rul, health: r.health, model: `${r.model} · ${r.version}`,
    interval: r.intervals["90"] === undefined ? null : `${formatNumber(r.intervals["90"][0])} – ${formatNumber(r.intervals["90"][1])}`,
    drivers: driversOf(value.anomalies, r.twin).map((d) => `${d.property} ${Math.round(d.share * 100)} %`).join(", "),
  }));
  const found = value.anomalies.map((a): Document => ({
    twin: a.twin, detector: a.detector, state: a.open ? text.fleet.open : text.fleet.over, start: formatMoment(Date.parse(a.start)), score: a.score,
    signals: a.signals.map((s) => `${s.property} ${Math.round(s.share * 100)} %`).join(", "),
  }));
  return (
    <>
      <section>
        <div class="toolbar"><h2>{text.fleet.title}</h2> <span class="spacer" /> <button type="button" class="button" data-testid="to-maintenance" onClick={() => show("maintenance")}>{actText.fleet.windows}</button></div>
        {risks.length === 0 ? <p class="dim">{value.risks.trouble ?? text.fleet.none}</p> : <Table rows={risks} columns={columnsOf(value.risks.items, value.anomalies)} file="fleet.csv" sort={{ by: "rul", way: 1 }} />}
        {(value.risks.models ?? []).map((m) => <p key={m.model} class="dim">{actText.fleet.trained(m.model, m.version)}{m.retraining && ` ${actText.fleet.retraining}`} {m.verdict}</p>)}
      </section>
      <Estimators />
      <section>
        <h2>{text.fleet.anomalies}</h2>
        {found.length === 0 ? <p class="dim">{text.fleet.noAnomalies}</p> : (
          <Table rows={found} file="anomalies.csv" columns={[{ name: "twin", label: text.fleet.twin, cell: twinLink }, { name: "detector", label: text.fleet.detector },
            { name: "state", label: text.fleet.state }, { name: "start", label: text.fleet.since }, { name: "score", label: text.fleet.score }, { name: "signals", label: text.fleet.drivers }]} />
        )}
      </section>
    </>
  );
}
