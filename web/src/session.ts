// Who is asking: the token, while access is required. It lives in this tab (sessionStorage) and nowhere else.
import { signal } from "@preact/signals";

const KEY = "gemel.token";

export const token = signal<string>(sessionStorage.getItem(KEY) ?? "");
/** Why the server wants a token (another one); null: it does not. */
export const tokenWanted = signal<string | null>(null);

export function signIn(text: string): void {
  sessionStorage.setItem(KEY, text);
  token.value = text;
  tokenWanted.value = null;
}

export function signOut(): void {
  sessionStorage.removeItem(KEY);
  token.value = "";
}

/** fetch with the token; an answer of 401 makes the page ask for one. */
export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const sent = token.value;
  const headers = new Headers(init.headers);
  if (sent !== "") headers.set("authorization", `Bearer ${sent}`);
  const reply = await fetch(path, { ...init, headers });
  // Of another token than now: the answer is about somebody who has left.
  if (reply.status === 401 && sent === token.value) tokenWanted.value = sent === "" ? "" : "refused";
  return reply;
}
