// On a twin's page: its life at a glance, at the page's time.
import { life } from "./life_api";
import { RibbonView } from "./life_ribbon";
import { times, timesText, useAbout, useLife } from "./life_use";
import { lifeText as text } from "./text_life";
import { selected, show } from "./view";
import "./life.css";

/** What was built and is out of the tolerance of its design. */
export function useOut(id: string): ReadonlySet<string> {
  const { value } = useAbout(id, (stop, t) => life.diff(id, "as-designed", "as-built", t, stop).catch(() => null));
  return new Set((value?.items ?? []).filter((d) => d.verdict === "out of tolerance").map((d) => d.key));
}

export function RibbonOf({ id }: { id: string }) {
  const { life: found, error } = useLife(id), out = useOut(id);
  if (error !== null && found === null) return <p class="refusal" role="alert">{error}</p>;
  if (found === null) return <p class="dim">…</p>;
  if (found.said.length === 0) return <p class="dim" data-testid="life-none">{text.none}</p>;
  return <RibbonView life={found} out={out} />;
}

export function TwinLife() {
  const id = selected.value;
  if (id === null) return null;
  return (
    <section data-testid="twin-life">
      <div class="toolbar">
        <h2>{text.ribbon}</h2> <span class="dim">{timesText(times.value)}</span> <span class="spacer" />
        <button type="button" class="button" data-testid="to-life" onClick={() => show("life")}>{text.whole}</button>
      </div>
      <RibbonOf key={id} id={id} />
    </section>
  );
}
