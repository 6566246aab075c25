// The drawing of the scene: camera, light, colours of twins, what is picked. It draws when something has changed, never else.
import {
  AmbientLight, Box3, Box3Helper, Color, DirectionalLight, Mesh, MeshStandardMaterial, PerspectiveCamera, Raycaster, Scene, Spherical, Vector2, Vector3,
  WebGLRenderer, type Material, type Object3D,
} from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import { type Model3d, twinOf } from "./scene_load";

const GHOST = 0.13, PICK_MOVE = 5; // px that the pointer may move between down and up
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

export type Others = "shown" | "ghosted" | "hidden";
export interface Paint {
  colours: ReadonlyMap<string, string>; // css colours by twin; those without keep their own
  labels: ReadonlyMap<string, string>; // texts by twin
  selected: string | null;
  others: Others;
  kept: ReadonlySet<string> | null; // those that are never out of the way; null: the selected one
  accent: string;
}

/** Why nothing can be drawn, or whether it is drawn without a graphics card. */
export function drawsIn(): "hardware" | "software" | null {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (gl === null) return null;
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  const renderer = String(gl.getParameter(names === null ? gl.RENDERER : names.UNMASKED_RENDERER_WEBGL));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return SOFTWARE.test(renderer) ? "software" : "hardware";
}

interface Part { mesh: Mesh; own: MeshStandardMaterial; mine: MeshStandardMaterial; twin: string | null }

export class World {
  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(45, 1, 0.1, 2000);
  private readonly controls: OrbitControls;
  private readonly size: ResizeObserver;
  private readonly labels = new Map<string, HTMLElement>();
  private model: Model3d | null = null;
  private parts: Part[] = [];
  private frame: Box3Helper | null = null;
  private pending = 0;
  private moved = false; // by the user: what he looks at stays
  private down: { x: number; y: number } | null = null;
  private paint: Paint = { colours: new Map(), labels: new Map(), selected: null, others: "shown", kept: null, accent: "#888" };

  constructor(private readonly box: HTMLElement, private readonly overlay: HTMLElement, software: boolean, private readonly picked: (twin: string | null) => void) {
    // Smoothing edges costs a software renderer four times the work.
    this.renderer = new WebGLRenderer({ antialias: !software, alpha: true, preserveDrawingBuffer: true });
    this.renderer.setPixelRatio(software ? 1 : Math.min(window.devicePixelRatio, 2));
    this.renderer.domElement.setAttribute("aria-hidden", "true");
    box.prepend(this.renderer.domElement);
    const sun = new DirectionalLight(0xffffff, 1.8);
    sun.position.set(3, 6, 4);
    this.scene.add(new AmbientLight(0xffffff, 1.3), sun);
    this.controls = new OrbitControls(this.camera, this.renderer.domElement);
    this.controls.enableDamping = false;
    this.controls.maxPolarAngle = Math.PI * 0.495;
    this.controls.addEventListener("start", () => { this.moved = true; });
    this.controls.addEventListener("change", () => this.soon());
    this.size = new ResizeObserver(() => this.resize());
    this.size.observe(box);
    this.listen();
    this.resize();
  }

  show(model: Model3d): void {
    this.clear();
    this.model = model;
    this.scene.add(model.root);
    model.root.traverse((object) => {
      if (!(object instanceof Mesh)) return;
      const own = (Array.isArray(object.material) ? object.material[0] : object.material) as Material;
      const plain = own instanceof MeshStandardMaterial ? own : new MeshStandardMaterial({ color: 0x999999 });
      const mine = plain.clone();
      object.material = mine;
      this.parts.push({ mesh: object, own: plain, mine, twin: twinOf(object) });
    });
    this.apply(this.paint);
    this.fit();
  }

  apply(paint: Paint): void {
    this.paint = paint;
    for (const p of this.parts) {
      const colour = p.twin === null ? undefined : paint.colours.get(p.twin);
      const other = paint.kept !== null ? p.twin === null || !paint.kept.has(p.twin) : paint.selected !== null && p.twin !== paint.selected;
      p.mine.color.copy(colour === undefined ? p.own.color : new Color(colour));
      const ghost = other && paint.others === "ghosted";
      p.mine.transparent = ghost || p.own.transparent;
      p.mine.opacity = ghost ? GHOST : p.own.opacity;
      p.mine.depthWrite = !ghost;
      p.mine.needsUpdate = true;
      p.mesh.visible = !(other && paint.others === "hidden");
    }
    this.markSelected();
    this.write();
    this.soon();
  }

