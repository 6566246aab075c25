// Gathers what happened when, on a thread of its own: the answers may be long, and the page has to stay answerable.
export const KINDS = ["alarm", "anomaly", "letter"] as const;
export type Kind = (typeof KINDS)[number];

/** In order of time, a row each; twins are indexes of names, and the name of number 0 is that of no twin. */
export interface Marks {
  times: Float64Array; // ms since 1970
  kinds: Uint8Array; // indexes of KINDS
  twins: Uint32Array;
  names: readonly string[];
}
export interface Wanted { token: string }

interface Item { twin?: string; raised?: string; changed?: string; start?: string; time?: string }
const SOURCES: readonly [Kind, string][] = [["alarm", "/v1/alarms?limit=1000&all=true"], ["anomaly", "/v1/anomalies?limit=1000"], ["letter", "/v1/dead-letters?limit=1000"]];

async function read(path: string, token: string): Promise<Item[]> {
  try {
    const reply = await fetch(path, token === "" ? {} : { headers: { authorization: `Bearer ${token}` } });
    return reply.ok ? ((await reply.json()) as { items: Item[] }).items : [];
  } catch {
    return []; // what can not be asked marks nothing; the page says itself that it is cut off
  }
}

export function marksOf(lists: readonly (readonly [Kind, readonly Item[]])[]): Marks {
  const rows: { at: number; kind: number; twin: number }[] = [], numbers = new Map<string, number>(), names = [""];
  for (const [kind, items] of lists)
    for (const item of items) {
      const at = Date.parse(item.raised ?? item.start ?? item.time ?? item.changed ?? "");
      if (Number.isNaN(at)) continue;
      let twin = item.twin === undefined ? 0 : numbers.get(item.twin);
      if (twin === undefined) { twin = names.push(item.twin!) - 1; numbers.set(item.twin!, twin); }
      rows.push({ at, kind: KINDS.indexOf(kind), twin });
    }
  rows.sort((a, b) => a.at - b.at);
  return { times: Float64Array.from(rows, (r) => r.at), kinds: Uint8Array.from(rows, (r) => r.kind), twins: Uint32Array.from(rows, (r) => r.twin), names };
}

self.onmessage = async (message: MessageEvent<Wanted>) => {
  const { token } = message.data;
  const marks = marksOf(await Promise.all(SOURCES.map(async ([kind, path]) => [kind, await read(path, token)] as const)));
  (self as unknown as Worker).postMessage(marks, [marks.times.buffer, marks.kinds.buffer, marks.twins.buffer]);
};
