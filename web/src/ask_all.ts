// A query with all its pages.
import { api, type Document } from "./api";

/** At a moment a question is about then, unless it says itself of when it is. */
export function dated(query: string, at: number | null): string {
  const plain = query.trim().replace(/;\s*$/, "");
  return at === null || /\bAS\s+OF\b/i.test(plain) ? plain : `${plain} AS OF '${new Date(at).toISOString()}'`;
}

/** The rows up to `most`; more: there are further ones. */
export async function queryAll(query: string, most: number, stop?: AbortSignal): Promise<{ rows: Document[]; more: boolean }> {
  const rows: Document[] = [];
  let token: string | undefined;
  do {
    const page = await api.query(query, token, stop);
    rows.push(...page.value);
    token = page.continuationToken;
  } while (token !== undefined && rows.length < most);
  return { rows, more: token !== undefined };
}
