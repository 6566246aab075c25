// The plant's geometry as an object of three, each of its parts tied to the twin that it belongs to.
import { Group, LoadingManager, type Object3D } from "three";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
import { api, type Document } from "./api";
import { dated, queryAll } from "./ask_all";

export interface Model3d {
  name: string;
  root: Object3D;
  twins: Map<string, Object3D[]>; // by id: the parts of each
}

export const isScene = (name: string): boolean => /\.(gltf|glb)$/.test(name);

/** Files beside a glTF text are fetched with the asker's token and handed over as blobs. */
async function besides(name: string, bytes: ArrayBuffer, stop: AbortSignal): Promise<Map<string, string>> {
  const blobs = new Map<string, string>();
  if (!name.endsWith(".gltf")) return blobs;
  const document = JSON.parse(new TextDecoder().decode(bytes)) as { buffers?: { uri?: string }[]; images?: { uri?: string }[] };
  const folder = name.slice(0, name.lastIndexOf("/") + 1);
  for (const { uri } of [...(document.buffers ?? []), ...(document.images ?? [])]) {
    if (uri === undefined || uri.startsWith("data:") || blobs.has(uri)) continue;
    const data = await api.sceneFile(folder + decodeURIComponent(uri), stop);
    blobs.set(uri, URL.createObjectURL(new Blob([data])));
  }
  return blobs;
}

/** Ids of the twins of a model, in their natural order: core-2 before core-10. */
async function twinsOf(model: string, at: number | null, stop: AbortSignal): Promise<string[]> {
  const rows = await queryAll(dated(`SELECT T.$dtId FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, '${model.replace(/'/g, "")}')`, at), 1000, stop);
  return rows.rows.map((r: Document) => String(r["$dtId"])).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

async function tie(root: Object3D, at: number | null, stop: AbortSignal): Promise<Map<string, Object3D[]>> {
  const twins = new Map<string, Object3D[]>(), models = new Map<string, string[]>();
  const nodes: Object3D[] = [];
  root.traverse((node) => nodes.push(node));
  for (const node of nodes) {
    const { twinId, twinModel, twinIndex } = node.userData as { twinId?: unknown; twinModel?: unknown; twinIndex?: unknown };
    let id = typeof twinId === "string" ? twinId : undefined;
    if (typeof twinModel === "string") {
      if (!models.has(twinModel)) models.set(twinModel, await twinsOf(twinModel, at, stop));
      id = models.get(twinModel)![typeof twinIndex === "number" ? twinIndex : 0];
      node.visible = id !== undefined; // geometry for a twin that this plant does not have
      node.userData["absent"] = id === undefined;
    }
    if (id === undefined) continue;
    node.userData["twin"] = id;
    twins.set(id, [...(twins.get(id) ?? []), node]);
  }
  return twins;
}

export async function loadModel(name: string, at: number | null, stop: AbortSignal): Promise<Model3d> {
  const bytes = await api.sceneFile(name, stop);
  const blobs = await besides(name, bytes, stop);
  const manager = new LoadingManager();
  manager.setURLModifier((url) => blobs.get(url) ?? url);
  try {
    const gltf = await new GLTFLoader(manager).parseAsync(bytes, "");
    const root = new Group();
    root.add(gltf.scene);
    return { name, root, twins: await tie(root, at, stop) };
  } finally {
    for (const url of blobs.values()) URL.revokeObjectURL(url);
  }
}

/** The twin that an object belongs to: its own, or that of the nearest above it. */
export function twinOf(object: Object3D | null): string | null {
  for (let o = object; o !== null; o = o.parent) if (typeof o.userData["twin"] === "string") return o.userData["twin"];
  return null;
}
