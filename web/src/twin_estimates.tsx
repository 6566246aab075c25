// The estimate beside the measurement: where the value really is as far as the measurements tell, how surely, and whether the
// last measurement agrees with it.
import { useEffect, useState } from "preact/hooks";
import type { Estimated } from "./api";
import { formatAge, formatNumber } from "./format";
import { now } from "./live";
import { estimatesOf } from "./plot_bands";
import { connection } from "./stream";
import { actText as text } from "./text_act";
import { moment } from "./view";

const EVERY_MS = 1000, ODD = 3; // expected deviations beyond which a measurement and its estimate disagree
export type Estimates = ReadonlyMap<string, { at: number; value: Estimated }>;
const NONE: Estimates = new Map();

/** Of a twin by property path; empty where nothing estimates it, and at moments of the past. */
export function useEstimates(twin: string): Estimates {
  const [found, setFound] = useState<Estimates>(NONE);
  const at = moment.value;
  useEffect(() => {
    const stop = new AbortController();
    setFound(NONE);
    if (at !== null) return;
    const look = () => {
      if (connection.peek() === "live") estimatesOf(twin, stop.signal).then(setFound, () => undefined); // a lost connection is told elsewhere
    };
    look();
    const timer = window.setInterval(look, EVERY_MS);
    return () => { stop.abort(); window.clearInterval(timer); };
  }, [twin, at]);
  return found;
}

const short = (x: number): string => formatNumber(Number(x.toPrecision(4)));

export function EstimateCell({ found, path }: { found: { at: number; value: Estimated } | undefined; path: string }) {
  if (found === undefined) return null;
  const { estimate, deviation, innovation, expected } = found.value;
  const z = innovation !== undefined && expected !== undefined && expected > 0 ? Math.abs(innovation) / expected : null;
  const odd = z !== null && z > ODD;
  const age = text.estimate.age(formatAge(now.value - found.at * 1000));
  const why = `${z === null ? text.estimate.unseen : odd ? text.estimate.odd(z.toFixed(1)) : text.estimate.fits(z.toFixed(1))} (${age})`;
  return (
    <span title={why} data-testid={`estimate-${path}`}>
      {text.estimate.pm(short(estimate!), deviation === undefined ? "?" : Number(deviation.toPrecision(2)).toString())}{" "}
      {z !== null && <span class={odd ? "quality warn" : "quality good"}>{odd ? `⚠ ${text.estimate.off}` : "✓"}</span>}
    </span>
  );
}
