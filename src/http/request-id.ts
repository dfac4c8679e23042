// The id of a request that came without one: in its answer, and in the log.
import { randomUUID } from "node:crypto";

/** `req_` and 32 hexadecimal digits. */
export function makeRequestId(): string {
  return `req_${randomUUID().replaceAll("-", "")}`;
}
