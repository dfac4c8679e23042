// Where a rule's knowledge comes from, by the rule's id.
import { credentialRules } from "./credential.ts";
import { elsewhereRules } from "./elsewhere.ts";
import { apiErrorTypes, fallbackRules, sdkErrors, statusRules, type TypedRule } from "./typed.ts";

/** Link or document behind a rule; `undefined` where no rule has this id. */
export function sourceOf(rule: string): string | undefined {
  return sourceById.get(rule);
}

const sourceById: ReadonlyMap<string, string> = new Map([
  ...[...credentialRules, ...elsewhereRules].map(({ id, source }) => [id, source] as const),
  ...named("sdk-", sdkErrors),
  ...named("api-", apiErrorTypes),
  ...named("http-", statusRules),
  ...named("", fallbackRules),
]);

function named(prefix: string, rules: Readonly<Record<string, TypedRule>>) {
  return Object.entries(rules).map(([name, { source }]) => [`${prefix}${name}`, source] as const);
}
