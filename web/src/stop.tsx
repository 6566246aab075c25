// The emergency stop: in reach on every view, with a reason; and the word, while everything is stopped.
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { acts, type Control } from "./act_api";
import { principal } from "./live";
import { followArmed } from "./beats";
import { connection } from "./stream";
import { actText as text } from "./text_act";
import { token } from "./session";

const EVERY_MS = 3000;
export const control = signal<Control | null>(null); // null: not known, or this server controls nothing

export async function refreshControl(): Promise<void> {
  if (connection.peek() !== "live") return;
  const found = await acts.control().catch(() => null);
  control.value = found;
  if (found !== null) followArmed(found.armed);
}

const mayStop = (): boolean => principal.value !== null && principal.value.role !== "reader";

interface ReasonProps { action: "stop" | "resume"; label: string; given: string; close: () => void }
function Reason({ action, label, given, close }: ReasonProps) {
  const [reason, setReason] = useState(given), [error, setError] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  const send = () => acts.controlAct(action, { reason: reason.trim() }).then((c) => { control.value = c; close(); }, (e: Error) => setError(e.message));
  return (
    <form class="stop-form" onSubmit={(e) => { e.preventDefault(); if (reason.trim() !== "") void send(); }} onKeyDown={(e) => { if (e.key === "Escape") close(); }}>
      <label>{text.stop.reason} <input ref={field} required value={reason} data-testid={`${action}-reason`} onInput={(e) => setReason(e.currentTarget.value)} /></label>
      <button type="submit" class={action === "stop" ? "button stop" : "button main"} data-testid={`${action}-now`}>{label}</button>
      <button type="button" class="button" onClick={close}>{text.stop.cancel}</button>
      {error !== null && <span class="refusal" role="alert">{error}</span>}
    </form>
  );
}

export function Stop() {
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    void refreshControl();
    const timer = window.setInterval(() => void refreshControl(), EVERY_MS);
    return () => window.clearInterval(timer);
  }, [connection.value, token.value]);
  if (control.value === null || control.value.stopped) return null;
  if (asked) return <Reason action="stop" label={text.stop.really} given={text.stop.given} close={() => setAsked(false)} />;
  return <button type="button" class="button stop" data-testid="stop" disabled={!mayStop()} title={mayStop() ? text.stop.what : text.stop.mayNot} onClick={() => setAsked(true)}>■ {text.stop.button}</button>;
}

export function Stopped() {
  const [asked, setAsked] = useState(false);
  const c = control.value;
  if (c === null || !c.stopped) return null;
  return (
    <div class="banner stopped" role="alert" data-testid="stopped">
      ■ {text.stop.stopped(c.stoppedBy ?? "", c.reason ?? "")}
      {asked ? <Reason action="resume" label={text.stop.resumeIt} given="" close={() => setAsked(false)} />
        : mayStop() && <button type="button" class="button" data-testid="resume" onClick={() => setAsked(true)}>{text.stop.resume}</button>}
    </div>
  );
}
