// What a verdict asks for: a renewal, or a person's act. The classifier says what the text says; this says what that means.
import type { Classification } from "./signal.ts";

/**
 * Rules whose failure a renewal may mend although the text calls the credential dead: a rotated key is reported as an
 * invalid one.
 */
const mendedByRenewal = /invalid|unauthorized|expired|stale|forbidden|unknown/;

/** Whether only a person can mend it, whatever the kind of credential: missing, revoked, disabled, on hold, wrong organisation. */
export function needsPerson({ verdict, rule }: Classification): boolean {
  return verdict === "auth_permanent" && !mendedByRenewal.test(rule);
}
