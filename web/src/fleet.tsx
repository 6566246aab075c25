// The fleet, the most endangered first: remaining useful life with its interval, and the signals that stand out.
import { api, type Anomaly, type Document } from "./api";
import { formatNumber } from "./format";
import { Table, type Column } from "./table";
import { text } from "./text";
import { useRegularly } from "./use_regularly";
import { show } from "./view";

const twinLink = (value: unknown) => <button type="button" class="link" onClick={() => show("twin", String(value))}>{String(value)}</button>;

const COLUMNS: readonly Column[] = [
  { name: "twin", label: text.fleet.twin, cell: twinLink },
  { name: "rul", label: text.fleet.rul, cell: (v) => <strong>{formatNumber(Number(v))}</strong> },
  { name: "interval", label: text.fleet.interval },
  { name: "health", label: text.fleet.health, cell: (v) => <><meter min={0} max={1} low={0.3} high={0.6} optimum={1} value={Number(v)} /> {Math.round(Number(v) * 100)} %</> },
  { name: "drivers", label: text.fleet.drivers },
  { name: "model", label: text.fleet.model },
];

function drivers(anomalies: readonly Anomaly[], twin: string): string {
  const open = anomalies.filter((a) => a.twin === twin && a.open);
  const names = open.flatMap((a) => a.signals.slice(0, 3).map((s) => `${s.property} ${Math.round(s.share * 100)} %`));
  return [...new Set(names)].join(", ");
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
    drivers: drivers(value.anomalies, r.twin),
  }));
  const found = value.anomalies.map((a): Document => ({
    twin: a.twin, detector: a.detector, state: a.open ? text.fleet.open : text.fleet.over, start: a.start, score: a.score,
    signals: a.signals.map((s) => `${s.property} ${Math.round(s.share * 100)} %`).join(", "),
  }));
  return (
    <>
      <section>
        <h2>{text.fleet.title}</h2>
        {risks.length === 0 ? <p class="dim">{value.risks.trouble ?? text.fleet.none}</p> : <Table rows={risks} columns={COLUMNS} file="fleet.csv" sort={{ by: "rul", way: 1 }} />}
      </section>
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
