// Why an alarm was raised: the condition of its rule, the values that it speaks of as they are now, and the way to a plot of them.
import { useEffect, useState } from "preact/hooks";
import { acts, type Rule } from "./act_api";
import { api, type Alarm, type Twin, type Value } from "./api";
import { canPlot, formatValue } from "./format";
import { actText as text } from "./text_act";
import { moment, plotted, select, show } from "./view";

const KEPT_MS = 30000; // rules seldom change
let rules: { at: number; list: Promise<Rule[]> } | null = null;

function allRules(): Promise<Rule[]> {
  if (rules === null || performance.now() - rules.at > KEPT_MS) rules = { at: performance.now(), list: acts.rules() };
  return rules.list;
}

/** What stands between "when" and the first "then" of a rule: what it asks for. */
export function conditionOf(rule: string): string {
  return /\bwhen\b\s*([\s\S]*?)(?=\n?\s*\bthen\b|$)/.exec(rule)?.[1]?.trim().replace(/\s+/g, " ") ?? "";
}

/** The values of a twin that a condition speaks of, by the alias of its rule: "P.motor.vibration" is motor/vibration. */
export function valuesIn(condition: string, rule: string, twin: Twin): Value[] {
  const alias = /\bFROM\s+DIGITALTWINS\s+(\w+)/i.exec(rule)?.[1] ?? "";
  const named = new Set([...condition.matchAll(/\b(\w+)\.([\w.]+)/g)].filter((m) => m[1] === alias).map((m) => m[2]!.replace(/\./g, "/")));
  return twin.values.filter((v) => named.has(v.path));
}

interface Why { condition: string; values: Value[] }

async function whyOf(alarm: Alarm, stop?: AbortSignal): Promise<Why> {
  const [list, twin] = await Promise.all([allRules(), api.twin(alarm.twin, stop)]);
  const rule = list.find((r) => r.name === (alarm.cause?.rule ?? alarm.name));
  const condition = rule === undefined ? "" : conditionOf(rule.text);
  return { condition, values: rule === undefined ? [] : valuesIn(condition, rule.text, twin) };
}

/** The alarm's twin with a plot of what raised it; at a moment, or live. */
export function lookAt(alarm: Alarm, at: number | null): void {
  void whyOf(alarm).then((w) => w.values.filter(canPlot).map((v) => v.path), () => []).then((paths) => {
    select(alarm.twin);
    if (paths.length > 0) plotted.value = paths;
    show("twin");
    moment.value = at;
    requestAnimationFrame(() => document.querySelector(".plot")?.scrollIntoView({ block: "nearest" }));
  });
}

const EVERY_MS = 2000;

export function WhyRaised({ alarm }: { alarm: Alarm }) {
  const [why, setWhy] = useState<Why | null>(null);
  useEffect(() => {
    const stop = new AbortController(), look = () => whyOf(alarm, stop.signal).then(setWhy, () => undefined); // who may not see rules sees the alarm's own words
    void look();
    const timer = window.setInterval(() => void look(), EVERY_MS);
    return () => { stop.abort(); window.clearInterval(timer); };
  }, [alarm.id]);
  if (why === null || why.condition === "") return null;
  return (
    <p class="why" data-testid="why-raised">
      <span class="dim">{text.why.raisedWhen}</span> <code title={`${alarm.cause?.file ?? ""}:${alarm.cause?.line ?? ""}`}>{why.condition}</code>
      {why.values.length > 0 && <> <span class="dim">{text.why.now}</span> {why.values.map((v) => <strong key={v.path}>{v.displayName} {v.value === null ? "–" : formatValue(typeof v.value === "number" ? Number(v.value.toPrecision(4)) : v.value)} {v.symbol ?? v.unit ?? ""} </strong>)}</>}
    </p>
  );
}
