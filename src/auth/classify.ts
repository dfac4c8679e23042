// Signal → verdict, by tables. Typed evidence beats a status, a status with its error type beats a text, and a text counts only
// where it is an error's own. Never throws.
import { gather, normalise, statusInText, typesInText } from "./evidence.ts";
import { credentialRules } from "./rules/credential.ts";
import { elsewhereRules } from "./rules/elsewhere.ts";
import type { TextRule } from "./rules/rule.ts";
import { apiErrorTypes, fallbackRules, sdkErrors, statusRules, type TypedRule } from "./rules/typed.ts";
import type { Classification, Signal } from "./signal.ts";

/** What a signal comes to before it is judged. */
interface Facts {
  readonly text: string;
  readonly status: number | null;
  readonly types: readonly string[];
  /** The Agent SDK's name of the error. */
  readonly sdkError: string | undefined;
  /** Whether the error is known to be about a call of ours to the model API, so that its status alone says something. */
  readonly isOurs: boolean;
}

/**
 * What a signal says of the credential.
 *
 * @example
 * classify({ source: "http", status: 401, body: '{"error":{"type":"authentication_error"}}' }).verdict; // "auth_refreshable"
 */
export function classify(signal: Signal): Classification {
  try {
    if (signal.source === "tool_output" || signal.source === "model_text") return fromFallback("not-evidence");
    const found = judge(toFacts(signal));
    // The SDK sends an error in `auth_status` only where signing in to a cloud provider failed.
    const isSignIn = signal.source === "auth_status" && signal.error !== undefined;
    return isSignIn && found.rule === "no-sign" ? fromFallback("sdk-auth-status") : found;
  } catch {
    return fromFallback("unreadable");
  }
}

function toFacts(signal: Exclude<Signal, { source: "tool_output" | "model_text" }>): Facts {
  switch (signal.source) {
    case "api_retry":
      return { text: "", status: signal.status, types: [], sdkError: signal.error, isOurs: true };
    case "assistant":
    case "result":
    case "auth_status":
      return fromText(signal.text, "status" in signal ? signal.status : null, signal.error, true);
    case "subagent":
      return fromText(signal.text, null, undefined, true);
    case "http":
      return fromText(signal.body, signal.status, undefined, true);
    case "exception": {
      const { text, status, types } = gather(signal.error);
      return { text, status, types, sdkError: types.find((type) => isSdkError(type)), isOurs: true };
    }
    case "text":
      return fromText(signal.text, signal.status, undefined, true);
    case "stderr":
      // Claude's words stand among those of whatever it started.
      return fromText(signal.text, null, undefined, speaksOfModelCall.test(signal.text.slice(0, 20_000)));
  }
}

function fromText(raw: string, status: number | null, sdkError: string | undefined, isOurs: boolean): Facts {
  const text = normalise(raw);
  return { text, status: status ?? statusInText(text), types: typesInText(text), sdkError, isOurs };
}

function judge(facts: Facts): Classification {
  const { text, status, types, sdkError } = facts;
  const typed = sdkError === undefined || !Object.hasOwn(sdkErrors, sdkError) ? undefined : sdkErrors[sdkError];
  if (typed !== undefined) return fromTyped(`sdk-${sdkError}`, typed);

  const isNamed = isNamedAuth(facts);
  const type = types.find((name) => Object.hasOwn(apiErrorTypes, name));
  const byType = type === undefined ? undefined : apiErrorTypes[type];
  if (byType !== undefined && !isNamed) return fromTyped(`api-${type}`, byType);

  const isClaudes = isNamed || ownWords.test(text);
  const other = elsewhereRules.find((rule) => !(isClaudes && rule.yields === true) && rule.pattern.test(text));
  // Named as a failure of authentication, only what is known to be mistaken for one is not.
  if (other !== undefined && (!isNamed || mistakenForAuth.has(other.id))) return fromRule(other);
  const byStatus = status === null || !Object.hasOwn(statusRules, status) ? undefined : statusRules[status];
  if (byStatus !== undefined && !isNamed) return fromTyped(`http-${status}`, byStatus);

  const rule = credentialRules.find(({ isLastResort, pattern }) => isLastResort !== true && pattern.test(text));
  if (rule !== undefined) return fromRule(rule);
  const fallback = byNameOrStatus(facts);
  if (fallback !== "no-sign" || !facts.isOurs || (status !== null && status >= 500)) return fromFallback(fallback);
  const last = credentialRules.find(({ isLastResort, pattern }) => isLastResort === true && pattern.test(text));
  return last === undefined ? fromFallback(fallback) : fromRule(last);
}

/** What is left when no text is known: names of types, then the status. */
function byNameOrStatus({ sdkError, types, status, isOurs, text }: Facts): keyof typeof fallbackRules {
  if (sdkError === "authentication_failed") return status === 403 ? "sdk-forbidden" : "sdk-authentication-failed";
  if (sdkError === "cloud_credential_error" || types.includes("cloud_credential_error")) {
    return "sdk-cloud-credential-error";
  }
  if (types.includes("authentication_error") || types.includes("authentication_failed")) {
    return "api-authentication-error";
  }
  if (types.includes("permission_error") || types.includes("forbidden")) return "api-forbidden";
  if (!isOurs) return "no-sign";
  if (status === 401) return "http-unauthorized";
  // A bare status line is any server's; words about permission make it the model API's or its gateway's.
  if (status === 403 && forbiddingWords.test(text) && !bareStatusLine.test(text)) return "http-forbidden";
  return status === null && unauthorizedWords.test(text) ? "unauthorized-words" : "no-sign";
}

/** What only Claude Code says, and says of its own credential: names of servers and tools beside it are circumstance. */
const ownWords =
  /(?:^|[\s"'`(])\/login\b|apiKeyHelper|(?:AWS|Google Cloud|Foundry) (?:authentication failed|credentials expired)|^(?:Invalid API key|Failed to authenticate)/i;
const speaksOfModelCall =
  /API Error|claude\b.{0,40}\b(?:API|error)|anthropic|\/v1\/messages|chat\/completions|bedrock|aiplatform|litellm/i;
const forbiddingWords = /auth|credential|token|\bkey\b|forbidden|permission|denied|not allowed/i;
const bareStatusLine = /^(?:\w{0,30}Error: )?Request failed with status code 403\W*$/i;
const unauthorizedWords =
  /(?:^|error|API|HTTP|request|server|status|response|failed|message)\W{0,3}(?:\w{1,20}\W{1,3}){0,3}(?:unauthori[sz]ed|unauthenticated|authentication[_ ]error|access denied|forbidden)\b(?! model)/i;

/** Failures that the SDK, or the API, names as ones of authentication although they are not. */
const mistakenForAuth: ReadonlySet<string> = new Set(["model-access", "clock-skew", "region", "billing", "html-page"]);

function isNamedAuth({ sdkError, types }: Facts): boolean {
  return (
    sdkError === "authentication_failed" ||
    sdkError === "cloud_credential_error" ||
    types.some(
      (type) =>
        type === "authentication_error" || type === "authentication_failed" || type === "cloud_credential_error",
    )
  );
}

function isSdkError(name: string): boolean {
  return Object.hasOwn(sdkErrors, name) || name === "authentication_failed" || name === "cloud_credential_error";
}

function fromRule({ verdict, id, reason }: TextRule): Classification {
  return { verdict, rule: id, reason };
}

function fromTyped(rule: string, { verdict, reason }: TypedRule): Classification {
  return { verdict, rule, reason };
}

function fromFallback(rule: keyof typeof fallbackRules): Classification {
  return fromTyped(rule, fallbackRules[rule]);
}
