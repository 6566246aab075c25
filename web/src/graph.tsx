// What the selected twin is connected to, a number of hops away. Twins that stay in sight stay where they are.
import { forceCenter, forceCollide, forceLink, forceManyBody, forceSimulation, type SimulationNodeDatum } from "d3-force";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { worst } from "./alarm_badges";
import type { Twin } from "./api";
import { SERIES_COLORS } from "./chart";
import { groupOf } from "./group";
import { structureVersion } from "./live";
import { token } from "./session";
import { text } from "./text";
import { select, selected, show } from "./view";

const TWINS_MAX = 150, HOPS_MAX = 5, TICKS = 240, MARGIN = 70;

interface Node extends SimulationNodeDatum { id: string; twin: Twin }
interface Edge { source: Node; target: Node; name: string }
interface Picture { nodes: Node[]; edges: Edge[] }

function relationshipsOf(twins: readonly Twin[]): { from: string; to: string; name: string }[] {
  const there = new Set(twins.map((t) => t.id));
  return twins.flatMap((t) => t.relationships.out.filter((r) => r.target !== undefined && there.has(r.target)).map((r) => ({ from: t.id, to: r.target!, name: r.name })));
}

/** Places nodes; those that have a place begin there and are held, so that growing moves nothing that was in sight. */
function layOut(twins: readonly Twin[], names: ReadonlySet<string>, places: Map<string, { x: number; y: number }>): Picture {
  const nodes = twins.map((twin): Node => {
    const at = places.get(twin.id);
    return { id: twin.id, twin, ...(at === undefined ? {} : { ...at, fx: at.x, fy: at.y }) };
  });
  const byId = new Map(nodes.map((n) => [n.id, n]));
  const edges = relationshipsOf(twins).filter((r) => names.has(r.name)).map((r): Edge => ({ source: byId.get(r.from)!, target: byId.get(r.to)!, name: r.name }));
  forceSimulation(nodes)
    .force("link", forceLink<Node, Edge>(edges).distance(150).strength(0.5))
    .force("charge", forceManyBody().strength(-900))
    .force("collide", forceCollide(46))
    .force("center", places.size === 0 ? forceCenter(0, 0) : null)
    .stop().tick(TICKS);
  for (const n of nodes) places.set(n.id, { x: n.x!, y: n.y! });
  return { nodes, edges };
}

function useTwins(root: string | null, hops: number): { twins: Twin[] | null; error: string | null } {
  const [twins, setTwins] = useState<Twin[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const version = structureVersion.value;
  useEffect(() => {
    if (root === null) return;
    const stop = new AbortController();
    groupOf(root, stop.signal, TWINS_MAX, hops).then((t) => { setTwins(t); setError(null); }, (e: Error) => { if (!stop.signal.aborted) setError(e.message); });
    return () => stop.abort();
  }, [root, hops, version, token.value]);
  return { twins, error };
}

function viewBox(nodes: readonly Node[]): string {
  const xs = nodes.map((n) => n.x!), ys = nodes.map((n) => n.y!);
  const left = Math.min(...xs) - MARGIN, top = Math.min(...ys) - MARGIN;
  return [left, top, Math.max(...xs) + MARGIN - left, Math.max(...ys) + MARGIN - top].map(Math.round).join(" ");
}

function NodeMark({ node, color }: { node: Node; color: string }) {
  const alarm = worst.value.get(node.id);
  const isSelected = selected.value === node.id;
  return (
    <g transform={`translate(${node.x!.toFixed(1)} ${node.y!.toFixed(1)})`} class={isSelected ? "graph-node selected" : "graph-node"} role="button" tabIndex={0} data-node={node.id}
       aria-label={`${node.id} ${node.twin.modelName}`} onClick={() => select(node.id)} onDblClick={() => show("twin", node.id)}
       onKeyDown={(e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); select(node.id); } }}>
      <circle r={isSelected ? 17 : 13} fill={color} />
      {alarm !== undefined && <text class="graph-alarm" y="5" text-anchor="middle">!</text>}
      <text y="30" text-anchor="middle">{node.twin.name ?? node.id}</text>
      <text y="43" text-anchor="middle" class="graph-model">{node.twin.modelName}</text>
    </g>
  );
}

function Drawing({ picture, models }: { picture: Picture; models: readonly string[] }) {
  const named = picture.edges.length <= 80; // beyond, names would cover the lines
  return (
    <svg class="graph" viewBox={viewBox(picture.nodes)} data-testid="graph" role="group" aria-label={text.graph.title}>
      <defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="currentColor" /></marker></defs>
      {picture.edges.map((e, i) => {
        const dx = e.target.x! - e.source.x!, dy = e.target.y! - e.source.y!, length = Math.hypot(dx, dy) || 1, cut = 18 / length;
        return (
          <g key={i} class="graph-edge">
            <line x1={e.source.x! + dx * cut} y1={e.source.y! + dy * cut} x2={e.target.x! - dx * cut} y2={e.target.y! - dy * cut} marker-end="url(#arrow)" />
            {named && <text x={e.source.x! + dx / 2} y={e.source.y! + dy / 2 - 3} text-anchor="middle">{e.name}</text>}
          </g>
        );
      })}
      {picture.nodes.map((n) => <NodeMark key={n.id} node={n} color={SERIES_COLORS[models.indexOf(n.twin.modelName) % SERIES_COLORS.length]!} />)}
    </svg>
  );
}

export function Graph() {
  const root = selected.value;
  const [hops, setHops] = useState(2);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const places = useRef(new Map<string, { x: number; y: number }>());
  const { twins, error } = useTwins(root, hops);
  const names = useMemo(() => [...new Set(relationshipsOf(twins ?? []).map((r) => r.name))].sort(), [twins]);
  const models = useMemo(() => [...new Set((twins ?? []).map((t) => t.modelName))].sort(), [twins]);
  const picture = useMemo(() => (twins === null || twins.length === 0 ? null : layOut(twins, new Set(names.filter((n) => !hidden.has(n))), places.current)), [twins, names, hidden]);
  if (root === null) return <p class="empty">{text.pickTwin}</p>;
  if (error !== null) return <p class="empty" role="alert">{error}</p>;
  if (picture === null) return <p class="empty">{twins === null ? text.loading : text.gone(root)}</p>;
  const flip = (name: string) => { const next = new Set(hidden); if (!next.delete(name)) next.add(name); setHidden(next); };
  return (
    <section class="graph-box">
      <div class="toolbar">
        <label>{text.graph.hops} <select value={hops} data-testid="hops" onChange={(e) => setHops(Number(e.currentTarget.value))}>{Array.from({ length: HOPS_MAX }, (_, i) => <option key={i}>{i + 1}</option>)}</select></label>
        {names.map((n) => <label key={n} class="chip"><input type="checkbox" checked={!hidden.has(n)} onChange={() => flip(n)} /> {n} </label>)}
        <span class="spacer" />
        <span class="dim">{text.twins(picture.nodes.length)}{picture.nodes.length >= TWINS_MAX && ` · ${text.graph.cap(TWINS_MAX)}`}</span>
      </div>
      <Drawing picture={picture} models={models} />
      <p class="dim hint">{text.graph.hint}</p>
    </section>
  );
}
