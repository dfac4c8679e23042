// The headers of ours that say how a request is to be run, the same for every front door.
import type { Context } from "hono";
import { CcapiError } from "../auth/errors.ts";
import { sessionId } from "../names/session-id.ts";
import type { AppEnv } from "./app-env.ts";

/** What a request's headers say of its turn. */
export interface TurnHeaders {
  /** `X-Session-Id`. */
  readonly sessionId: string | undefined;
  /** The end user, where a header names one. */
  readonly endUser: string | undefined;
}

/** @throws CcapiError `invalid_request` where a session's name can't be one. */
export function readTurnHeaders({ req }: Context<AppEnv>): TurnHeaders {
  const session = req.header("x-session-id");
  if (session !== undefined && !sessionId.safeParse(session).success) {
    throw new CcapiError(
      "invalid_request",
      "The header X-Session-Id has to be 1 to 128 letters, digits, dots, dashes or underscores.",
      { param: "X-Session-Id" },
    );
  }
  return { sessionId: session, endUser: req.header("x-openwebui-user-id")?.slice(0, 1_024) };
}
