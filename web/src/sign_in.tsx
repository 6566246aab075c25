// The question for a token, while the server wants one.
import { useState } from "preact/hooks";
import { signIn, tokenWanted } from "./session";
import { text } from "./text";

export function SignIn() {
  const [typed, setTyped] = useState("");
  if (tokenWanted.value === null) return null;
  return (
    <form
      class="sign-in"
      data-testid="sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.trim() !== "") signIn(typed.trim());
        setTyped("");
      }}
    >
      <label>
        {tokenWanted.value === "refused" ? text.tokenRefused : text.tokenWanted}
        <input type="password" autocomplete="off" spellcheck={false} value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
      </label>
      <button class="plain" type="submit">
        {text.signIn}
      </button>
    </form>
  );
}