  /** The whole, or the selected twin when others are out of the way, fills the picture. */
  fit(): void {
    this.moved = false;
    const box = this.bounds(this.paint.others === "hidden" ? this.paint.selected : null);
    if (box.isEmpty()) return;
    const middle = box.getCenter(new Vector3()), from = this.camera.position.clone().sub(this.controls.target);
    if (from.lengthSq() < 1e-6 || this.camera.position.lengthSq() === 0) from.set(0.3, 0.42, 1);
    from.normalize();
    // As far away as the corner asks for that comes nearest to an edge of the picture.
    const up = Math.tan((this.camera.fov * Math.PI) / 360) * 0.82, side = up * this.camera.aspect;
    const right = new Vector3(0, 1, 0).cross(from).normalize(), top = from.clone().cross(right);
    let away = 1;
    for (let i = 0; i < 8; i++) {
      const corner = new Vector3(i & 1 ? box.max.x : box.min.x, i & 2 ? box.max.y : box.min.y, i & 4 ? box.max.z : box.min.z).sub(middle);
      away = Math.max(away, corner.dot(from) + Math.max(Math.abs(corner.dot(right)) / side, Math.abs(corner.dot(top)) / up));
    }
    this.controls.target.copy(middle);
    this.camera.position.copy(middle).addScaledVector(from, away);
    this.camera.near = away / 200;
    this.camera.far = away * 20;
    this.camera.updateProjectionMatrix();
    this.controls.update();
    this.soon();
  }

  turn(sideways: number, up: number): void {
    const from = new Spherical().setFromVector3(this.camera.position.clone().sub(this.controls.target));
    from.theta += sideways;
    from.phi = Math.min(Math.PI * 0.495, Math.max(0.05, from.phi + up));
    this.moved = true;
    this.camera.position.copy(this.controls.target).add(new Vector3().setFromSpherical(from));
    this.controls.update();
    this.soon();
  }

  zoom(factor: number): void {
    this.camera.position.sub(this.controls.target).multiplyScalar(factor).add(this.controls.target);
    this.moved = true;
    this.controls.update();
    this.soon();
  }

  /** Where a twin is on the picture, in px; null: out of it or hidden. */
  where(twin: string): { x: number; y: number } | null {
    const box = this.bounds(twin);
    if (box.isEmpty()) return null;
    const at = box.getCenter(new Vector3()).project(this.camera);
    if (at.z > 1 || Math.abs(at.x) > 1 || Math.abs(at.y) > 1) return null;
    return { x: ((at.x + 1) / 2) * this.box.clientWidth, y: ((1 - at.y) / 2) * this.box.clientHeight };
  }

  destroy(): void {
    cancelAnimationFrame(this.pending);
    this.size.disconnect();
    this.controls.dispose();
    this.clear();
    this.renderer.dispose();
    this.renderer.forceContextLoss();
    this.renderer.domElement.remove();
  }

  private clear(): void {
    this.model?.root.traverse((o) => { if (o instanceof Mesh) o.geometry.dispose(); });
    for (const p of this.parts) { p.own.dispose(); p.mine.dispose(); }
    this.model?.root.removeFromParent();
    this.parts = [];
    this.model = null;
    this.overlay.replaceChildren();
    this.labels.clear();
  }

  private bounds(twin: string | null): Box3 {
    const box = new Box3();
    this.model?.root.updateMatrixWorld(true);
    for (const p of this.parts) {
      if ((twin !== null && p.twin !== twin) || !p.mesh.visible || this.isAbsent(p.mesh)) continue;
      box.expandByObject(p.mesh);
    }
    return box;
  }

  private isAbsent(object: Object3D): boolean {
    for (let o: Object3D | null = object; o !== null; o = o.parent) if (o.userData["absent"] === true) return true;
    return false;
  }

