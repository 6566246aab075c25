// Server-sent events over fetch: an EventSource can not carry a token.
import { ask } from "./session";

export interface ServerEvent {
  name: string;
  data: string;
}

/** Calls `each` for every event until the stream ends; rejects when it breaks or is refused. */
export async function readEvents(path: string, signal: AbortSignal, each: (event: ServerEvent) => void): Promise<void> {
  const reply = await ask(path, { headers: { accept: "text/event-stream" }, signal, cache: "no-store" });
  if (!reply.ok || reply.body === null) throw new Error(`${reply.status} ${reply.statusText}`);
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
      const block = rest.slice(0, end);
      rest = rest.slice(end + 2);
      const event = { name: "message", data: "" };
      for (const line of block.split("\n")) {
        if (line.startsWith("event: ")) event.name = line.slice(7);
        else if (line.startsWith("data: ")) event.data += line.slice(6);
      }
      if (event.data !== "") each(event);
    }
  }
}
