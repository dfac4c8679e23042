// DATA: how the API turns a credential down. The wordings are real ones, as Claude Code's users report them.
import type { Rejection } from "./contract.ts";
import { type ApiError, createApiError } from "./errors.ts";

const TEXTS: Readonly<Record<Rejection, readonly [status: number, message: string]>> = {
  // anthropics/claude-code#33811
  expired: [401, "OAuth token has expired. Please obtain a new token or refresh your existing token."],
  // Claude Code 2.1 and later are told it like this
  oauth_expired: [401, "OAuth access token has expired. Re-authenticate to continue."],
  invalid_api_key: [401, "invalid x-api-key"],
  invalid_bearer: [401, "Invalid bearer token"],
  // anthropics/claude-code#9635; Claude Code takes this 403 for a failed authentication
  revoked: [403, "OAuth token has been revoked. Please obtain a new token."],
  // router-for-me/CLIProxyAPI#3409
  organization_disabled: [400, "This organization has been disabled."],
  oauth_not_allowed: [403, "OAuth authentication is currently not allowed for this organization."],
  // anthropics/claude-code#70506
  not_found_credential: [401, "Invalid authentication credentials"],
};

/** Every rejection there is, in the order of the table. */
export const REJECTIONS = Object.keys(TEXTS) as readonly Rejection[]; // the keys of a Record<Rejection, …>

export function isRejection(value: unknown): value is Rejection {
  return typeof value === "string" && Object.hasOwn(TEXTS, value);
}

export function rejectionError(rejection: Rejection): ApiError {
  const [status, message] = TEXTS[rejection];
  return createApiError(status, message);
}

/** No credential came with the request. */
export const missingCredential: ApiError = createApiError(401, "x-api-key header is required");
