// Rules in force and how they stand; when one of them, or a new one, would have fired over history.
import { useState } from "preact/hooks";
import { acts, type Rule, type RuleTest } from "./act_api";
import { formatMoment } from "./format";
import { now, principal } from "./live";
import { text as common } from "./text";
import { actText as text } from "./text_act";
import { useRegularly } from "./use_regularly";
import { moment, select, show } from "./view";

const SPANS: [string, number][] = [["1 h", 3600e3], ["24 h", 86400e3], ["7 d", 7 * 86400e3], ["30 d", 30 * 86400e3]];
const SHOWN = 200;

function Firings({ test }: { test: RuleTest }) {
  const look = (twin: string, at: string) => { select(twin); show("twin"); moment.value = Date.parse(at); };
  const on = test.firings.filter((f) => f.turn === "on").length;
  return (
    <div data-testid="rule-result">
      <p><strong>{text.rules.would(on + test.leftOut)}</strong> <span class="dim">{text.rules.looked(test.samples, test.instances)}</span></p>
      <ul class="plain-list firings">
        {test.firings.slice(0, SHOWN).map((f, i) => <li key={i}><button type="button" class="link" onClick={() => look(f.twin, f.at)}>{formatMoment(Date.parse(f.at))}</button> {f.twin} <strong>{f.rule}</strong> {text.rules.turn[f.turn] ?? f.turn}</li>)}
      </ul>
      {test.firings.length + test.leftOut > SHOWN && <p class="dim">{text.rules.more(test.firings.length + test.leftOut - SHOWN)}</p>}
    </div>
  );
}

function DryRun({ rule, begin }: { rule: string | null; begin: string }) {
  const [span, setSpan] = useState(86400e3), [typed, setTyped] = useState(begin), [busy, setBusy] = useState(false);
  const [test, setTest] = useState<RuleTest | string | null>(null);
  const may = principal.value === null || principal.value.role === "engineer" || principal.value.role === "admin";
  const run = () => {
    const to = now.peek();
    setBusy(true);
    setTest(null);
    // As it stands it goes by its name; changed, its text is tried.
    acts.ruleTest({ ...(rule !== null && typed === begin ? { rule } : { text: typed }), from: new Date(to - span).toISOString(), to: new Date(to).toISOString() })
      .then(setTest, (e: Error) => setTest(e.message)).finally(() => setBusy(false));
  };
  return (
    <div class="panel act" data-testid="dry-run">
      <textarea rows={6} class="rule-text" value={typed} aria-label={text.rules.text} data-testid="rule-text" onInput={(e) => setTyped(e.currentTarget.value)} />
      <div class="toolbar">
        <label>{text.rules.over} <select value={span} data-testid="rule-span" onChange={(e) => setSpan(Number(e.currentTarget.value))}>{SPANS.map(([label, ms]) => <option key={label} value={ms}>{label}</option>)}</select></label>
        <button type="button" class="button main" data-testid="rule-run" disabled={busy || !may || typed.trim() === ""} onClick={run}>{text.rules.run}</button>
        <span class="dim">{busy ? text.rules.running : may ? text.rules.hint : text.setup.engineers}</span>
      </div>
      {typeof test === "string" ? <p class="refusal" role="alert">{test}</p> : test !== null && <Firings test={test} />}
    </div>
  );
}

function RuleRow({ rule }: { rule: Rule }) {
  const [open, setOpen] = useState(false);
  const fires = rule.kind === "rule" || rule.kind === "watchdog";
  return (
    <li class="order" data-testid={`rule-${rule.name}`}>
      <div class="toolbar">
        <span class="chip tag">{text.rules.kinds[rule.kind]}</span> <strong>{rule.name}</strong> <span class="dim">{rule.file}:{rule.line}</span>
        {fires && <span class={(rule.on ?? 0) > 0 ? "quality warn" : "dim"}>{text.rules.stands(rule.twins ?? 0, rule.on ?? 0, rule.suppressed ?? 0, rule.firings ?? 0)}</span>}
        <span class="spacer" />
        <button type="button" class="button" data-testid={`open-${rule.name}`} aria-expanded={open} onClick={() => setOpen(!open)}>{fires ? text.rules.dry : text.rules.read}</button>
      </div>
      {open && (fires ? <DryRun rule={rule.name} begin={rule.text} /> : <pre class="panel">{rule.text}</pre>)}
    </li>
  );
}

export function Rules() {
  const { value, error } = useRegularly((stop) => acts.rules(stop), 3000);
  const [fresh, setFresh] = useState(false);
  return (
    <section>
      <div class="toolbar">
        <h2>{text.rules.title}</h2>
        <span class="spacer" />
        <button type="button" class="button" data-testid="rule-new" aria-expanded={fresh} onClick={() => setFresh(!fresh)}>{text.rules.fresh}</button>
      </div>
      {fresh && <DryRun rule={null} begin={text.rules.example} />}
      {error !== null && <p class="refusal" role="alert">{common.loadFailed(error)}</p>}
      {value !== null && value.length === 0 && <p class="dim">{text.rules.none}</p>}
      <ul class="plain-list">{(value ?? []).map((r) => <RuleRow key={`${r.file}${r.line}${r.name}`} rule={r} />)}</ul>
    </section>
  );
}
