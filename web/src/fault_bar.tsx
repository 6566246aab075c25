// Above a drawing on which a fault is lit up: whose fault, what the signs mean, and the way out.
import { useEffect } from "preact/hooks";
import { followFault, impact, impactError, KIND_COLOUR, KIND_SIGN, KINDS, kindOf } from "./fault";
import { faultText as text } from "./text_fault";
import { fault, moment, show } from "./view";
import "./fault.css";

/** While a fault is lit up the drawing follows it. */
export function useFault(): void {
  useEffect(followFault, []);
}

export function FaultBar() {
  const id = fault.value, i = impact.value;
  if (id === "") return null;
  return (
    <div class="legend fault-bar" data-testid="fault-bar" role="status">
      <strong>{i?.stands === true ? text.has(id) : text.lit(id)}</strong>
      {impactError.value !== null ? <span class="refusal">{impactError.value}</span> : i === null ? <span class="dim">{text.asking}</span> : (
        KINDS.map((k) => <span key={k}><span class="swatch" style={{ background: KIND_COLOUR[k] }} /> {KIND_SIGN[k]} {text.legend[k]} ({i.items.filter((h) => kindOf(h) === k).length})</span>)
      )}
      {moment.value !== null && <span class="quality warn">⚠ {text.nowOnly}</span>}
      <span class="spacer" />
      <button type="button" class="button" data-testid="fault-list" onClick={() => show("system", id)}>{text.list}</button>
      <button type="button" class="button" data-testid="fault-off" onClick={() => (fault.value = "")}>{text.off}</button>
    </div>
  );
}
