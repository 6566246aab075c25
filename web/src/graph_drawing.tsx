// Twins and relationships as a drawing: places by forces, circles and arrows.
import { forceCenter, forceCollide, forceLink, forceManyBody, forceSimulation, type SimulationNodeDatum } from "d3-force";
import { worstAt } from "./alarm_badges";
import { SERIES_COLORS } from "./chart";
import { hitText, KIND_SIGN, kindOf, type Hit } from "./fault";
import type { Near } from "./group";
import { text } from "./text";
import { select, selected, show } from "./view";

const TICKS = 240, SLICE = 12, MARGIN = 70;

interface Node extends SimulationNodeDatum { id: string; twin: Near }
interface Edge { source: Node; target: Node; name: string }
export interface Picture { nodes: Node[]; edges: Edge[] }
export type Places = Map<string, { x: number; y: number }>;

function linksOf(twins: readonly Near[], hidden: ReadonlySet<string>): { from: string; to: string; name: string }[] {
  const there = new Set(twins.map((t) => t.id)), seen = new Set<string>();
  return twins.flatMap((t) => t.links).filter((l) => {
    const key = JSON.stringify([l.from, l.to, l.name]);
    if (seen.has(key) || !there.has(l.from) || !there.has(l.to) || hidden.has(l.name)) return false;
    seen.add(key);
    return true;
  });
}

const breathe = (): Promise<void> => new Promise((go) => window.setTimeout(go));

/** Places nodes; those that have a place begin there and are held, so that growing moves nothing that was in sight. The page
    stays answerable meanwhile. */
export async function layOut(twins: readonly Near[], hidden: ReadonlySet<string>, places: Places, stop: AbortSignal): Promise<Picture> {
  const nodes = twins.map((twin): Node => {
    const at = places.get(twin.id);
    return { id: twin.id, twin, ...(at === undefined ? {} : { ...at, fx: at.x, fy: at.y }) };
  });
  const byId = new Map(nodes.map((n) => [n.id, n]));
  const edges = linksOf(twins, hidden).map((r): Edge => ({ source: byId.get(r.from)!, target: byId.get(r.to)!, name: r.name }));
  const simulation = forceSimulation(nodes)
    .force("link", forceLink<Node, Edge>(edges).distance(150).strength(0.5))
    .force("charge", forceManyBody().strength(-900))
    .force("collide", forceCollide(46))
    .force("center", places.size === 0 ? forceCenter(0, 0) : null)
    .stop();
  for (let tick = 0; tick < TICKS; tick += SLICE) {
    simulation.tick(SLICE);
    if (nodes.length > 30) await breathe();
    stop.throwIfAborted();
  }
  for (const n of nodes) places.set(n.id, { x: n.x!, y: n.y! });
  return { nodes, edges };
}

function viewBox(nodes: readonly Node[]): string {
  const xs = nodes.map((n) => n.x!), ys = nodes.map((n) => n.y!);
  const left = Math.min(...xs) - MARGIN, top = Math.min(...ys) - MARGIN;
  return [left, top, Math.max(...xs) + MARGIN - left, Math.max(...ys) + MARGIN - top].map(Math.round).join(" ");
}

function NodeMark({ node, color, hit }: { node: Node; color: string; hit: Hit | undefined }) {
  const alarm = worstAt(node.id);
  const isSelected = selected.value === node.id;
  return (
    <g transform={`translate(${node.x!.toFixed(1)} ${node.y!.toFixed(1)})`} class={`graph-node${isSelected ? " selected" : ""}${hit === undefined ? "" : ` hit-${kindOf(hit)}`}`} role="button" tabIndex={0} data-node={node.id}
       aria-label={`${node.id} ${node.twin.model}${hit === undefined ? "" : `, ${hitText(hit)}`}`} onClick={() => select(node.id)} onDblClick={() => show("twin", node.id)}
       onKeyDown={(e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); select(node.id); } }}>
      <circle r={isSelected ? 17 : 13} fill={color} />
      {hit !== undefined ? <text class="graph-hit" y="5" text-anchor="middle">{KIND_SIGN[kindOf(hit)]}</text> : alarm !== undefined && <text class="graph-alarm" y="5" text-anchor="middle">!</text>}
      <text y="30" text-anchor="middle">{node.twin.label}</text>
      <text y="43" text-anchor="middle" class="graph-model">{hit === undefined ? node.twin.model : hitText(hit)}</text>
    </g>
  );
}

/** Does the fault come along this relationship? Its direction says who needs whom, either way. */
const carries = (hits: ReadonlyMap<string, Hit> | null, e: Edge): Hit | undefined =>
  [hits?.get(e.target.id), hits?.get(e.source.id)].find((h) => h !== undefined && h.relationshipName === e.name && (h.via === e.source.id || h.via === e.target.id));

/** hits: the fault that is lit up; null: none is. */
export function Drawing({ picture, models, hits = null }: { picture: Picture; models: readonly string[]; hits?: ReadonlyMap<string, Hit> | null }) {
  const named = picture.edges.length <= 80; // beyond, names would cover the lines
  return (
    <svg class="graph" viewBox={viewBox(picture.nodes)} data-testid="graph" role="group" aria-label={text.graph.title}>
      <defs>
        {["arrow", "arrow-bad", "arrow-warn"].map((id) => (
          <marker key={id} id={id} viewBox="0 0 8 8" refX="8" refY="4" markerUnits="userSpaceOnUse" markerWidth={id === "arrow" ? 9 : 14} markerHeight={id === "arrow" ? 9 : 14} orient="auto"><path class={id} d="M0 0 8 4 0 8z" fill="currentColor" /></marker>
        ))}
      </defs>
      {picture.edges.map((e, i) => {
        const dx = e.target.x! - e.source.x!, dy = e.target.y! - e.source.y!, length = Math.hypot(dx, dy) || 1, cut = 18 / length;
        const hit = carries(hits, e);
        return (
          <g key={i} class={hit === undefined ? "graph-edge" : `graph-edge lit hit-${kindOf(hit)}`} data-lit={hit === undefined ? undefined : `${hit.via}>${hit.id}`}>
            <line x1={e.source.x! + dx * cut} y1={e.source.y! + dy * cut} x2={e.target.x! - dx * cut} y2={e.target.y! - dy * cut} marker-end={`url(#${hit === undefined ? "arrow" : kindOf(hit) === "stops" ? "arrow-bad" : "arrow-warn"})`} />
            {named && <text x={e.source.x! + dx / 2} y={e.source.y! + dy / 2 - 3} text-anchor="middle">{e.name}</text>}
          </g>
        );
      })}
      {picture.nodes.map((n) => <NodeMark key={n.id} node={n} hit={hits?.get(n.id)} color={SERIES_COLORS[models.indexOf(n.twin.model) % SERIES_COLORS.length]!} />)}
    </svg>
  );
}
