// What a verdict asks for: a renewal, or a person's act. The classifier says what the text says; this says what that means.
import { credentialRules } from "./rules/credential.ts";
import type { Classification } from "./signal.ts";

/** Rules for a refusal without a word about why: a revoked token, an organisation, a model. */
const wordlessRules: ReadonlySet<string> = new Set(["sdk-forbidden", "api-forbidden", "http-forbidden"]);

/** Rules whose failure a renewal may mend although they call the credential dead: a rotated key is reported as an invalid one. */
const mendedByRenewal: ReadonlySet<string> = new Set([
  ...credentialRules.filter(({ mayRenew }) => mayRenew === true).map(({ id }) => id),
  ...wordlessRules,
]);

/** Whether only a person can mend it, whatever the kind of credential: missing, revoked, disabled, on hold, wrong organisation. */
export function needsPerson({ verdict, rule }: Classification): boolean {
  return verdict === "auth_permanent" && !mendedByRenewal.has(rule);
}

/** Whether somebody else's words may still tell that only a person can mend it. */
export function isWordless({ rule }: Classification): boolean {
  return wordlessRules.has(rule);
}
