// Makes keys that open the server.
import { randomBytes } from "node:crypto";

/** A new key of 192 random bits. */
export function makeKey(): string {
  return `ccapi-${randomBytes(24).toString("base64url")}`;
}
