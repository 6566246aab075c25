// The alarms of the twin on the page, above its values: what is wrong with it, why, and what can be done; and those of what is
// under it, so that whoever looks at the whole sees where it hurts.
import { alarms, refreshAlarms, worst } from "./alarm_badges";
import { lookAt } from "./alarm_why";
import { AlarmItem } from "./alarms";
import { api, type Alarm } from "./api";
import { text } from "./text";
import { actText } from "./text_act";
import { useRegularly } from "./use_regularly";
import { moment } from "./view";

const EVERY_MS = 3000, SHOWN = 8;

function Below({ twin }: { twin: string }) {
  const { value } = useRegularly((stop) => api.alarmsUnder(twin, SHOWN, stop), EVERY_MS, [twin, alarms.value.length]);
  const below = (value?.items ?? []).filter((a) => a.twin !== twin);
  if (below.length === 0) return null;
  return (
    <section class="twin-alarms" data-testid="alarms-below" aria-label={actText.alarms.below}>
      <h2>{actText.alarms.below}</h2>
      <ul class="plain-list">
        {below.map((a: Alarm) => (
          <li key={a.id}>
            <button type="button" class="happening" onClick={() => lookAt(a, null)}>
              <span class={`alarm-badge ${a.priority}`}>{text.alarms.priority[a.priority] ?? a.priority}</span> <strong>{a.twin}</strong> <span>{a.text ?? a.name}</span> <span class="dim">{text.alarms.state[a.state] ?? a.state}</span>
            </button>
          </li>
        ))}
      </ul>
      {value !== null && value.leftOut > 0 && <p class="dim">{text.alarms.leftOut(value.leftOut)}</p>}
    </section>
  );
}

export function TwinAlarms({ twin }: { twin: string }) {
  const here = alarms.value.filter((a) => a.twin === twin);
  return (
    <>
      {here.length > 0 && (
        <section class="twin-alarms" data-testid="twin-alarms" aria-label={actText.alarms.here}>
          {moment.value !== null && <p class="dim">{text.alarms.alwaysNow}</p>}
          <ul class="plain-list">{here.map((a) => <AlarmItem key={a.id} alarm={a} again={refreshAlarms} here />)}</ul>
        </section>
      )}
      {worst.value.has(twin) && <Below key={twin} twin={twin} />}
    </>
  );
}
