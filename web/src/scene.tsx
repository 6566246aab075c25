// The plant in space: its geometry, or a scheme of it. What is selected here is selected everywhere.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { alarms, worst } from "./alarm_badges";
import { api } from "./api";
import { css } from "./chart";
import { hitsOf, impact, pathOf } from "./fault";
import { FaultBar, useFault } from "./fault_bar";
import { now, structureVersion } from "./live";
import { isScene, loadModel, type Model3d } from "./scene_load";
import { ALARM_COLOURS, choicesFor, endText, firstScale, paintAlarms, paintHits, paintValues, rampOf, valuesOf, type Choice, type Painted, type Scale } from "./scene_paint";
import { drawsIn, World } from "./scene_world";
import { scheme } from "./schematic";
import { token } from "./session";
import { connection } from "./stream";
import { text } from "./text";
import { coloured, moment, OTHERS, others, select, selected, theme } from "./view";

const EVERY_MS = 1000, SCHEME = "";
const NOTHING: Painted = { colours: new Map(), labels: new Map(), values: new Map() };
const scales = new Map<string, Scale>(); // as long as the page lives, so that colours keep their meaning

interface Loaded { model: Model3d; files: string[]; cut: boolean }

/** The wanted file; without a wish the first that shows the selected twin, else the first, else a scheme. */
async function load(wanted: string | null, stop: AbortSignal): Promise<Loaded | null> {
  const at = moment.peek(), around = selected.peek();
  const files = (await api.scene(stop).catch((e: Error & { status?: number }) => {
    if (e.status === 403) return { files: [] }; // who is kept to a part sees a scheme of that part
    throw e;
  })).files.map((f) => f.name).filter(isScene);
  if (wanted !== SCHEME) {
    let first: Model3d | null = null;
    for (const name of wanted === null ? files.slice(0, 8) : [wanted]) {
      const model = await loadModel(name, at, stop);
      if (wanted !== null || around === null || model.twins.has(around)) return { model, files, cut: false };
      first ??= model;
    }
    if (first !== null) return { model: first, files, cut: false };
  }
  const drawn = await scheme(around, at, stop);
  return drawn === null ? null : { ...drawn, files };
}

function useLoaded(wanted: string | null): { loaded: Loaded | null | undefined; error: string | null } {
  const [loaded, setLoaded] = useState<Loaded | null | undefined>(undefined);
  const [error, setError] = useState<string | null>(null);
  const version = structureVersion.value;
  useEffect(() => {
    const stop = new AbortController();
    load(wanted, stop.signal).then((l) => { if (!stop.signal.aborted) { setLoaded(l); setError(null); } }, (e: Error) => { if (!stop.signal.aborted) setError(e.message); });
    return () => stop.abort();
  }, [wanted, version, token.value]);
  return { loaded, error };
}

/** Values of the chosen kind, once a second while the page is live and once for a moment. */
function useValues(choice: Choice | undefined): ReadonlyMap<string, number> | null {
  const [values, setValues] = useState<ReadonlyMap<string, number> | null>(null);
  const at = moment.value;
  useEffect(() => {
    setValues(null);
    if (choice === undefined) return;
    const stop = new AbortController();
    let timer = 0;
    const turn = () => {
      const again = () => { if (!stop.signal.aborted && at === null) timer = window.setTimeout(turn, EVERY_MS); };
      if (connection.peek() === "stale") { again(); return; }
      valuesOf(choice, at, stop.signal).then((v) => { if (!stop.signal.aborted) setValues(v); }, () => undefined).finally(again);
    };
    timer = window.setTimeout(turn, at === null ? 0 : 60);
    return () => { stop.abort(); window.clearTimeout(timer); };
  }, [choice?.key, at, token.value]);
  return values;
}

