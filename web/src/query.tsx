// Any question in the query language, with completion from the models; the answer as a table, a graph or a plot.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Document } from "./api";
import { dated, queryAll } from "./ask_all";
import { askVocabulary, complete, type Completion, type Vocabulary } from "./completion";
import { AsGraph, AsPlot } from "./query_views";
import { connection } from "./stream";
import { flat, Table } from "./table";
import { text } from "./text";
import { following, moment, question, shape, SHAPES } from "./view";

const ROWS_MAX = 50000, FOLLOW_MS = 1000;
const FIRST = "SELECT * FROM DIGITALTWINS LIMIT 1000";
const NONE: Completion = { from: 0, words: [] };

/** What something is called comes first. */
function inOrder(names: string[]): string[] {
  const leading = (n: string) => (n.endsWith("$dtId") ? 0 : n.endsWith("$model") ? 1 : 2);
  return names.sort((a, b) => leading(a) - leading(b));
}

interface Answer { rows: Document[]; columns: { name: string }[]; more: boolean; ms: number }

async function askAll(query: string, stop: AbortSignal): Promise<Answer> {
  const begun = performance.now(), found = await queryAll(query, ROWS_MAX, stop), rows = found.rows.map((row) => flat(row));
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) names.add(name);
  return { rows, columns: inOrder([...names].filter((n) => n !== "$etag")).map((name) => ({ name })), more: found.more, ms: performance.now() - begun };
}

export function Query() {
  const field = useRef<HTMLTextAreaElement>(null);
  const stop = useRef<AbortController | null>(null);
  const [typed, setTyped] = useState(question.value || FIRST);
  const [known, setKnown] = useState<Vocabulary | null>(null);
  const [offer, setOffer] = useState<Completion>(NONE);
  const [at, setAt] = useState(0); // which of the words on offer
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const run = () => {
    stop.current?.abort();
    const mine = (stop.current = new AbortController());
    const asked = (question.value = field.current?.value ?? typed); // what is in the field now, drawn or not
    setOffer(NONE);
    setBusy(true);
    setError(null);
    askAll(dated(asked, moment.value), mine.signal).then(
      (a) => { setAnswer(a); setBusy(false); },
      (e: Error) => { if (!mine.signal.aborted) { setError(e.message); setBusy(false); } },
    );
  };
  useEffect(() => {
    askVocabulary().then((v) => {
      setKnown(v);
      const f = field.current;
      if (f !== null && document.activeElement === f && f.value !== FIRST) setOffer(complete(f.value, f.selectionStart, v));
    }, () => undefined);
    return () => stop.current?.abort();
  }, []);
  useEffect(run, [moment.value]);
  // Asked again a second after the answer, while it is looked at live; what is typed meanwhile waits for Run.
  const live = following.value && moment.value === null && answer !== null && error === null && !busy;
  useEffect(() => {
    if (!live) return;
    let over = false;
    const timer = window.setTimeout(() => {
      if (connection.peek() === "stale") return;
      const mine = (stop.current = new AbortController());
      askAll(question.peek(), mine.signal).then((a) => { if (!over) setAnswer(a); }, (e: Error) => { if (!over && !mine.signal.aborted && connection.peek() === "live") setError(e.message); });
    }, FOLLOW_MS);
    return () => { over = true; window.clearTimeout(timer); };
  }, [live, answer, connection.value]);

  const take = (word: string) => {
    const f = field.current!;
    const next = f.value.slice(0, offer.from) + word + f.value.slice(f.selectionStart);
    const caret = offer.from + word.length;
    f.value = next; // at once: who types on types behind the word
    f.setSelectionRange(caret, caret);
    f.focus();
    setTyped(next);
    setOffer(NONE);
  };
  const key = (e: KeyboardEvent) => {
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); run(); return; }
    if (offer.words.length === 0) return;
    const n = offer.words.length;
    if (e.key === "ArrowDown") setAt((at + 1) % n);
    else if (e.key === "ArrowUp") setAt((at + n - 1) % n);
    else if (e.key === "Tab" || e.key === "Enter") take(offer.words[at]!);
    else if (e.key === "Escape") setOffer(NONE);
    else return;
    e.preventDefault();
  };
  return (
    <section>
      <div class="query-box">
        <textarea
          ref={field} rows={3} spellcheck={false} value={typed} data-testid="query" aria-label={text.query.label} aria-autocomplete="list" aria-controls="query-offer"
          onInput={(e) => {
            setTyped(e.currentTarget.value);
            setAt(0);
            setOffer(known === null ? NONE : complete(e.currentTarget.value, e.currentTarget.selectionStart, known));
          }}
          onKeyDown={key} onBlur={() => window.setTimeout(() => setOffer(NONE), 150)}
        />
        {offer.words.length > 0 && (
          <ul id="query-offer" class="offer" role="listbox" data-testid="offer">
            {offer.words.map((w, i) => (
              <li key={w} role="option" aria-selected={i === at}><button type="button" tabIndex={-1} onMouseDown={(e) => { e.preventDefault(); take(w); }}>{w}</button></li>
            ))}
          </ul>
        )}
      </div>
      <div class="toolbar">
        <button type="button" class="button main" data-testid="run-query" onClick={run}>{text.query.run}</button>
        <div class="ranges" role="group" aria-label={text.query.as}>
          {SHAPES.map((s) => <button key={s} type="button" data-testid={`as-${s}`} aria-pressed={shape.value === s} onClick={() => (shape.value = s)}>{text.query.shapes[s]}</button>)}
        </div>
        <label class="chip"><input type="checkbox" data-testid="follow" checked={following.value} onChange={(e) => (following.value = e.currentTarget.checked)} /> {text.query.follow} </label>
        <span class="dim">{busy ? text.loading : answer === null ? "" : text.query.took(answer.ms)} {text.query.keys}</span>
      </div>
      {error !== null && <p class="refusal" role="alert">{error}</p>}
      {error === null && answer !== null && (answer.rows.length === 0 ? <p class="dim">{text.query.nothing}</p> : shape.value === "graph" ? <AsGraph rows={answer.rows} /> : shape.value === "plot" ? <AsPlot rows={answer.rows} columns={answer.columns.map((c) => c.name)} /> : <Table key={question.value} rows={answer.rows} columns={answer.columns} file="query.csv" />)}
      {answer?.more === true && <p class="dim">{text.query.more(ROWS_MAX)}</p>}
    </section>
  );
}
