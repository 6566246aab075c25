import { useEffect } from "preact/hooks";
import { deadLetters, missing, now, plant, startLive, twin } from "./live";
import { Plot } from "./plot";
import { signOut, token } from "./session";
import { SignIn } from "./sign_in";
import { connection, lastHeard } from "./stream";
import { text } from "./text";
import { Tree } from "./tree";
import { TwinPage } from "./twin";
import { formatClock } from "./format";
import { theme, type Theme } from "./view";

const NEXT_THEME: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };

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
  const p = plant.value;
  return (
    <header>
      <h1>{text.product}</h1>
      {p !== null && (
        <span class="plant">
          {p.name} {p.twins !== undefined && <span class="dim">{text.twins(p.twins)}</span>}
        </span>
      )}
      {deadLetters.value > 0 && <span class="badge">{text.deadLetters(deadLetters.value)}</span>}
      <span class="spacer" />
      <ConnectionState />
      {token.value !== "" && (
        <button class="plain" type="button" data-testid="sign-out" onClick={signOut}>
          {text.signOut}
        </button>
      )}
      <button class="plain" type="button" title={text.theme[theme.value]} aria-label={text.theme[theme.value]} onClick={() => (theme.value = NEXT_THEME[theme.value])}>
        {theme.value === "dark" ? "☾" : theme.value === "light" ? "☀" : "◐"}
      </button>
    </header>
  );
}

export function App() {
  useEffect(startLive, []);
  const frozen = connection.value !== "live" && lastHeard.value > 0;
  return (
    <div class={frozen ? "app frozen" : "app"}>
      <Header />
      <SignIn />
      {frozen && (
        <div class="banner" role="alert" data-testid="stale-banner">
          {text.staleBanner(formatClock(new Date(now.value)))}
        </div>
      )}
      <nav aria-label={text.searchTwins}>
        <Tree />
      </nav>
      <main>
        {twin.value !== null ? (
          <>
            <TwinPage twin={twin.value} />
            <Plot twin={twin.value} />
          </>
        ) : (
          <p class="empty">{missing.value !== null ? text.gone(missing.value) : text.pickTwin}</p>
        )}
      </main>
    </div>
  );
}
