// What happened within a stretch of time, one by one: the detail behind the marks of the time bar, a page at a time.
import { useEffect, useState } from "preact/hooks";
import { api, type Happening } from "./api";
import { formatMoment } from "./format";
import { text } from "./text";
import { moment, select, show, type Window } from "./view";

/** Shows a moment with what came before it, and the twin it was about. */
function lookAt(h: Happening): void {
  if (h.kind === "letter") { show("letters"); return; }
  if (h.twin !== undefined) select(h.twin);
  show("twin");
  moment.value = Date.parse(h.time) + 1;
}

export function Happenings({ window: stretch, close }: { window: Window; close: () => void }) {
  const [items, setItems] = useState<readonly Happening[] | null>(null);
  const [next, setNext] = useState<string | undefined>(undefined);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    setItems(null);
    api.happenings(new Date(stretch.from), new Date(stretch.to), stop.signal).then((p) => { setItems(p.items); setNext(p.nextLink); setError(null); }, (e: Error) => { if (!stop.signal.aborted) setError(e.message); });
    return () => stop.abort();
  }, [stretch.from, stretch.to]);
  const more = () => void api.moreHappenings(next!).then((p) => { setItems([...(items ?? []), ...p.items]); setNext(p.nextLink); }, (e: Error) => setError(e.message));
  return (
    <div class="happenings" role="dialog" aria-label={text.happened.title} data-testid="happenings" onKeyDown={(e) => { if (e.key === "Escape") close(); }}>
      <div class="toolbar">
        <strong>{text.happened.title}</strong> <span class="dim">{formatMoment(stretch.from)} – {formatMoment(stretch.to)}</span>
        <span class="spacer" />
        <button type="button" class="button" data-testid="happenings-close" ref={(b) => b?.focus({ preventScroll: true })} onClick={close}>{text.happened.close}</button>
      </div>
      {error !== null && <p class="refusal" role="alert">{error}</p>}
      {items === null ? error === null && <p class="dim">{text.loading}</p> : items.length === 0 ? <p class="dim">{text.happened.none}</p> : (
        <ul class="plain-list">
          {items.map((h) => (
            <li key={h.sequence}>
              <button type="button" class="happening" onClick={() => { lookAt(h); close(); }}>
                <span class="dim">{formatMoment(Date.parse(h.time))}</span>
                <span class={`mark-kind of-${h.kind}`}>{text.happened.kinds[h.kind]}</span>
                {h.priority !== undefined && <span class={`alarm-badge ${h.priority}`}>{text.alarms.priority[h.priority] ?? h.priority}</span>}
                <span>{h.name}</span> <span class="dim">{h.twin}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {next !== undefined && <button type="button" class="button" data-testid="happenings-more" onClick={more}>{text.happened.more}</button>}
    </div>
  );
}
