// Parts of the page that are fetched when they are first looked at.
import type { ComponentType, FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { text } from "./text";

/** A component that is in a file of its own; while it comes, the page says so. */
export function lazyWith<P extends object>(load: () => Promise<FunctionComponent<P>>): FunctionComponent<P> {
  let known: FunctionComponent<P> | null = null;
  return function Lazy(props: P) {
    const [, setVersion] = useState(0);
    const [error, setError] = useState<string | null>(null);
    useEffect(() => {
      if (known === null) load().then((c) => { known = c; setVersion(1); }, (e: Error) => setError(e.message));
    }, []);
    const Known = known;
    if (Known !== null) return <Known {...props} />;
    return <p class="empty" role={error === null ? undefined : "alert"}>{error === null ? text.loading : text.partMissing(error)}</p>;
  };
}

export const lazy = (load: () => Promise<FunctionComponent>): ComponentType => lazyWith<object>(load);
