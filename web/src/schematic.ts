// A scheme of the plant where nobody has made geometry: twins as solids by what their models are called, relationships as
// pipes, what belongs together on a common plate. Where things stand follows from the graph alone, so it is always the same.
import { BoxGeometry, type BufferGeometry, CylinderGeometry, Group, Mesh, MeshStandardMaterial, type Object3D, Quaternion, SphereGeometry, Vector3 } from "three";
import type { Document } from "./api";
import { dated, queryAll } from "./ask_all";
import { SERIES_COLORS } from "./chart";
import type { Model3d } from "./scene_load";

const TWINS_MAX = 400, ASKED_MAX = 20000, STEP = 4, PLATE = 0.12;
const SHAPES: readonly [RegExp, BufferGeometry][] = [
  [/tank|tower|vessel|well|reservoir|silo|drum|column|disk/i, new CylinderGeometry(0.9, 0.9, 2, 24)],
  [/valve|sensor|controller|meter/i, new SphereGeometry(0.8, 24, 16)],
  [/pump|motor|engine|fan|turbine|compressor|generator/i, new CylinderGeometry(0.75, 0.75, 1.6, 24).rotateZ(Math.PI / 2)],
  [/pipe|main|line|duct|cable/i, new BoxGeometry(2.4, 0.5, 0.5)],
];
const BOX = new BoxGeometry(1.5, 1.5, 1.5);

interface Link { from: string; to: string; name: string }
interface Plan { at: Map<string, { x: number; z: number; y: number }>; plates: { twin: string; x: number; z: number; w: number; d: number; level: number }[] }

/** Those around the root along relationships either way, breadth first. */
export function nearest(root: string, links: readonly Link[], most: number): Set<string> {
  const beside = new Map<string, string[]>();
  for (const l of links) for (const [a, b] of [[l.from, l.to], [l.to, l.from]] as const) beside.set(a, [...(beside.get(a) ?? []), b]);
  const found = new Set([root]);
  for (const id of found) for (const next of beside.get(id) ?? []) if (found.size < most) found.add(next);
  return found;
}

/** The relationships that say what belongs to what: of the name that most twins are reached by once. */
export function hierarchyOf(links: readonly Link[]): Map<string, string> {
  const byName = new Map<string, Link[]>();
  for (const l of links) byName.set(l.name, [...(byName.get(l.name) ?? []), l]);
  let best: Link[] = [];
  for (const list of byName.values()) {
    const once = new Set(list.map((l) => l.to)).size === list.length;
    const gathers = list.length >= 2 * new Set(list.map((l) => l.from)).size;
    if (once && gathers && list.length > best.length) best = list;
  }
  const parent = new Map(best.map((l) => [l.to, l.from]));
  for (const id of [...parent.keys()]) { // a ring has no top
    const seen = new Set([id]);
    for (let at = parent.get(id); at !== undefined; at = parent.get(at)) {
      if (seen.has(at)) { parent.delete(id); break; }
      seen.add(at);
    }
  }
  return parent;
}

/** How far along the flow each stands: one more than the farthest before it; rings are cut where they close. */
export function ranks(ids: readonly string[], links: readonly Link[]): Map<string, number> {
  const rank = new Map<string, number>(), open = new Set<string>(), there = new Set(ids);
  const before = new Map<string, string[]>();
  for (const l of links) if (there.has(l.from) && there.has(l.to) && l.from !== l.to) before.set(l.to, [...(before.get(l.to) ?? []), l.from]);
  const walk = (id: string): number => {
    const known = rank.get(id);
    if (known !== undefined) return known;
    if (open.has(id)) return -1;
    open.add(id);
    const r = Math.max(-1, ...(before.get(id) ?? []).map(walk)) + 1;
    open.delete(id);
    rank.set(id, r);
    return r;
  };
  ids.forEach(walk);
  return rank;
}

