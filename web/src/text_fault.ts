// Every sentence about faults: what follows from one, and where one came from.
export const faultText = {
  title: "If it fails", ask: (id: string) => `What if ${id} fails?`, off: "Put it out", lit: (id: string) => `Lit up: what follows if ${id} fails.`, has: (id: string) => `${id} has failed already.`, asking: "Thinking it through…",
  nowOnly: "This is about now: the page's time does not change it.", hint: "From the failure modes and needs that the models declare (docs/reliability.md).",
  kinds: { failed: "fails", stops: "stops", degrades: "is degraded", risk: "at risk" }, legend: { failed: "the failed one", stops: "stops", degrades: "is degraded", risk: "one more failure away" },
  atOnce: (what: string) => `${what} at once`, after: (what: string, span: string) => `${what} after ${span}`, noChance: "–",
  counts: (stops: number, degraded: number, risk: number) => `${stops === 1 ? "1 twin stops" : `${stops.toLocaleString("en")} twins stop`}, ${degraded.toLocaleString("en")} ${degraded === 1 ? "is" : "are"} degraded, ${risk.toLocaleString("en")} ${risk === 1 ? "is" : "are"} one more failure away from stopping.`,
  within: (span: string) => `within ${span}`, cost: (c: string) => `Cost: ${c}`, riskCost: (c: string) => `expected of what is at risk: ${c}`, standing: (n: number) => (n === 1 ? "1 twin has stopped already" : `${n.toLocaleString("en")} twins have stopped already`),
  nothing: "Nothing else is hit: no other twin needs it.", columns: { twin: "Twin", what: "What happens", via: "Because of", along: "Along", chance: "Probability", otherwise: "Without the failure", cost: "Cost", need: "Needs" },
  redundancy: "Redundancy that is left", noRedundancy: "No need is met with less than before.", spare: (n: number) => (n === 0 ? "none may fail" : `${n} may fail yet`), works: (w: number, of: number, k: number) => `${w} of ${of} work, ${k} needed`, next: (names: string) => `one too many: ${names}`,
  graph: "Show it in the graph", scene: "Show it in 3D", list: "Show the list", more: "There are more than are shown.", why: (why: string) => `Probabilities are missing: ${why}.`,
  offPath: (id: string) => `${id} is not on the path of the fault.`, cut: (n: number) => `${n.toLocaleString("en")} more are hit and not drawn.`,
} as const;
export const originsText = {
  title: "What broke?", find: "Find what broke", looking: "Looking for it…", hint: "Holds the measurements and the alarms that stand against everything that may have broken, each as a fault of the model (docs/root-cause.md). It takes seconds.",
  kinds: { fault: "fault", offset: "a sensor that is off", frozen: "a sensor that stands still" }, unknown: "an unknown time", since: (t: string) => `since ${t}`, and: "and", follows: "What follows",
  explains: "Explains:", by: { itself: "its own", needs: "by what is needed", physics: "by the model" }, missing: "Should show, too, and does not:", unexplained: "Explained by none of them:", notExplained: "None of them explains all that was measured.",
  about: (name: string, at: string, n: number, s: string) => `By the estimate “${name}”, up to ${at}: ${n.toLocaleString("en")} candidates in ${s} s.`, none: (p: string) => `Nothing broke: ${p}.`, nothing: "Nothing is found to have broken.",
} as const;
