import { useEffect } from "preact/hooks";
import { alarms, startAlarms, worst } from "./alarm_badges";
import { formatClock, formatMoment } from "./format";
import { lazy, lazyWith } from "./lazy";
import { deadLetters, missing, now, plant, principal, startLive } from "./live";
import { absentThen, pastError, shown, startPast } from "./past";
import { Plot } from "./plot";
import { signOut, token } from "./session";
import { SignIn } from "./sign_in";
import { Stop, Stopped } from "./stop";
import { connection, lastHeard } from "./stream";
import { text } from "./text";
import { TimeBar } from "./timebar";
import { Tree } from "./tree";
import { TwinPage } from "./twin";
import { moment, selected, show, theme, view, VIEWS, type Theme, type View } from "./view";

const NEXT_THEME: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };
const PAGES: Record<Exclude<View, "twin">, ReturnType<typeof lazy>> = {
  life: lazy(async () => (await import("./life")).Life),
  system: lazy(async () => (await import("./system")).System),
  futures: lazy(async () => (await import("./what_if")).WhatIf),
  scene: lazy(async () => (await import("./scene")).Scene),
  graph: lazy(async () => (await import("./graph")).Graph),
  query: lazy(async () => (await import("./query")).Query),
  fleet: lazy(async () => (await import("./fleet")).Fleet),
  maintenance: lazy(async () => (await import("./maintenance")).Maintenance),
  alarms: lazy(async () => (await import("./alarms")).Alarms),
  orders: lazy(async () => (await import("./work_orders")).WorkOrders),
  plans: lazy(async () => (await import("./plans")).Plans),
  setup: lazy(async () => (await import("./setup")).SetUp),
  letters: lazy(async () => (await import("./letters")).Letters),
};

const TwinLife = lazy(async () => (await import("./life_twin")).TwinLife);
const TwinAlarms = lazyWith(async () => (await import("./twin_alarms")).TwinAlarms);
const TwinActs = lazy(async () => (await import("./twin_acts")).TwinActs);

function ConnectionState() {
  const state = connection.value;
  now.value; // re-rendered as time goes on
  const silent = Math.round((performance.now() - lastHeard.value) / 1000);
  const label = state === "live" ? text.live : state === "stale" ? text.lost(silent) : lastHeard.value === 0 ? text.connecting : text.never;
  return (
    <span class={`connection ${state}`} role="status" data-testid="connection">
      <span class="dot" aria-hidden="true" />
      {label}
    </span>
  );
}

function Header() {
  const p = plant.value, who = principal.value;
  return (
    <header>
      <h1>{text.product}</h1>
      {p !== null && (
        <span class="plant">
          {p.name} {p.twins !== undefined && <span class="dim">{text.twins(p.twins)}</span>}
        </span>
      )}
      <span class="spacer" />
      {who !== null && who.required && <span class="dim" data-testid="principal" title={text.role.title}>{who.name} · {text.role[who.role]}</span>}
      <Stop />
      <ConnectionState />
      {token.value !== "" && (
        <button class="plain" type="button" data-testid="sign-out" onClick={signOut}>
          {text.signOut}
        </button>
      )}
      <button class="plain" type="button" data-testid="theme" title={text.theme[theme.value]} aria-label={text.theme[theme.value]} onClick={() => (theme.value = NEXT_THEME[theme.value])}>
        {theme.value === "dark" ? "☾" : theme.value === "light" ? "☀" : "◐"}
      </button>
    </header>
  );
}

/** How much waits behind a tab. */
function waiting(v: View): number {
  return v === "alarms" ? alarms.value.length : v === "letters" ? deadLetters.value : 0;
}

function Tabs() {
  const move = (e: KeyboardEvent, i: number) => {
    const step = e.key === "ArrowRight" ? 1 : e.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const next = VIEWS[(i + step + VIEWS.length) % VIEWS.length]!;
    show(next);
    document.querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={text.views.title}>
      {VIEWS.map((v, i) => (
        <button key={v} type="button" role="tab" data-tab={v} aria-selected={view.value === v} tabIndex={view.value === v ? 0 : -1} onClick={() => show(v)} onKeyDown={(e) => move(e, i)}>
          {text.views[v]}
          {waiting(v) > 0 && <span class="count"> {waiting(v).toLocaleString("en")}</span>}
        </button>
      ))}
    </div>
  );
}

/** Why there is no twin to be seen. */
function absence(): string {
  if (missing.value !== null) return text.gone(missing.value);
  if (pastError.value !== null) return pastError.value;
  if (absentThen.value && selected.value !== null) return text.notThen(selected.value, formatMoment(moment.value!));
  return selected.value === null ? text.pickTwin : text.loading;
}

function TwinView() {
  const twin = shown.value;
  if (twin === null) return <p class="empty">{absence()}</p>;
  return (
    <>
      {(worst.value.has(twin.id) || alarms.value.some((a) => a.twin === twin.id)) && <TwinAlarms twin={twin.id} />}
      <TwinPage twin={twin} />
      <Plot twin={twin} />
      <TwinActs />
      <TwinLife />
    </>
  );
}

export function App() {
  useEffect(() => {
    startLive();
    const stops = [startPast(), startAlarms()];
    return () => stops.forEach((stop) => stop());
  }, []);
  const frozen = connection.value !== "live" && lastHeard.value > 0;
  const Page = view.value === "twin" ? TwinView : PAGES[view.value];
  return (
    <div class={frozen ? "app frozen" : "app"}>
      <Header />
      <div class="banners">
        <SignIn />
        <Stopped />
        {frozen && (
          <div class="banner" role="alert" data-testid="stale-banner">
            {text.staleBanner(formatClock(new Date(now.value)))}
          </div>
        )}
      </div>
      <nav aria-label={text.searchTwins}>
        <Tree />
      </nav>
      <div class="bars">
        <TimeBar />
        <Tabs />
      </div>
      <main role="tabpanel" aria-label={text.views[view.value]}>
        {moment.value !== null && <p class="then" data-testid="then">{text.time.asOf(formatMoment(moment.value))}</p>}
        <Page key={view.value} />
      </main>
    </div>
  );
}
