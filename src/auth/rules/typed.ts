// DATA: what typed evidence says: the Agent SDK's error names, the Messages API's error types, HTTP statuses.
import type { Verdict } from "../signal.ts";
import { sources } from "./rule.ts";

/** A row about one name or number. */
export interface TypedRule {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly source: string;
  readonly mayRenew?: boolean;
}

const elsewhere = (reason: string): TypedRule => ({ verdict: "not_auth", reason, source: sources.anthropicErrors });
const dead = (reason: string): TypedRule => ({ verdict: "auth_permanent", reason, source: sources.claudeCode });

/** `SDKAssistantMessageError` of the Agent SDK 0.3.330. Those that are missing say too little: the text decides. */
export const sdkErrors: Readonly<Record<string, TypedRule>> = {
  account_on_hold: dead("The account is on hold."),
  billing_error: elsewhere("The account has no credit or no plan for this."),
  max_output_tokens: elsewhere("The answer was too long."),
  model_not_found: elsewhere("There is no such model, or no access to it."),
  oauth_org_not_allowed: dead("This organisation does not allow the login."),
  overloaded: elsewhere("The model API is overloaded."),
  rate_limit: elsewhere("A limit of requests or tokens is reached."),
  verification_required: dead("The account has to be verified by a person."),
};

/** Error types of the Messages API whose meaning no text changes. */
export const apiErrorTypes: Readonly<Record<string, TypedRule>> = {
  api_error: elsewhere("The model API failed."),
  billing_error: elsewhere("The account has no credit or no plan for this."),
  not_found_error: elsewhere("There is nothing of this name."),
  overloaded_error: elsewhere("The model API is overloaded."),
  rate_limit_error: elsewhere("A limit of requests or tokens is reached."),
  request_too_large: elsewhere("The request is too large."),
  timeout_error: elsewhere("It took too long."),
};
