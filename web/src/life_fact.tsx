// How a fact reads: its value with unit and tolerance, its times, who said it.
import { useState } from "preact/hooks";
import { download } from "./download";
import { formatMoment, formatNumber, formatValue } from "./format";
import { life, type Fact, type Said } from "./life_api";
import { lifeText as text } from "./text_life";
import { select } from "./view";

export function sizeText(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${formatNumber(Math.round(bytes / 100) / 10)} kB` : `${formatNumber(Math.round(bytes / 1e5) / 10)} MB`;
}

/** As plain text, for titles, filters and CSV. */
export function saidText(s: Said): string {
  if (s.part !== undefined) return `${s.quantity === undefined ? "" : `${text.bom.times(formatNumber(s.quantity))} `}${s.part}${s.position === undefined ? "" : ` ${text.fact.at(s.position)}`}`;
  if (s.document !== undefined) return `${s.document.name ?? s.document.hash.slice(0, 12)} (${sizeText(s.document.size)})`;
  if (s.value === null || s.value === undefined) return text.fact.takenBack;
  const unit = s.unit === undefined ? "" : ` ${s.unit}`;
  const limits = s.min === undefined && s.max === undefined ? "" : ` [${s.min ?? "−∞"} … ${s.max ?? "∞"}]`;
  return `${formatValue(s.value)}${unit}${limits}`;
}

/** A midnight is a day. */
export function momentText(at: string | undefined, absent: string): string {
  return at === undefined ? absent : formatMoment(Date.parse(at)).replace(/,? 00:00:00$/, "");
}

/** Fetched with the token, so it can not be a plain link. */
function DocumentLink({ twin, document }: { twin: string; document: NonNullable<Said["document"]> }) {
  const [error, setError] = useState<string | null>(null);
  const name = document.name ?? document.hash.slice(0, 12);
  const fetchIt = () => void life.document(twin, document.hash).then((b) => { setError(null); download(name, b); }, (e: Error) => setError(e.message));
  return (
    <>
      <button type="button" class="link" data-testid={`document-${name}`} title={document.mediaType} onClick={fetchIt}>⤓ {text.list.get(name, sizeText(document.size))}</button>
      {error !== null && <span class="refusal" role="alert"> {error}</span>}
    </>
  );
}

export function SaidView({ twin, said }: { twin: string; said: Said }) {
  if (said.document !== undefined) return <DocumentLink twin={twin} document={said.document} />;
  if (said.part !== undefined) {
    const part = said.part;
    return (
      <>
        {said.quantity !== undefined && `${text.bom.times(formatNumber(said.quantity))} `}
        <button type="button" class="link" onClick={() => select(part)}>{part}</button>
        {said.position !== undefined && ` ${text.fact.at(said.position)}`}
      </>
    );
  }
  return <>{saidText(said)}</>;
}

export function FactCard({ fact, holds, out }: { fact: Fact; holds: boolean; out: boolean }) {
  const t = text.fact;
  return (
    <li class={holds ? "fact holds" : "fact"} data-fact={fact.key}>
      <div class="toolbar"><strong>{fact.key}</strong> <span><SaidView twin={fact.twin} said={fact} /></span>
        {out && <span class="refusal">✗ {text.outOf}</span>} <span class="dim">{holds ? `✓ ${text.holds}` : `○ ${text.holdsNot}`}</span></div>
      <dl class="facts">
        {([[t.phase, text.phases[fact.phase]], [t.valid, `${momentText(fact.from, text.always)} – ${momentText(fact.to, text.furtherNotice)}`], [t.known, momentText(fact.known, t.nobody)],
           [t.by, fact.author ?? t.nobody], [t.why, fact.cause ?? t.nobody]] as const).map(([name, what]) => <div key={name}><dt>{name}</dt><dd>{what}</dd></div>)}
      </dl>
    </li>
  );
}
