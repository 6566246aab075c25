// An answer of the server that is asked for again and again while it is looked at.
import { useEffect, useState } from "preact/hooks";
import { token } from "./session";
import { connection } from "./stream";

export interface Asked<T> {
  value: T | null;
  error: string | null;
  again: () => void;
}

export function useRegularly<T>(ask: (stop: AbortSignal) => Promise<T>, everyMs: number, about: readonly unknown[] = []): Asked<T> {
  const [value, setValue] = useState<T | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    let waiting = false; // one question at a time: a slow server is not asked the more
    const now = () => {
      if (waiting || connection.peek() === "stale") return;
      waiting = true;
      ask(stop.signal).then((v) => { setValue(v); setError(null); }, (e: Error) => { if (!stop.signal.aborted) setError(e.message); }).finally(() => { waiting = false; });
    };
    now();
    const timer = window.setInterval(now, everyMs);
    return () => { stop.abort(); window.clearInterval(timer); };
  }, [turn, token.value, ...about]);
  return { value, error, again: () => setTurn((n) => n + 1) };
}
