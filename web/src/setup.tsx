// Set-up: models and what they inherit, mappings with a live tester, rules with a dry run over history, users and tokens.
import { lazy } from "./lazy";
import { actText as text } from "./text_act";
import { PARTS, part, type Part } from "./view";

const PAGES: { [p in Part]: ReturnType<typeof lazy> } = {
  models: lazy(async () => (await import("./setup_models")).Models),
  mappings: lazy(async () => (await import("./setup_mappings")).Mappings),
  rules: lazy(async () => (await import("./setup_rules")).Rules),
  users: lazy(async () => (await import("./setup_users")).Users),
};

export function SetUp() {
  const Page = PAGES[part.value];
  return (
    <>
      <div class="ranges" role="group" aria-label={text.setup.title}>
        {PARTS.map((p) => <button key={p} type="button" data-testid={`setup-${p}`} aria-pressed={part.value === p} onClick={() => (part.value = p)}>{text.setup.parts[p]}</button>)}
      </div>
      <Page key={part.value} />
    </>
  );
}