function Legend({ choice, scale, onScale }: { choice: Choice | undefined; scale: Scale | null; onScale: (s: Scale) => void }) {
  if (choice === undefined)
    return (
      <div class="legend" data-testid="legend">
        {Object.entries(ALARM_COLOURS).map(([p, c]) => <span key={p}><span class="swatch" style={{ background: c }} /> {text.alarms.priority[p]}</span>)}
        <span class="dim">{text.scene.none}</span>
        {moment.value !== null && <span class="dim">{text.scene.noAlarmsThen}</span>}
      </div>
    );
  if (scale === null) return <div class="legend" data-testid="legend">{text.loading}</div>;
  const end = (name: "low" | "high") => (
    <input type="number" step="any" value={scale[name]} aria-label={name === "low" ? text.scene.scale : text.scene.to} data-testid={`scale-${name}`}
           onChange={(e) => { const x = Number(e.currentTarget.value); if (Number.isFinite(x)) onScale({ ...scale, [name]: x }); }} />
  );
  return (
    <div class="legend" data-testid="legend">
      <label>{text.scene.scale} {end("low")}</label>
      <span class="ramp" style={{ background: `linear-gradient(90deg, ${rampOf(choice.kind).join(",")})` }} role="img" aria-label={`${endText(scale.low, choice.unit)} … ${endText(scale.high, choice.unit)}`} />
      <label>{text.scene.to} {end("high")}</label>
      <span>{choice.kind === "residual" ? "σ" : choice.unit}</span>
      {choice.kind !== "value" && moment.value !== null && <span class="quality warn">⚠ {text.scene.estimatesNow}</span>}
    </div>
  );
}

const KINDS = ["value", "estimate", "residual"] as const;