function planOf(ids: readonly string[], links: readonly Link[]): Plan {
  const parent = hierarchyOf(links), children = new Map<string, string[]>();
  for (const id of ids) {
    const p = parent.get(id);
    if (p !== undefined) children.set(p, [...(children.get(p) ?? []), id]);
  }
  const flows = links.filter((l) => parent.get(l.to) !== l.from);
  const plan: Plan = { at: new Map(), plates: [] };
  // Places what belongs to a twin from (x, z) on; returns the room that it takes.
  const place = (members: readonly string[], x: number, z: number, level: number): { w: number; d: number } => {
    const single = members.filter((m) => !children.has(m)), groups = members.filter((m) => children.has(m));
    const rank = ranks(single, flows), used = new Map<number, number>();
    const wide = Math.max(1, Math.ceil(Math.sqrt(single.length)));
    const flat = new Set(rank.values()).size <= 1; // no flow among them: a grid
    let w = 0, d = 0;
    single.forEach((id, i) => {
      const column = flat ? i % wide : rank.get(id)!, row = flat ? Math.floor(i / wide) : used.get(column) ?? 0;
      used.set(column, row + 1);
      plan.at.set(id, { x: x + (column + 0.5) * STEP, z: z + (row + 0.5) * STEP, y: level * PLATE });
      w = Math.max(w, (column + 1) * STEP);
      d = Math.max(d, (row + 1) * STEP);
    });
    let across = 0, deep = 0, top = z + d;
    const most = Math.max(w, 2 * STEP * Math.ceil(Math.sqrt(ids.length)));
    for (const g of groups) {
      const room = place(children.get(g)!, x + across + 1, top + 1, level + 1);
      plan.plates.push({ twin: g, x: x + across + 0.4, z: top + 0.4, w: room.w + 1.2, d: room.d + 1.2, level: level + 1 });
      across += room.w + 2;
      deep = Math.max(deep, room.d + 2);
      w = Math.max(w, across);
      if (across > most) { top += deep; across = 0; deep = 0; }
    }
    return { w: Math.max(w, STEP), d: Math.max(top + deep - z, d, STEP) };
  };
  place(ids.filter((id) => !parent.has(id)), 0, 0, 0);
  return plan;
}

function pipe(from: Vector3, to: Vector3, material: MeshStandardMaterial): Object3D {
  const along = to.clone().sub(from), length = along.length();
  const mesh = new Mesh(new CylinderGeometry(0.09, 0.09, length, 8), material);
  mesh.position.copy(from).addScaledVector(along, 0.5);
  mesh.quaternion.copy(new Quaternion().setFromUnitVectors(new Vector3(0, 1, 0), along.normalize()));
  return mesh;
}

function build(twins: ReadonlyMap<string, string>, links: readonly Link[]): Model3d {
  const plan = planOf([...twins.keys()], links), root = new Group(), parts = new Map<string, Object3D[]>();
  const models = [...new Set(twins.values())].sort();
  const add = (id: string, object: Object3D) => {
    object.userData["twin"] = id;
    object.name = id;
    root.add(object);
    parts.set(id, [...(parts.get(id) ?? []), object]);
  };
  const paint = (id: string) => new MeshStandardMaterial({ color: SERIES_COLORS[models.indexOf(twins.get(id) ?? "") % SERIES_COLORS.length]!, roughness: 0.7 });
  for (const [id, at] of plan.at) {
    const model = twins.get(id) ?? "", name = model.slice(model.lastIndexOf(":") + 1);
    const mesh = new Mesh(SHAPES.find(([words]) => words.test(name))?.[1] ?? BOX, paint(id));
    mesh.position.set(at.x, at.y + 1, at.z);
    add(id, mesh);
  }
  for (const p of plan.plates) {
    const mesh = new Mesh(new BoxGeometry(p.w, PLATE, p.d), new MeshStandardMaterial({ color: 0x8a94a3, roughness: 0.9 }));
    mesh.position.set(p.x + p.w / 2, (p.level - 0.5) * PLATE, p.z + p.d / 2);
    add(p.twin, mesh);
  }
  const grey = new MeshStandardMaterial({ color: 0x7a8594, roughness: 0.8 });
  for (const l of links) {
    const a = plan.at.get(l.from), b = plan.at.get(l.to);
    if (a !== undefined && b !== undefined) root.add(pipe(new Vector3(a.x, a.y + 1, a.z), new Vector3(b.x, b.y + 1, b.z), grey));
  }
  return { name: "", root, twins: parts };
}

/** cut: only those around `around` are drawn. Null: there is nothing to draw. */
export async function scheme(around: string | null, at: number | null, stop: AbortSignal): Promise<{ model: Model3d; cut: boolean } | null> {
  const [twins, links] = await Promise.all([
    queryAll(dated("SELECT T.$dtId, T.$metadata.$model FROM DIGITALTWINS T", at), ASKED_MAX, stop),
    queryAll(dated("SELECT R.$sourceId, R.$targetId, R.$relationshipName FROM RELATIONSHIPS R", at), ASKED_MAX, stop),
  ]);
  const all: Link[] = links.rows.map((r: Document) => ({ from: String(r["$sourceId"]), to: String(r["$targetId"]), name: String(r["$relationshipName"]) }));
  const models = new Map(twins.rows.map((r: Document) => [String(r["$dtId"]), String(r["$model"])]));
  if (models.size === 0) return null;
  const cut = models.size > TWINS_MAX;
  const kept = cut ? nearest(around ?? [...models.keys()][0]!, all, TWINS_MAX) : new Set(models.keys());
  return { model: build(new Map([...kept].map((id) => [id, models.get(id) ?? ""])), all.filter((l) => kept.has(l.from) && kept.has(l.to))), cut };
}
