// What the selected twin is connected to, a number of hops away. Twins that stay in sight stay where they are.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { hitsOf, impact, pathOf } from "./fault";
import { FaultBar, useFault } from "./fault_bar";
import { formatMoment } from "./format";
import { Drawing, layOut, type Picture, type Places } from "./graph_drawing";
import { around, nearAll, type Neighbourhood } from "./group";
import { structureVersion } from "./live";
import { token } from "./session";
import { text } from "./text";
import { faultText } from "./text_fault";
import { moment, selected } from "./view";

const TWINS_MAX = 150, LEVEL_MAX = 60, HOPS_MAX = 5;

interface Drawn { near: Neighbourhood; picture: Picture | null }

/** The twins that a fault hits and what is between them. */
async function between(ids: readonly string[], at: number | null, stop: AbortSignal): Promise<Neighbourhood> {
  const twins = await nearAll(ids.slice(0, TWINS_MAX), at, stop), there = new Set(twins.map((t) => t.id));
  const names = new Set(twins.flatMap((t) => t.links).filter((l) => there.has(l.from) && there.has(l.to)).map((l) => l.name));
  return { twins, names: [...names].sort(), leftOut: Math.max(0, ids.length - TWINS_MAX) };
}

/** path: ids of what a fault hits, one a line; "": around the root. */
function useDrawn(root: string | null, hops: number, hidden: ReadonlySet<string>, places: Places, path: string): { drawn: Drawn | null; error: string | null } {
  const [drawn, setDrawn] = useState<Drawn | null>(null);
  const [error, setError] = useState<string | null>(null);
  const version = structureVersion.value, at = moment.value;
  useEffect(() => {
    if (root === null) return;
    const stop = new AbortController();
    const work = async () => {
      const near = path !== "" ? await between(path.split("\n"), at, stop.signal) : await around(root, hops, hidden, at, TWINS_MAX, LEVEL_MAX, stop.signal);
      const picture = near.twins.length === 0 ? null : await layOut(near.twins, hidden, places, stop.signal);
      setDrawn({ near, picture });
      setError(null);
    };
    // A scrub that goes on is not asked for at every step.
    const timer = window.setTimeout(() => void work().catch((e: Error) => { if (!stop.signal.aborted) setError(e.message); }), at === null ? 0 : 60);
    return () => { stop.abort(); window.clearTimeout(timer); };
  }, [root, hops, hidden, version, at, token.value, path]);
  return { drawn, error };
}

export function Graph() {
  const root = selected.value;
  const [hops, setHops] = useState(2);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const places = useRef<Places>(new Map());
  useFault();
  const hits = hitsOf(impact.value), path = hits === null ? "" : pathOf(hits).join("\n");
  const { drawn, error } = useDrawn(root, hops, hidden, places.current, path);
  const picture = drawn?.picture ?? null;
  const models = useMemo(() => [...new Set((drawn?.near.twins ?? []).map((t) => t.model))].sort(), [drawn]);
  if (root === null) return <p class="empty">{text.pickTwin}</p>;
  if (error !== null) return <p class="empty" role="alert">{error}</p>;
  if (drawn === null) return <p class="empty">{text.loading}</p>;
  if (picture === null) return <p class="empty">{moment.value === null ? text.gone(root) : text.notThen(root, formatMoment(moment.value))}</p>;
  const flip = (name: string) => { const next = new Set(hidden); if (!next.delete(name)) next.add(name); setHidden(next); };
  return (
    <section class="graph-box">
      <div class="toolbar">
        {hits === null && <label>{text.graph.hops} <select value={hops} data-testid="hops" onChange={(e) => setHops(Number(e.currentTarget.value))}>{Array.from({ length: HOPS_MAX }, (_, i) => <option key={i}>{i + 1}</option>)}</select></label>}
        {[...new Set([...drawn.near.names, ...hidden])].sort().map((n) => <label key={n} class="chip"><input type="checkbox" checked={!hidden.has(n)} onChange={() => flip(n)} /> {n} </label>)}
        <span class="spacer" />
        <span class="dim">{text.twins(picture.nodes.length)}{drawn.near.leftOut > 0 && hits !== null && ` · ${faultText.cut(drawn.near.leftOut)}`}{drawn.near.leftOut > 0 && hits === null && ` · ${text.graph.leftOut(drawn.near.leftOut, LEVEL_MAX, TWINS_MAX)}`}</span>
      </div>
      <FaultBar />
      <Drawing picture={picture} models={models} hits={hits} />
      <p class="dim hint">{text.graph.hint}</p>
    </section>
  );
}
