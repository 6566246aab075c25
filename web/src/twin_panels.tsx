// Behind a twin's values: the definition of its model, and its document with what has changed since it was opened.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, type Document, type Json, type Twin } from "./api";
import { text } from "./text";
import { moment } from "./view";

export function ModelPanel({ model }: { model: string }) {
  const [shown, setShown] = useState<string | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    setShown(null);
    api.model(model, stop.signal).then((m) => setShown(JSON.stringify(m.model, null, 2)), (e: Error) => { if (!stop.signal.aborted) setShown(e.message); });
    return () => stop.abort();
  }, [model]);
  return (
    <div class="panel">
      <p class="dim">{model}</p>
      <pre data-testid="model">{shown ?? text.loading}</pre>
    </div>
  );
}

/** Every leaf of a document with the path to it. */
export function leaves(value: Json, path = "", into = new Map<string, string>()): Map<string, string> {
  if (value !== null && typeof value === "object" && !Array.isArray(value))
    for (const [key, inner] of Object.entries(value)) leaves(inner, path === "" ? key : `${path}/${key}`, into);
  else into.set(path, JSON.stringify(value));
  return into;
}

export function RawPanel({ twin }: { twin: Twin }) {
  const first = useRef<Map<string, string> | null>(null);
  const [lines, setLines] = useState<Map<string, string> | null>(null);
  const [error, setError] = useState<string | null>(null);
  const at = moment.value;
  // One question for many changes: the document is read again at most every half second.
  const [turn, setTurn] = useState(0);
  const pending = useRef(0);
  useEffect(() => {
    if (pending.current === 0) pending.current = window.setTimeout(() => { pending.current = 0; setTurn((n) => n + 1); }, 500);
  }, [twin]);
  useEffect(() => () => window.clearTimeout(pending.current), []);
  useEffect(() => { first.current = null; }, [twin.id]);
  useEffect(() => {
    const stop = new AbortController();
    api.documentAt(twin.id, at === null ? null : new Date(at), stop.signal).then((d: Document) => {
      const found = leaves(d);
      first.current ??= found;
      setLines(found);
      setError(null);
    }, (e: Error) => { if (!stop.signal.aborted) setError(e.message); });
    return () => stop.abort();
  }, [twin.id, at, turn]);
  const before = first.current;
  return (
    <div class="panel">
      <p class="dim">{error ?? text.raw.hint}</p>
      <table class="raw" data-testid="raw">
        <tbody>
          {lines !== null && before !== null && [...new Set([...before.keys(), ...lines.keys()])].map((path) => {
            const old = before.get(path), fresh = lines.get(path);
            const sign = old === fresh ? "" : old === undefined ? "+" : fresh === undefined ? "−" : "≠";
            return (
              <tr key={path} class={sign === "" ? "" : "changed"}>
                <td class="sign">{sign}</td>
                <th scope="row">{path}</th>
                <td>{fresh ?? ""}</td>
                <td class="dim">{sign === "" || old === undefined ? "" : text.raw.before(old)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
