// DATA: messages about the credential itself. What says most stands first: a dead refresh token before an expired token,
// an expired token before the advice to log in that Claude Code adds to nearly everything.
import { sources, type TextRule } from "./rule.ts";

const dead = (id: string, pattern: RegExp, reason: string, source: string): TextRule => ({
  id,
  verdict: "auth_permanent",
  pattern,
  reason,
  source,
});
const invalid = (id: string, pattern: RegExp, reason: string, source: string): TextRule => ({
  ...dead(id, pattern, reason, source),
  mayRenew: true,
});
const stale = (id: string, pattern: RegExp, reason: string, source: string): TextRule => ({
  id,
  verdict: "auth_refreshable",
  pattern,
  reason,
  source,
});

/** First match wins. */
export const credentialRules: readonly TextRule[] = [
  dead(
    "revoked",
    /(?:token|key|credential|session|access|login)s?\b.{0,40}\b(?:been |was |is |were )?revoked|\brevoked\b.{0,30}(?:token|key|credential)|account_session_invalid/i,
    "The credential was revoked.",
    sources.anthropicErrors,
  ),
  dead(
    "account-disabled",
    /(?:organi[sz]ation|account|workspace|user|key)\b.{0,40}\b(?:disabled|deactivated|suspended|banned|on hold|locked|closed)\b|account_on_hold|verification_required/i,
    "The account, the organisation or the key is disabled.",
    sources.claudeCodeIssues,
  ),
  dead(
    "organization-not-allowed",
    /oauth_org_not_allowed|(?:not (?:a )?(?:member|authorized|allowed)|wrong|different) .{0,40}organi[sz]ation|organi[sz]ation .{0,60}(?:not allowed|does not (?:have access|allow|match))|does not have access to Claude|(?:Max|Pro|Team|Enterprise|subscription)\b.{0,30}\bis required|OAuth authentication is (?:currently )?not (?:supported|allowed)|scope requirement|missing .{0,20}scope|insufficient.{0,3}scope/i,
    "This account or login may not be used here.",
    sources.claudeCodeIssues,
  ),
  stale(
    "google-reauth",
    /invalid_rapt|rapt_required|reauth related error|Reauthentication (?:is )?(?:needed|required|failed)|gcloud auth (?:application-default )?(?:login|print-access-token)/i,
    "Google wants the person's login confirmed again.",
    sources.googleReauth,
  ),
  dead(
    "refresh-token-dead",
    /no refresh token|refresh.?token.{0,60}(?:not found|invalid|expired|missing|reuse|already used|has been)|(?:invalid|expired|missing) refresh.?token|AADSTS(?:700082|700084|70043|50173|50078|50076|50079|65001)|invalid_grant|expired due to inactivity|could not be refreshed/i,
    "The login can't be renewed any more.",
    sources.azure,
  ),
  dead(
    "helper-failing",
    /apiKeyHelper\b.{0,60}(?:fail|error|does not|did not|can't|cannot|ended|timed|print|hang)|(?:awsAuthRefresh|awsCredentialExport|gcpAuthRefresh)\b.{0,60}(?:fail|error)/i,
    "The operator's helper gives no credential.",
    sources.claudeCode,
  ),
  dead(
    "not-logged-in",
    /not (?:logged|signed) in|login required|you (?:are|must be) (?:not )?logged ?(?:in|out)|no (?:active )?(?:login|session) found|logged out/i,
    "Nobody is logged in.",
    sources.claudeCode,
  ),
  dead(
    "credential-missing",
    /credentials? (?:were |was |could )?(?:not|n't) (?:be )?(?:found|loaded|sourced|resolved|provided|set|configured|available)|(?:could not|unable to|failed to) (?:load|locate|find|resolve|retrieve|be sourced).{0,40}credential|no (?:api.?key|credentials?|auth(?:entication)? (?:token|method|credentials?))\b|(?:api.?key|auth(?:entication|orization)?(?: token| header)?|credentials?|x-api-key header) (?:is |are |was )?(?:required|missing|empty|not (?:set|provided|found|configured))|missing (?:api.?key|auth\w*|credentials?|bearer|required header x-api-key)|resolve authentication method|could not be found in the keychain|CREDENTIALS_PROVIDER_\w*FAILURE|NoCredentialsError|CredentialsProviderError|file named by \w+_FILE/i,
    "There is no credential.",
    sources.claudeCode,
  ),
  stale(
    "expired-not-renewed",
    /(?:SSO|sso) (?:session|token).{0,120}(?:expired|invalid)|retrieving token from sso|aws sso login/i,
    "The AWS SSO session has ended; `aws sso login` renews it.",
    sources.awsSso,
  ),
  dead(
    "login-expired",
    /login (?:has )?expired|(?:please )?run az login/i,
    "The login has ended; a person has to log in.",
    sources.claudeCode,
  ),
  invalid(
    "invalid-api-key",
    /invalid.{0,3}x-api-key|(?:invalid|incorrect|bad|malformed|unknown|wrong).{0,3}api.?key|api.?key.{0,30}(?:invalid|incorrect|not valid|is valid|not recognized|malformed|expired)|invalid_api_key|must start with pre-defined prefix|api_key\.startswith|invalid access token or token expired|API_KEY_INVALID/i,
    "The key is not valid.",
    sources.anthropicErrors,
  ),
  stale(
    "expired",
    /(?:token|credential|session|assertion|jwt|key|authorization|login cookie|access)s?\b.{0,60}\bexpired\b|\bexpired.{0,20}(?:token|credential|session|jwt)|ExpiredToken|TokenExpired|token_expired|RequestExpired|AADSTS700024|AADSTS70044|not within its valid time range/i,
    "The credential has expired.",
    sources.anthropicErrors,
  ),
  stale(
    "invalid-bearer",
    /bearer token.{0,60}invalid|invalid.{0,12}bearer|\binvalid[_ ]token\b|Expected OAuth 2 access token|UNAUTHENTICATED\b|ACCESS_TOKEN_TYPE_UNSUPPORTED|auth_unavailable|no auth available/i,
    "The token was rejected, without a word about its being dead.",
    sources.oauth,
  ),
  stale(
    "token-not-renewed",
    /(?:failed|unable) to (?:get|refresh|obtain|acquire|renew) (?:a |an |the )?(?:\w+ ){0,4}(?:token|credentials?)|token (?:refresh|exchange) failed|refresh(?:ing)? .{0,30}(?:token|credentials?) failed|Authentication failed\. Please verify your Google Cloud/i,
    "The credential could not be renewed this time.",
    sources.gateways,
  ),
  invalid(
    "invalid-aws-token",
    /UnrecognizedClientException|InvalidClientTokenId|security token included in the request is invalid|InvalidAccessKeyId|AuthFailure\b/i,
    "AWS does not know this access key.",
    sources.aws,
  ),
  dead(
    "reauth-api-disabled",
    /Reauth API has not been used/i,
    "Google's project lacks an API that logging in needs.",
    sources.googleReauth,
  ),
  invalid(
    "invalid-credentials",
    /invalid (?:authentication )?credentials|invalid authorization|(?:access|oauth|auth\w*) token is invalid|credentials? (?:is|are) (?:invalid|not valid|rejected)|invalid (?:username|password|login|client)\b|invalid_client/i,
    "The credential is not valid.",
    sources.anthropicErrors,
  ),
  stale("sdk-words-expired", /looks broken or expired/i, "The credential looks expired.", sources.claudeCodeIssues),
  invalid(
    "authentication-failed",
    /authentication failed|failed to authenticate|authentication did not complete|not (?:yet )?authorized to access your account|Authentication ?Error\b(?!.{0,40}\b(?:4(?:0[0245-9]|[1-9]\d)|5\d\d)\b)/i,
    "Authentication failed, without a word about why.",
    sources.gateways,
  ),
  invalid(
    "login-advised",
    /please run \/login|run `?claude`? (?:and|to) (?:log|sign) ?in|re-?authenticat|log ?in again|sign in again/i,
    "Claude Code advises to log in.",
    sources.claudeCode,
  ),
];
