// Where the facts of a life stand on its ribbon: marks on a line for each phase, merged where they would cover each other.
import { PHASES, type Fact, type Phase } from "./life_api";
import { ticksOf, type Tick } from "./ticks";

export interface Mark { at: number; facts: Fact[] } // share of the ribbon's width, 0 to 1
export interface Lane { phase: Phase; marks: Mark[]; band: { from: number; to: number } | null }
export interface Ribbon { start: number; end: number; lanes: Lane[]; ticks: Tick[] }

const NEAR = 0.028, MARGIN = 0.03;

const beginOf = (f: Fact): number | null => (f.from === undefined ? null : Date.parse(f.from));
const endOf = (f: Fact): number | null => (f.to === undefined ? null : Date.parse(f.to));

function marksOf(facts: readonly Fact[], at: (t: number) => number, start: number): Mark[] {
  const marks: Mark[] = [];
  for (const f of facts) {
    const x = at(beginOf(f) ?? start), last = marks[marks.length - 1];
    if (last !== undefined && x - last.at < NEAR) last.facts.push(f);
    else marks.push({ at: x, facts: [f] });
  }
  return marks;
}

/** The ribbon from the first beginning to now, or to what is planned. */
export function ribbonOf(facts: readonly Fact[], now: number, moment: number | null): Ribbon {
  const begins = facts.map(beginOf).filter((t): t is number => t !== null), ends = facts.map(endOf).filter((t): t is number => t !== null && t <= now);
  const first = Math.min(now, moment ?? now, ...begins), last = Math.max(now, moment ?? now, ...begins, ...ends);
  const room = Math.max((last - first) * MARGIN, 60e3), start = first - room, end = last + room;
  const at = (t: number) => Math.min(1, Math.max(0, (t - start) / (end - start)));
  const lanes = PHASES.map((phase): Lane => {
    const here = facts.filter((f) => f.phase === phase).sort((a, b) => (beginOf(a) ?? -Infinity) - (beginOf(b) ?? -Infinity));
    if (here.length === 0) return { phase, marks: [], band: null };
    const over = here.every((f) => f.to !== undefined) ? Math.max(...here.map((f) => endOf(f)!)) : end;
    return { phase, marks: marksOf(here, at, start), band: { from: at(beginOf(here[0]!) ?? start), to: at(over) } };
  });
  return { start, end, lanes, ticks: ticksOf(start, end) };
}
