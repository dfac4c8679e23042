// DATA: what typed evidence says: the Agent SDK's error names, error types of the Messages API and of gateways, HTTP statuses.
import { sources } from "./rule.ts";
import type { Verdict } from "../signal.ts";

/** A row about one name or number. */
export interface TypedRule {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly source: string;
}

const elsewhere = (reason: string, source: string = sources.anthropicErrors): TypedRule => ({
  verdict: "not_auth",
  reason,
  source,
});
const dead = (reason: string): TypedRule => ({ verdict: "auth_permanent", reason, source: sources.claudeCode });

const limit = "A limit of requests or tokens is reached.";
const noModel = "There is no such model, or no access to it.";
const money = "The account has no credit or no plan for this.";

/** `SDKAssistantMessageError` of the Agent SDK 0.3.330. Those that are missing say too little: the text decides. */
export const sdkErrors: Readonly<Record<string, TypedRule>> = {
  account_on_hold: dead("The account is on hold."),
  billing_error: elsewhere(money),
  max_output_tokens: elsewhere("The answer was too long."),
  model_not_found: elsewhere(noModel),
  oauth_org_not_allowed: dead("This organisation does not allow the login."),
  overloaded: elsewhere("The model API is overloaded."),
  rate_limit: elsewhere(limit),
  verification_required: dead("The account has to be verified by a person."),
};

/** Error types and codes whose meaning no text changes. `api_error` is missing: gateways put an inner failure's words under it. */
export const apiErrorTypes: Readonly<Record<string, TypedRule>> = {
  billing_error: elsewhere(money),
  not_found_error: elsewhere("There is nothing of this name."),
  overloaded_error: elsewhere("The model API is overloaded."),
  rate_limit_error: elsewhere(limit),
  request_too_large: elsewhere("The request is too large."),
  timeout_error: elsewhere("It took too long."),
  budget_exceeded: elsewhere(money, sources.gateways),
  content_filter: elsewhere("A policy refused the content.", sources.gateways),
  context_length_exceeded: elsewhere("The conversation is too long.", sources.gateways),
  insufficient_quota: elsewhere(money, sources.gateways),
  key_model_access_denied: elsewhere(noModel, sources.gateways),
  model_not_found: elsewhere(noModel, sources.gateways),
  rate_limit_exceeded: elsewhere(limit, sources.gateways),
  team_model_access_denied: elsewhere(noModel, sources.gateways),
};

/** Statuses that are never about the credential. 400 and 5xx are missing: token endpoints and gateways answer so to a dead login. */
export const statusRules: Readonly<Record<number, TypedRule>> = {
  402: elsewhere(money, sources.http),
  404: elsewhere("There is nothing of this name.", sources.http),
  407: elsewhere("The HTTP proxy wants a credential of its own.", sources.http),
  408: elsewhere("It took too long.", sources.http),
  413: elsewhere("The request is too large.", sources.http),
  429: elsewhere(limit, sources.http),
  451: elsewhere("It is not offered from here.", sources.http),
  529: elsewhere("The model API is overloaded."),
};

const renewable = (reason: string, source: string): TypedRule => ({ verdict: "auth_refreshable", reason, source });
const forbidden = (reason: string, source: string): TypedRule => ({ verdict: "auth_permanent", reason, source });

/** What is left where no text is known: a name or a status alone, or nothing. */
export const fallbackRules = {
  "sdk-auth-status": renewable("Renewing the cloud provider's credential failed.", sources.claudeCode),
  "sdk-authentication-failed": renewable("Claude Code says that authentication failed.", sources.claudeCode),
  "sdk-cloud-credential-error": renewable("The cloud provider's credential failed.", sources.claudeCode),
  "sdk-forbidden": forbidden("The model API forbids this credential.", sources.claudeCode),
  "api-authentication-error": renewable("The model API says that authentication failed.", sources.anthropicErrors),
  "api-forbidden": forbidden("The model API forbids this credential.", sources.anthropicErrors),
  "http-unauthorized": renewable("HTTP 401 without more words.", sources.http),
  "http-forbidden": forbidden("HTTP 403 that speaks of permission.", sources.http),
  "unauthorized-words": renewable("An error that says no more than that access was refused.", sources.http),
  "no-sign": elsewhere("Nothing in it speaks of the credential.", "no row of the tables"),
  "not-evidence": elsewhere(
    "A tool's output and a model's words say nothing of our credential.",
    "where a text stands decides what it may prove",
  ),
  unreadable: elsewhere("The signal could not be read.", "no row of the tables"),
} as const satisfies Readonly<Record<string, TypedRule>>;
