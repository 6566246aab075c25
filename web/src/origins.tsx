// What broke: likely origins of the alarms that stand, and of measurements that do not fit, as ranked by the server. It is asked for, since it
// takes seconds; at the page's time.
import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "./api";
import { chanceText } from "./fault";
import { formatMoment, formatNumber, formatSpan } from "./format";
import { originsText as text } from "./text_fault";
import { fault, moment, select } from "./view";

interface Thing { twin: string; mode: string; kind: "fault" | "offset" | "frozen"; failure?: string; text?: string; since?: string; size?: number | null; deviation?: number | null }
interface Origin extends Thing {
  sinceLow?: string;
  sinceHigh?: string;
  probability: number;
  with?: Thing; // two things broke
  explains: { alarm: string; by: "itself" | "needs" | "physics"; raised?: string; after?: number | null; expectedAfter?: number | null }[];
  missing: { alarm: string; twin: string; probability: number }[]; // signs that should show and do not
}
interface Origins { name: string; at?: string; noticed?: string; none: number | null; explained: boolean; items: Origin[]; unexplained: string[]; candidates: number; seconds: number }

const at = (time: string | undefined): string => (time === undefined ? text.unknown : formatMoment(Date.parse(time)));

const short = (x: number, digits: number): string => formatNumber(Number(x.toPrecision(digits)));

function What({ thing }: { thing: Thing }) {
  const size = thing.size === undefined || thing.size === null ? "" : ` ${short(thing.size, 4)}${thing.deviation === undefined || thing.deviation === null ? "" : ` ± ${short(thing.deviation, 2)}`}`;
  return <><button type="button" class="link" onClick={() => select(thing.twin)}>{thing.twin}</button> <strong>{thing.failure ?? thing.mode}</strong> <span class="dim">{text.kinds[thing.kind]}{size}{thing.text !== undefined && ` · ${thing.text}`}</span></>;
}

function Item({ origin, rank }: { origin: Origin; rank: number }) {
  return (
    <li class="order" data-origin={origin.twin} data-rank={rank}>
      <div class="toolbar">
        <span>{rank}.</span> <strong class="number">{chanceText(origin.probability)}</strong> <What thing={origin} /> {origin.with !== undefined && <>{text.and} <What thing={origin.with} /></>}
        <span class="spacer" />
        <button type="button" class="button" onClick={() => { fault.value = origin.twin; select(origin.twin); }}>{text.follows}</button>
      </div>
      <p class="dim">{text.since(at(origin.since))}{origin.sinceLow !== undefined && origin.sinceHigh !== undefined && origin.sinceLow !== origin.sinceHigh && ` (${at(origin.sinceLow)} – ${at(origin.sinceHigh)})`}</p>
      {origin.explains.length > 0 && <p>✓ {text.explains} {origin.explains.map((e) => `${e.alarm} (${text.by[e.by]}${e.after === undefined || e.after === null ? "" : `, ${formatSpan(e.after)}`})`).join(", ")}</p>}
      {origin.missing.length > 0 && <p class="verdict-warn">− {text.missing} {origin.missing.map((m) => `${m.alarm} (${chanceText(m.probability)})`).join(", ")}</p>}
    </li>
  );
}

export function OriginsSection() {
  const [found, setFound] = useState<Origins | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const look = () => {
    stop.current?.abort();
    const mine = (stop.current = new AbortController());
    setBusy(true);
    get<Origins>(`/v1/origins${moment.value === null ? "" : `?until=${encodeURIComponent(new Date(moment.value).toISOString())}`}`, mine.signal)
      .then((o) => { setFound(o); setError(null); }, (e: Error) => { if (!mine.signal.aborted) { setError(e.message); setFound(null); } })
      .finally(() => { if (stop.current === mine) setBusy(false); });
  };
  return (
    <section data-testid="origins">
      <div class="toolbar"><h2>{text.title}</h2> <span class="spacer" /> <button type="button" class="button" data-testid="origins-find" disabled={busy} onClick={look}>{busy ? text.looking : text.find}</button></div>
      {error !== null ? <p class="refusal" role="alert">{error}</p> : found === null ? <p class="dim">{busy ? text.looking : text.hint}</p> : (
        <>
          <p class="dim">{text.about(found.name, at(found.at), found.candidates, formatNumber(Math.round(found.seconds * 10) / 10))}{found.none !== null && ` ${text.none(chanceText(found.none))}`}</p>
          {found.items.length === 0 ? <p class="dim">{text.nothing}</p> : <ol class="plain-list">{found.items.map((o, i) => <Item key={i} origin={o} rank={i + 1} />)}</ol>}
          {!found.explained && found.items.length > 0 && <p class="verdict-warn">⚠ {text.notExplained}</p>}
          {found.unexplained.length > 0 && <p class="verdict-warn">⚠ {text.unexplained} {found.unexplained.join(", ")}</p>}
        </>
      )}
    </section>
  );
}
