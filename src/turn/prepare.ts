// Makes an attempt's child ready, and reports a credential that can't even be read as the failure that it is.
import type { AuthAdmission, Decision } from "../auth/contract.ts";
import { CcapiError } from "../auth/errors.ts";
import type { ChildSetup } from "../claude/child-setup.ts";

/** `undefined`: there is no usable credential, and what to do about it is decided. */
export async function prepare(
  prepareChild: () => Promise<ChildSetup>,
  auth: AuthAdmission,
  decide: (decision: Decision) => void,
): Promise<ChildSetup | undefined> {
  try {
    return await prepareChild();
  } catch (error) {
    if (!(error instanceof CcapiError) || error.code !== "upstream_auth_unavailable") throw error;
    const { message: text } = error;
    const decision = auth.report({ source: "result", error: "authentication_failed", status: null, text });
    if (decision.action === "continue") throw error;
    decide(decision);
    return undefined;
  }
}
