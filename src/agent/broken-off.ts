// The errors of a query that can't go on: what ran, and where a person or a program can go on by hand.
import { CcapiError } from "../auth/errors.ts";

/** How far a query came. */
export interface BrokenOff {
  /** Names of the tools that were started. */
  readonly tools: readonly string[];
  readonly sessionId: string | undefined;
}

/** Going on could repeat or lose something. `where`: "while a tool was at work". */
export function cannotGoOn(where: string, { tools, sessionId }: BrokenOff): CcapiError {
  return afterSideEffects(
    `The Claude credential failed ${where}, and going on by itself could repeat or lose something.`,
    { tools, sessionId },
    undefined,
  );
}

/** Nobody renewed the credential, or not in time. Where tools had run, the error says so instead of inviting a blind retry. */
export function notRenewed(error: unknown, { tools, sessionId }: BrokenOff): unknown {
  if (tools.length === 0 || !(error instanceof CcapiError) || error.code !== "upstream_auth_unavailable") return error;
  return afterSideEffects(`${error.message} It failed after tools had been started.`, { tools, sessionId }, error);
}

function afterSideEffects(message: string, { tools, sessionId }: BrokenOff, cause: CcapiError | undefined): CcapiError {
  const ran = tools.length === 0 ? "No tool had run." : `Tools that were started: ${[...new Set(tools)].join(", ")}.`;
  const session = sessionId === undefined ? "" : ` To go on by hand, resume the session ${sessionId}.`;
  return new CcapiError("upstream_auth_failed_after_side_effects", `${message} ${ran}${session}`, {
    ...(cause?.state === undefined ? {} : { state: cause.state }),
    ...(cause?.action === undefined ? {} : { action: cause.action }),
    shouldRetry: false,
  });
}