function Picture({ loaded, wanted, want }: { loaded: Loaded; wanted: string | null; want: (name: string) => void }) {
  const box = useRef<HTMLDivElement>(null), overlay = useRef<HTMLDivElement>(null), world = useRef<World | null>(null);
  const [choices, setChoices] = useState<Choice[]>([]);
  const [labels, setLabels] = useState(true);
  const [scaled, setScaled] = useState(0);
  const how = useMemo(drawsIn, []);
  const choice = choices.find((c) => c.key === coloured.value);
  const values = useValues(choice);
  const { model } = loaded;
  const ids = useMemo(() => new Set(model.twins.keys()), [model]);

  useEffect(() => {
    if (how === null) return;
    const mine = (world.current = new World(box.current!, overlay.current!, how === "software", (twin) => { if (twin !== null) select(twin); }));
    return () => { mine.destroy(); world.current = null; };
  }, [how]);
  useEffect(() => world.current?.show(model), [model, how]);
  useEffect(() => {
    const stop = new AbortController();
    choicesFor(ids, stop.signal).then((c) => { if (!stop.signal.aborted) setChoices(c); }, () => undefined);
    return () => stop.abort();
  }, [ids, token.value]);

  const here = values === null ? null : new Map([...values].filter(([id]) => ids.has(id)));
  const ready = choice !== undefined && here !== null && here.size > 0 && !scales.has(choice.key);
  useEffect(() => {
    if (!ready) return;
    const stop = new AbortController();
    firstScale(choice, here, now.peek(), stop.signal).then((s) => { if (!stop.signal.aborted) { scales.set(choice.key, s); setScaled((n) => n + 1); } }, () => undefined);
    return () => stop.abort();
  }, [choice?.key, ready]);
  const scale = choice === undefined ? null : scales.get(choice.key) ?? null;
  useFault();
  const hits = hitsOf(impact.value);
  const painted = hits !== null ? paintHits(hits) : choice === undefined ? paintAlarms(ids, (p) => text.alarms.priority[p] ?? p) : here === null || scale === null ? NOTHING : paintValues(here, choice, scale);
  useEffect(() => {
    world.current?.apply({ colours: painted.colours, labels: labels ? painted.labels : new Map(), selected: selected.value, others: hits !== null && others.value === "shown" ? "ghosted" : others.value, kept: hits === null ? null : new Set(pathOf(hits)), accent: css("--accent") });
  }, [model, values, choice?.key, scaled, labels, selected.value, others.value, theme.value, worst.value, alarms.value, how, impact.value]);

  const key = (e: KeyboardEvent) => {
    const w = world.current;
    if (w === null || e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === "ArrowLeft") w.turn(-0.15, 0);
    else if (e.key === "ArrowRight") w.turn(0.15, 0);
    else if (e.key === "ArrowUp") w.turn(0, -0.1);
    else if (e.key === "ArrowDown") w.turn(0, 0.1);
    else if (e.key === "+" || e.key === "=") w.zoom(0.8);
    else if (e.key === "-") w.zoom(1.25);
    else if (e.key === "f" || e.key === "F") w.fit();
    else if (e.key === "g" || e.key === "G") others.value = others.value === "ghosted" ? "shown" : "ghosted";
    else if (e.key === "h" || e.key === "H") others.value = others.value === "hidden" ? "shown" : "hidden";
    else return;
    e.preventDefault();
  };
  const id = selected.value;
  return (
    <section class="scene-box">
      <div class="toolbar">
        <label>{text.scene.colour}{" "}
          <select value={coloured.value} data-testid="scene-colour" onChange={(e) => (coloured.value = e.currentTarget.value)}>
            <option value="">{text.scene.alarms}</option>
            {KINDS.map((kind) => choices.some((c) => c.kind === kind) && (
              <optgroup key={kind} label={text.scene[kind]}>{choices.filter((c) => c.kind === kind).map((c) => <option key={c.key} value={c.key}>{c.label}{c.unit === "" ? "" : ` [${c.unit}]`}</option>)}</optgroup>
            ))}
          </select>
        </label>
        <label>{text.scene.others}{" "}
          <select value={others.value} data-testid="scene-others" onChange={(e) => (others.value = e.currentTarget.value as typeof others.value)}>
            {OTHERS.map((o) => <option key={o} value={o}>{text.scene[o]}</option>)}
          </select>
        </label>
        <button type="button" class="button" data-testid="scene-fit" onClick={() => world.current?.fit()}>{text.scene.fit}</button>
        <label class="chip"><input type="checkbox" checked={labels} onChange={(e) => setLabels(e.currentTarget.checked)} /> {text.scene.labels} </label>
        <span class="spacer" />
        <label>{text.scene.file}{" "}
          <select value={wanted ?? model.name} data-testid="scene-file" onChange={(e) => want(e.currentTarget.value)}>
            {loaded.files.map((f) => <option key={f} value={f}>{f}</option>)}
            <option value={SCHEME}>{text.scene.generated}</option>
          </select>
        </label>
      </div>
      <FaultBar />
      {hits === null && <Legend choice={choice} scale={scale} onScale={(s) => { if (choice !== undefined) { scales.set(choice.key, s); setScaled((n) => n + 1); } }} />}
      {how === null && <p class="empty" role="alert">{text.scene.noWebgl}</p>}
      {ids.size === 0 && <p class="dim">{text.scene.untied}</p>}
      <div ref={box} class="scene" data-testid="scene" data-model={model.name} data-twins={ids.size} tabIndex={0} role="group" aria-label={`${text.scene.title}. ${text.scene.keys}`} onKeyDown={key} style={how === null ? { display: "none" } : {}}>
        <div ref={overlay} class="scene-labels" aria-hidden="true" />
      </div>
      <p class="dim hint">
        {id !== null && !ids.has(id) && <strong>{text.scene.notHere(id)} </strong>}
        {loaded.cut && `${text.scene.cap(ids.size)} `}{how === "software" && `${text.scene.software} `}{text.scene.keys}
      </p>
    </section>
  );
}

export function Scene() {
  const [wanted, setWanted] = useState<string | null>(null);
  const { loaded, error } = useLoaded(wanted);
  if (error !== null) return <p class="empty" role="alert">{text.scene.failed(wanted ?? "scene/", error)}</p>;
  if (loaded === undefined) return <p class="empty">{text.loading}</p>;
  if (loaded === null) return <p class="empty">{text.scene.empty}</p>;
  return <Picture loaded={loaded} wanted={wanted} want={setWanted} />;
}
