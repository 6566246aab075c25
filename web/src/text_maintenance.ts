// Every sentence about planned maintenance.
const few = (n: number, one: string, many: string): string => (n === 1 ? `1 ${one}` : `${n.toLocaleString("en")} ${many}`);

export const maintenanceText = {
  title: "Maintenance windows", entry: "What is planned", loading: "Loading…", from: "Fleet: remaining life →",
  none: "This plant plans no maintenance: it has no rules/*.maintenance (docs/maintenance.md).",
  never: "No plan has been made since the server was started. Ask for one below.", made: (when: string, took: string) => `Made ${when} in ${took}.`,
  status: {
    optimal: "The best there is, to within the gap.", outOfTime: "The search ended with its time: a better plan may be possible.", infeasible: "No plan keeps all limits.", nothing: "The time was over before there was a plan.",
  },
  cost: "Expected cost", bound: (b: string) => `no plan can cost less than ${b}`, planned: (n: number, of: number) => `${n.toLocaleString("en")} of ${few(of, "asset has", "assets have")} a window`,
  later: (n: number) => `${few(n, "is", "are")} left to the next plan`, alwaysNow: "Plans are as they were last made: the page's time does not change them.",
  form: {
    title: "Make a new plan…", timeLimit: "Search at most", gap: "Good enough within", lanes: "Futures to compare in", now: "As if it were", make: "Make a plan", making: "Being made…",
    hint: (seconds: string, gap: string, lanes: string) => `Left empty: as the file has it (${seconds}, ${gap} %, ${lanes} futures), and from now.`, seconds: "s", percent: "%",
    progress: (percent: number) => `${percent} % of the time limit is over`,
  },
  chart: {
    label: "Assets and their windows", asset: "Asset", risk: "Fails before", order: "Order", orders: { window: "by window", left: "by life left", risk: "by risk", twin: "by name" },
    find: "Find", findWhat: "Part of an asset's name or of its work", nothing: "No asset fits.", shown: (n: number, of: number) => (n === of ? few(n, "asset", "assets") : `${n.toLocaleString("en")} of ${few(of, "asset", "assets")}`),
    legend: { alone: "where it would be cheapest alone", left: "life left: middle, and 5 to 95 %", beyond: "beyond the last window", ordered: "ordered", now: "now" },
    later: "left to the next plan", letter: (letter: string, work: string) => `${letter} ${work}`,
    row: (twin: string, work: string, when: string, fails: string, left: string) => `${twin}: ${work}, ${when}; fails before with ${fails}; life left ${left}`,
    between: (from: string, to: string) => `from ${from} to ${to}`, left: (middle: string, low: string, high: string) => `${middle} (${low} to ${high})`,
    keys: "Arrow keys, Page up and down, Home and End lead through the rows; Enter tells more of one.",
  },
  crews: {
    title: "Crews", peak: (busy: string, size: string) => `most ${busy} of ${size}`, label: (name: string, busy: string, size: string) => `${name}: at most ${busy} of ${size} are taken at a time`,
    kept: (most: string, windows: number, from: string) => `Each where it is cheapest alone, jobs would take up to ${most} and too many in ${few(windows, "window", "windows")}, first from ${from}.`,
    legend: { busy: "taken", size: "there", alone: "would be taken alone" }, free: "Alone, jobs would not take too many either.",
  },
  redundancy: {
    title: "Standing in for each other", peak: (out: string, most: string) => `most ${out} of ${most}`, label: (name: string, members: number, out: number) => `${name}: ${few(members, "asset", "assets")}, at most ${out} out at a time`,
    kept: (windows: number, most: number, out: number, from: string) => `✓ Conflicts avoided in ${few(windows, "window", "windows")}: each where it is cheapest alone, up to ${most} would be out at once, first from ${from}; at most ${out} may be.`,
    free: "No conflict to avoid: alone, too many would never be out at once either.",
  },
  job: {
    cost: "Expected cost", fails: "Fails before", failure: "A failure costs", stops: (cost: string, impact: string, n: number) => `${cost}, ${impact} of it as ${few(n, "other stops", "others stop")}`, wastes: "Life thrown away", left: "Life left", prediction: "Known from", window: "Window", groups: "Stands in for", life: "its age and the life of its kind",
    known: { life: "its age and the life of its kind", properties: "predictions in its properties", model: "a trained model", wear: "wear by physics" } as { [from: string]: string },
    shifted: (from: string) => `Alone it would be cheapest from ${from}.`, aloneLater: "Alone it would be cheapest left to the next plan.", go: "Look at it", close: "Close", at: (when: string) => `as of ${when}`,
  },
  order: {
    one: "Order it…", all: (n: number) => `Order all ${n.toLocaleString("en")}…`, really: (work: string, twin: string, from: string) => `Open a work order: ${work}, ${twin}, ${from}?`,
    reallyAll: (n: number) => `Open ${few(n, "work order", "work orders")}, one for each job that has a window and is not ordered yet?`, send: "Open the order", sendAll: "Open them", back: "Back",
    done: (opened: number, there: number) => `${few(opened, "work order", "work orders")} opened${there > 0 ? `, ${there.toLocaleString("en")} were there already` : ""}.`,
    is: (id: string, state: string) => `✓ Work order ${id} (${state})`, look: "Work orders →", nothing: "Everything that has a window is ordered.",
  },
  policies: {
    title: "Compared with other policies", about: (lanes: string, span: string) => `The same ${lanes} futures of ${span} under each policy.`, names: { plan: "This plan", fixedInterval: "At a fixed age", runToFailure: "Run to failure" },
    columns: { policy: "Policy", cost: "Cost", spread: "Single futures", more: "More than the plan", failures: "Failures", jobs: "Jobs", available: "Available" },
    pm: (mean: string, half: string) => `${mean} ± ${half}`, spread: (sd: string) => `± ${sd}`, none: "Nothing was compared: the plan was made with 0 futures.",
    hint: "Cost is the mean and half of the interval that holds the true one 19 times in 20 (dark in the picture); single futures lie about so far from it (one standard deviation, light).",
  },
} as const;
