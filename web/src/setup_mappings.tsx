// Mappings: how each fares, and what one would make of a message, tried while one types.
import { useEffect, useState } from "preact/hooks";
import { acts, type MappingTest } from "./act_api";
import { formatMoment, formatValue } from "./format";
import { principal } from "./live";
import { message } from "./setup_state";
import { text as common } from "./text";
import { actText as text } from "./text_act";
import { useRegularly } from "./use_regularly";

function Result({ result }: { result: MappingTest }) {
  return (
    <div data-testid="mapping-result">
      <p>{result.mapping !== undefined && <>{text.mapping.taken} <strong>{result.mapping}</strong>. </>}{result.refused !== undefined && <span class="refusal">✗ {result.refused}</span>}</p>
      {result.updates.map((u, i) => (
        <div key={i} class="order">
          <p>{u.exists ? "✓" : "⚠"} <strong>{u.twin}</strong> <span class="dim">{u.time === undefined ? text.mapping.arrival : text.mapping.measured(formatMoment(Date.parse(u.time)))}{!u.exists && u.creates === true && ` · ${text.mapping.creates}`}</span></p>
          {u.trouble !== undefined && <p class="refusal">✗ {u.trouble}</p>}
          <table class="grid"><tbody>
            {u.values.map((v) => <tr key={v.path}><th scope="row">{v.path}</th><td class="number">{formatValue(v.value)}</td><td class="number">{v.fits === undefined ? "" : `→ ${formatValue(v.fits)} ${v.unit ?? ""}`}</td><td class="refusal">{v.trouble ?? ""}</td></tr>)}
          </tbody></table>
        </div>
      ))}
    </div>
  );
}

function Tester() {
  const [topic, setTopic] = useState(message.peek().topic), [payload, setPayload] = useState(message.peek().payload), [file, setFile] = useState("");
  const [result, setResult] = useState<MappingTest | string | null>(null);
  const may = principal.value === null || principal.value.role === "engineer" || principal.value.role === "admin";
  useEffect(() => {
    setResult(null);
    if (topic.trim() === "" || !may) return;
    const stop = new AbortController();
    const timer = window.setTimeout(() => {
      acts.mappingTest({ topic: topic.trim(), payload, ...(file.trim() === "" ? {} : { text: file }) }, stop.signal).then(setResult, (e: Error) => { if (!stop.signal.aborted) setResult(e.message); });
    }, 250);
    return () => { stop.abort(); window.clearTimeout(timer); };
  }, [topic, payload, file, may]);
  return (
    <section>
      <h2>{text.mapping.tester}</h2>
      {!may && <p class="dim">{text.setup.engineers}</p>}
      <div class="form-grid">
        <label>{text.mapping.topic} <input value={topic} data-testid="mapping-topic" placeholder="factory/north/boiler/7" onInput={(e) => setTopic(e.currentTarget.value)} /></label>
        <label>{text.mapping.payload} <textarea rows={3} value={payload} data-testid="mapping-payload" onInput={(e) => setPayload(e.currentTarget.value)} /></label>
        <details><summary>{text.mapping.own}</summary><textarea rows={8} value={file} aria-label={text.mapping.own} data-testid="mapping-text" onInput={(e) => setFile(e.currentTarget.value)} /></details>
      </div>
      {typeof result === "string" ? <p class="refusal" role="alert">{result}</p> : result !== null ? <Result result={result} /> : <p class="dim">{text.mapping.hint}</p>}
    </section>
  );
}

export function Mappings() {
  const { value, error } = useRegularly((stop) => acts.mappings(stop), 3000);
  return (
    <>
      <section>
        <h2>{text.mapping.title}</h2>
        {error !== null && <p class="refusal" role="alert">{common.loadFailed(error)}</p>}
        {value !== null && value.length === 0 && <p class="dim">{text.mapping.none}</p>}
        {value !== null && value.length > 0 && (
          <div class="table-box"><table class="grid">
            <thead><tr>{[text.setup.name, text.mapping.file, text.mapping.topic, text.mapping.format, text.mapping.messages, text.mapping.applied, text.mapping.rejected, text.mapping.last].map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
            <tbody>
              {value.map((m) => (
                <tr key={`${m.file}${m.name}`}><th scope="row">{m.name}</th><td>{m.file}</td><td><code>{m.topic ?? ""}</code></td><td>{m.format}</td>
                  <td class="number">{m.messages.toLocaleString("en")}</td><td class="number">{m.applied.toLocaleString("en")}</td><td class={m.rejected > 0 ? "number quality warn" : "number"}>{m.rejected.toLocaleString("en")}</td><td title={m.lastError}>{m.lastError ?? ""}</td></tr>
              ))}
            </tbody>
          </table></div>
        )}
      </section>
      <Tester />
    </>
  );
}
