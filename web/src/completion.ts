// What may stand where the caret is in a query: keywords, and the names that the plant's models know.
import { api, type Document, type Json, type Model } from "./api";

const KEYWORDS = ["SELECT", "FROM", "DIGITALTWINS", "RELATIONSHIPS", "WHERE", "MATCH", "JOIN", "RELATED", "AND", "OR", "NOT", "IN", "ORDER BY", "GROUP BY",
  "LIMIT", "OFFSET", "AS OF", "COUNT()", "AVG(", "SUM(", "MIN(", "MAX(", "TOP(", "EXPLAIN", "DESC", "IS_OF_MODEL(", "IS_DEFINED(", "IS_NUMBER(",
  "STARTSWITH(", "ENDSWITH(", "CONTAINS("];

export interface Vocabulary {
  models: string[];
  properties: string[]; // paths with dots: motor.temperature
  relationships: string[];
}

const list = (x: Json | undefined): Json[] => (Array.isArray(x) ? x : x === undefined || x === null ? [] : [x]);
const isA = (d: Document, kind: string): boolean => list(d["@type"]).includes(kind);

/** The names in the definitions of models; those of components with the component before them. */
export function vocabulary(models: readonly Model[]): Vocabulary {
  const byId = new Map(models.map((m) => [m.id, m.model as Document]));
  const properties = new Set<string>(["$dtId", "$metadata.$model", "$metadata.$lastUpdateTime"]), relationships = new Set<string>();
  const walk = (definition: Document | undefined, prefix: string, depth: number) => {
    for (const content of list(definition?.["contents"]) as Document[]) {
      const name = `${prefix}${String(content["name"])}`;
      if (isA(content, "Property") || isA(content, "Telemetry")) properties.add(name);
      else if (isA(content, "Relationship")) relationships.add(String(content["name"]));
      else if (isA(content, "Component") && depth < 3 && typeof content["schema"] === "string") walk(byId.get(content["schema"]), `${name}.`, depth + 1);
    }
  };
  for (const m of models) walk(byId.get(m.id), "", 0);
  return { models: models.map((m) => m.id).sort(), properties: [...properties].sort(), relationships: [...relationships].sort() };
}

let asked: Promise<Vocabulary> | null = null;
/** Read once for the page; a failure is asked again next time. */
export function askVocabulary(): Promise<Vocabulary> {
  asked ??= api.models().then(vocabulary);
  asked.catch(() => (asked = null));
  return asked;
}

export interface Completion {
  from: number; // where in the text the word begins that is replaced
  words: string[];
}

const MOST = 12;

export function complete(text: string, caret: number, known: Vocabulary): Completion {
  const before = text.slice(0, caret);
  const pick = (from: number, typed: string, words: readonly string[]): Completion => ({
    from,
    words: words.filter((w) => w.toLowerCase().startsWith(typed.toLowerCase()) && w !== typed).slice(0, MOST),
  });
  const quoted = /['"]([^'"]*)$/.exec(before);
  if (quoted !== null && (before.match(/'/g)?.length ?? 0) % 2 === 1) return pick(caret - quoted[1]!.length, quoted[1]!, known.models);
  const relation = /(?:\[\w*:|\|)(\w*)$/.exec(before) ?? /RELATED\s+\w+\.(\w*)$/i.exec(before);
  if (relation !== null) return pick(caret - relation[1]!.length, relation[1]!, known.relationships);
  const path = /\b[A-Za-z_]\w*\.([\w.$]*)$/.exec(before);
  if (path !== null) return pick(caret - path[1]!.length, path[1]!, known.properties);
  const word = /[A-Za-z_$][\w$]*$/.exec(before)?.[0] ?? "";
  return word === "" ? { from: caret, words: [] } : pick(caret - word.length, word, [...KEYWORDS, ...known.properties]);
}
