// What a session may be called, in a header, a body or a path.
import { z } from "zod";
import { CcapiError } from "../auth/errors.ts";

/** `[A-Za-z0-9._-]{1,128}` */
export const sessionId = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,128}$/, "Must be 1 to 128 letters, digits, dots, dashes or underscores");

/**
 * The session of a request that may name it in two places.
 *
 * @throws CcapiError `invalid_request` where they name two.
 */
export function agreedSessionId(inBody: string | null | undefined, inHeader: string | undefined): string | undefined {
  if (inBody && inHeader !== undefined && inBody !== inHeader) {
    throw new CcapiError("invalid_request", "session_id and the header X-Session-Id name different sessions.", {
      param: "session_id",
    });
  }
  return inHeader ?? inBody ?? undefined;
}