  private markSelected(): void {
    if (this.frame !== null) { this.frame.removeFromParent(); this.frame.dispose(); this.frame = null; }
    const id = this.paint.selected;
    const mine = this.parts.filter((p) => p.twin === id && id !== null && !this.isAbsent(p.mesh));
    if (mine.length === 0) return;
    this.frame = new Box3Helper(this.bounds(id), new Color(this.paint.accent));
    (this.frame.material as Material).depthTest = false;
    this.frame.renderOrder = 10;
    this.scene.add(this.frame);
  }

  private soon(): void {
    if (this.pending === 0) this.pending = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    this.pending = 0;
    this.renderer.render(this.scene, this.camera);
    this.placeLabels();
  }

  private resize(): void {
    const w = Math.max(this.box.clientWidth, 50), h = Math.max(this.box.clientHeight, 50);
    this.renderer.setSize(w, h);
    this.camera.aspect = w / h;
    this.camera.updateProjectionMatrix();
    if (!this.moved) this.fit();
    this.soon();
  }

  private write(): void {
    for (const [id, element] of this.labels) if (!this.paint.labels.has(id)) { element.remove(); this.labels.delete(id); }
    for (const [id, words] of this.paint.labels) {
      if (this.model?.twins.has(id) !== true) continue;
      let element = this.labels.get(id);
      if (element === undefined) {
        element = document.createElement("span");
        element.className = "scene-label";
        element.dataset["label"] = id;
        this.overlay.append(element);
        this.labels.set(id, element);
      }
      if (element.textContent !== words) element.textContent = words;
      element.classList.toggle("selected", id === this.paint.selected);
    }
  }

  // The selected twin's label first, then those of coloured ones; one that would cover another is left out.
  private placeLabels(): void {
    const taken: { x: number; y: number; w: number }[] = [];
    const weight = (id: string) => (id === this.paint.selected ? 2 : this.paint.colours.has(id) ? 1 : 0);
    const order = [...this.labels.keys()].sort((a, b) => weight(b) - weight(a));
    for (const id of order) {
      const element = this.labels.get(id)!, box = this.bounds(id);
      const top = box.isEmpty() ? null : new Vector3((box.min.x + box.max.x) / 2, box.max.y, (box.min.z + box.max.z) / 2).project(this.camera);
      const x = top === null ? 0 : ((top.x + 1) / 2) * this.box.clientWidth, y = top === null ? 0 : ((1 - top.y) / 2) * this.box.clientHeight - 8;
      const w = (element.textContent?.length ?? 0) * 7 + 16;
      const outside = top === null || top.z > 1 || x < w / 2 || y < 18 || x > this.box.clientWidth - w / 2 || y > this.box.clientHeight;
      const covered = taken.some((t) => Math.abs(t.x - x) < (t.w + w) / 2 && Math.abs(t.y - y) < 22);
      element.hidden = outside || covered;
      if (element.hidden) continue;
      taken.push({ x, y, w });
      element.style.transform = `translate(-50%, -100%) translate(${x.toFixed(0)}px, ${y.toFixed(0)}px)`;
    }
  }

  private listen(): void {
    const canvas = this.renderer.domElement;
    canvas.addEventListener("pointerdown", (e) => { this.down = { x: e.clientX, y: e.clientY }; });
    canvas.addEventListener("pointerup", (e) => {
      const d = this.down;
      this.down = null;
      if (e.button !== 0 || d === null || Math.hypot(e.clientX - d.x, e.clientY - d.y) > PICK_MOVE) return;
      this.picked(this.at(e.clientX, e.clientY));
    });
    canvas.addEventListener("dblclick", () => this.fit());
  }

  private at(clientX: number, clientY: number): string | null {
    const r = this.renderer.domElement.getBoundingClientRect();
    const ray = new Raycaster();
    ray.setFromCamera(new Vector2(((clientX - r.left) / r.width) * 2 - 1, 1 - ((clientY - r.top) / r.height) * 2), this.camera);
    const solid = this.parts.filter((p) => p.mesh.visible && p.mine.opacity > GHOST && !this.isAbsent(p.mesh)).map((p) => p.mesh);
    for (const hit of ray.intersectObjects(solid, false)) {
      const twin = twinOf(hit.object);
      if (twin !== null) return twin;
    }
    return null;
  }
}
