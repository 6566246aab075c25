// Users and their tokens: added, with the token shown once; revoked.
import { useState } from "preact/hooks";
import { acts, type User } from "./act_api";
import { formatMoment } from "./format";
import { principal } from "./live";
import { text as common } from "./text";
import { actText as text } from "./text_act";
import { useRegularly } from "./use_regularly";

const ROLES = ["reader", "operator", "engineer", "admin"] as const;

function Token({ name, token, close }: { name: string; token: string; close: () => void }) {
  return (
    <div class="panel" role="status" data-testid="new-token">
      <p><strong>{text.users.once(name)}</strong></p>
      <div class="toolbar">
        <input readOnly class="token" value={token} aria-label={text.users.token} data-testid="token" onFocus={(e) => e.currentTarget.select()} />
        <button type="button" class="button" onClick={() => void navigator.clipboard?.writeText(token)}>{text.users.copy}</button>
        <button type="button" class="button" data-testid="token-close" onClick={close}>{text.users.kept}</button>
      </div>
    </div>
  );
}

function Add({ first, done }: { first: boolean; done: (name: string, token: string) => void }) {
  const [name, setName] = useState(""), [role, setRole] = useState<string>(first ? "admin" : "reader"), [scope, setScope] = useState(""), [error, setError] = useState<string | null>(null);
  const twins = scope.split(/[\s,]+/).filter((s) => s !== "");
  const send = () => void acts.userAdd({ name: name.trim(), role, ...(twins.length === 0 ? {} : { scope: twins }) }).then((u) => { setName(""); setError(null); done(u.name, u.token); }, (e: Error) => setError(e.message));
  return (
    <form class="panel toolbar" data-testid="user-form" onSubmit={(e) => { e.preventDefault(); if (name.trim() !== "") send(); }}>
      <label>{text.setup.name} <input required value={name} data-testid="user-name" onInput={(e) => setName(e.currentTarget.value)} /></label>
      <label>{text.users.role} <select value={role} data-testid="user-role" onChange={(e) => setRole(e.currentTarget.value)}>{ROLES.map((r) => <option key={r} value={r}>{common.role[r]}</option>)}</select></label>
      <label>{text.users.scope} <input value={scope} placeholder={text.users.all} data-testid="user-scope" onInput={(e) => setScope(e.currentTarget.value)} /></label>
      <button type="submit" class="button main" data-testid="user-add">{text.users.add}</button>
      {first && <p class="quality warn">⚠ {text.users.first}</p>}
      {error !== null && <p class="refusal" role="alert">{error}</p>}
    </form>
  );
}

function Row({ user, again }: { user: User; again: () => void }) {
  const [asked, setAsked] = useState(false), [error, setError] = useState<string | null>(null);
  const revoke = () => void acts.userRevoke(user.name).then(() => { setAsked(false); again(); }, (e: Error) => setError(e.message));
  return (
    <tr data-testid={`user-${user.name}`}>
      <th scope="row">{user.name}</th>
      <td>{common.role[user.role as (typeof ROLES)[number]] ?? user.role}</td>
      <td>{user.scope === null ? text.users.all : [...user.scope.twins, ...(user.scope.query === undefined ? [] : [user.scope.query])].join(", ")}</td>
      <td>{formatMoment(Date.parse(user.since))}</td>
      <td>{user.revoked ? <span class="refusal">✗ {text.users.revoked}</span> : !asked
        ? <button type="button" class="button" data-testid={`revoke-${user.name}`} onClick={() => setAsked(true)}>{text.users.revoke}</button>
        : <span class="toolbar"><button type="button" class="button stop" data-testid={`really-${user.name}`} onClick={revoke}>{text.users.really}</button><button type="button" class="button" onClick={() => setAsked(false)}>{text.act.cancel}</button></span>}
        {error !== null && <p class="refusal" role="alert">{error}</p>}</td>
    </tr>
  );
}

export function Users() {
  const { value, error, again } = useRegularly((stop) => acts.users(stop), 5000);
  const [fresh, setFresh] = useState<{ name: string; token: string } | null>(null);
  if (principal.value !== null && principal.value.role !== "admin") return <p class="empty">{text.users.admins}</p>;
  return (
    <section>
      <h2>{text.users.title}</h2>
      {fresh !== null && <Token name={fresh.name} token={fresh.token} close={() => setFresh(null)} />}
      {error !== null && fresh === null && <p class="refusal" role="alert">{common.loadFailed(error)}</p>}
      {value !== null && <Add first={value.length === 0} done={(name, token) => { setFresh({ name, token }); again(); }} />}
      {value !== null && value.length === 0 && <p class="dim">{text.users.none}</p>}
      {value !== null && value.length > 0 && (
        <div class="table-box"><table class="grid">
          <thead><tr>{[text.setup.name, text.users.role, text.users.scope, text.users.since, ""].map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
          <tbody>{value.map((u) => <Row key={u.name} user={u} again={again} />)}</tbody>
        </table></div>
      )}
    </section>
  );
}
