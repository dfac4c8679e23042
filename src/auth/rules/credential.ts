// DATA: messages about the credential itself. What says most stands first: a dead refresh token before an expired token,
// an expired token before the advice to log in that Claude Code adds to nearly everything.
import { sources, type TextRule } from "./rule.ts";

type Row = (id: string, pattern: RegExp, reason: string, source: string) => TextRule;
const dead: Row = (id, pattern, reason, source) => ({ id, verdict: "auth_permanent", pattern, reason, source });
const invalid: Row = (...row) => ({ ...dead(...row), mayRenew: true });
const stale: Row = (...row) => ({ ...dead(...row), verdict: "auth_refreshable" });

/** First match wins. */
export const credentialRules: readonly TextRule[] = [
  stale(
    "refresh-held",
    /another (?:Claude Code )?process is (?:refreshing|holding the refresh)|AADSTS9003\d|AADSTS90019/i,
    "Someone else is renewing the login at this moment.",
    sources.claudeCode,
  ),
  stale(
    "google-reauth",
    /invalid_rapt|rapt_required|reauth related error|Reauthentication (?:is )?(?:needed|required|failed)|gcloud auth (?:application-default )?(?:login|print-access-token)(?! --help)/i,
    "Google wants the person's login confirmed again.",
    sources.googleReauth,
  ),
  dead(
    "revoked",
    /(?:token|key|credential|secret|session|access|login|certificate|grant)s?\b.{0,40}\b(?:revoked|invalidated|rescinded|withdrawn|blacklisted)|\b(?:revoked|invalidated)\b.{0,30}(?:token|key|credential)|account_session_invalid|token_(?:invalidated|revoked)/i,
    "The credential was revoked.",
    sources.anthropicErrors,
  ),
  dead(
    "account-disabled",
    /(?:organi[sz]ation|account|workspace|user|api.?key|\bkey)\b.{0,40}\b(?:been|is|was|are|were|currently|temporarily) (?:\w{1,20} )?(?:disabled|deactivated|suspended|banned|on hold|locked|closed|deleted|blocked)\b|disabled (?:organi[sz]ation|account|(?:api )?key)|(?:account|api.?key)s? (?:disabled|deactivated|suspended|banned|locked|deleted)\b|organi[sz]ation has disabled (?:claude|api|oauth|login|subscription)|authentication is disabled|account_on_hold|(?:verify|verification of) your (?:account|identity|organi[sz]ation)|verification_required|VALIDATION_REQUIRED/i,
    "The account, the organisation or the key is disabled, or waits for a person.",
    sources.claudeCodeIssues,
  ),
  dead(
    "organization-not-allowed",
    /oauth_org_not_allowed|(?:not|no longer) (?:a |an )?(?:member|part|authorized|allowed)\b.{0,40}organi[sz]ation|(?:wrong|different) organi[sz]ation|organi[sz]ation .{0,60}(?:not allowed|does not (?:have access|allow|match))|does not have access to Claude(?: Code)?(?=[.;,· ]{0,5}(?:$|please|contact|run|login|log in))|(?:Max|Pro|Team|Enterprise|subscription)\b.{0,30}\bis required|OAuth authentication is (?:currently )?not (?:supported|allowed)|only authorized for use with|scope requirement|missing .{0,20}scope|insufficient.{0,3}scope|can't use (?:your Claude subscription|the Anthropic Console sign-in)/i,
    "This account or login may not be used here.",
    sources.claudeCodeIssues,
  ),
  stale(
    "expired-assertion",
    /AADSTS700024|AADSTS500133|AADSTS70044|not within its valid time range/i,
    "The federated token that is exchanged for another has expired.",
    sources.azure,
  ),
  dead(
    "azure-sign-in",
    /AADSTS\d{5,7}|(?:run|using|use) ['"`]?(?:az|azd auth) login|Connect-AzAccount/i,
    "Microsoft Entra wants a person to sign in or to mend the application.",
    sources.azure,
  ),
  stale(
    "aws-sso",
    /\bSSO (?:session|token).{0,120}(?:expired|invalid|not exist|not found)|refreshing SSO token|retrieving token from sso|Session token not found or invalid|aws sso login|aws login\b/i,
    "The AWS SSO session has ended; `aws sso login` renews it.",
    sources.awsSso,
  ),
  dead(
    "refresh-token-dead",
    /no refresh (?:token|is available)|refresh.?token.{0,60}(?:not found|invalid|expired|missing|reuse|already used|has been|no longer valid)|(?:invalid|expired|missing) refresh.?token|bad_token|invalid_grant|expired due to inactivity|could not be refreshed|cannot be renewed|reached its time limit/i,
    "The login can't be renewed any more.",
    sources.oauth,
  ),
  dead(
    "helper-failing",
    /apiKeyHelper\b.{0,60}(?:fail|error|does not|did not|can't|cannot|ended|timed|print|hang|returned|exited|not found|no such|denied)|(?:awsAuthRefresh|awsCredentialExport|gcpAuthRefresh|credential_process|proxyAuthHelper)\b.{0,60}(?:fail|error|did not|exited|timed)/i,
    "The operator's helper gives no credential.",
    sources.claudeCode,
  ),
  dead(
    "not-logged-in",
    /not (?:currently |yet )?(?:(?:logged|signed) ?in|authenticated)\b|\bauthenticate first|(?:could ?n[o']t|could not|can(?:not|'t)|unable to|failed to) (?:sign|log) ?in\b|login (?:is )?required|authentication (?:is )?required|you (?:are|must be|need to be|have been) (?:not )?(?:logged|signed) ?(?:in|out)|no (?:active |valid )?(?:login|session) found|(?:logged|signed) out\b|session has ended|active account selected|\b(?:need|have|must|please) (?:to )?(?:log|sign) ?in\b(?! to (?!claude|anthropic|your|continue|use)\w)|sign in to continue/i,
    "Nobody is logged in.",
    sources.claudeCode,
  ),
  dead(
    "credential-missing",
    /credentials? (?:file )?(?:were |was |could |is |are )?(?:not|n't) (?:be )?(?:found|loaded|sourced|resolved|provided|set|configured|available)|(?:could ?n[o']t|could not|unable to|failed to|can(?:not|'t)) (?:load|locate|find|resolve|read|be sourced|retrieve).{0,40}(?:credentials?|api.?key)\b|(?:no|without|missing|lacks?) (?:an? |any |valid |cookie |default |the )?(?:\w{1,20} ){0,2}(?:x-)?(?:api.?key|credentials?|auth(?:entication|orization)? (?:token|method|credentials?|header|info)|bearer(?: token)?|access token|required header)\b|(?:api.?key|api.?token|auth(?:entication|orization)?(?: token| header)?|credentials?|x-api-key header|(?:ANTHROPIC|CLAUDE)_\w{0,30}(?:KEY|TOKEN|CREDENTIALS)) (?:\w{1,20} )?(?:is |are |was )?(?:required|missing|empty|undefined|unset|not (?:set|provided|found|configured|supplied|present|specified)|set but empty)|resolve authentication method|could not be found in the keychain|(?:provide|supply|enter|include|set|pass in) (?:a |an |your )?(?:valid )?api.?key|CREDENTIALS_PROVIDER_\w{0,60}FAILURE|NoCredentials?Error|NoCredentialProviders|no EC2 IMDS|no instance (?:role|profile)|CredentialsProviderError|DefaultCredentialsError|CredentialUnavailable|authentication unavailable|file named by \w{1,60}_FILE/i,
    "There is no credential.",
    sources.claudeCode,
  ),
  dead(
    "credential-unusable",
    /(?:service account|credential|key)s? (?:info|file|json)\b.{0,40}(?:\bnot\b|invalid|malformed|corrupt)|(?:x-api-key|authorization|credential|token|key)\b.{0,30}(?:newline|line break|whitespace|non-ascii|invalid character)|invalid (?:character in )?header.{0,20}(?:authorization|x-api-key)|Fix the environment variable/i,
    "What is given as a credential can't be used as one.",
    sources.claudeCode,
  ),
  dead(
    "login-expired",
    /(?:login|sign-?in)s? (?:\w{1,10} ){0,2}(?:expired|lapsed)/i,
    "The login has ended; a person has to log in.",
    sources.claudeCode,
  ),
  dead(
    "login-not-finished",
    /OAuth error: (?:invalid|state|Request failed with status code 4)|full code was copied|authorization code (?:is |was |has )?(?:invalid|expired|not)|access_denied\b/i,
    "A login was begun and not finished.",
    sources.claudeCode,
  ),
  stale("bearer-expired", /bearer token (?:has |is )?expired/i, "The token has expired.", sources.anthropicErrors),
  invalid(
    "invalid-api-key",
    /(?:invalid|incorrect|bad|malformed|unknown|wrong|unrecogni[sz]ed)\W{0,3}(?:\w{1,20} ){0,2}(?:x-?)?api.?key|(?:invalid|incorrect|wrong) (?:subscription|access|virtual|secret) key|invalid (?:external )?auth token|(?:invalid|incorrect) (?:client )?secret|api.?key.{0,30}(?:invalid|incorrect|not valid|is valid|not recogni[sz]ed|malformed|does not have permission|rejected|not allowed)|invalid_api_key|must start with pre-defined prefix|api_key\.startswith|invalid access token or token expired|API_KEY_INVALID/i,
    "The key is not valid.",
    sources.anthropicErrors,
  ),
  invalid(
    "unknown-credential",
    /token_not_found|unable to find token|(?:key|token)\b.{0,20}not found(?: in db)?\b|token was not found|not found or is malformed|\bUser not found\b|proxy server token/i,
    "The server does not know this credential.",
    sources.openrouter,
  ),
  stale(
    "expired",
    /(?:token|credential|session|assertion|jwt|key|authorization|login cookie|access)s?\b.{0,60}\bexpired\b|\bexpired.{0,20}(?:token|credential|session|jwt|key)|ExpiredToken|TokenExpired|(?:token|key|session)_expired|expired_(?:token|key|session)|RequestExpired/i,
    "The credential has expired.",
    sources.anthropicErrors,
  ),
  dead(
    "role-refused",
    /InvalidIdentityToken|IDPRejectedClaim|(?:perform:?|calling the) (?:sts:)?AssumeRole|Partial credentials|iam\.serviceAccounts|unable to impersonate/i,
    "The cloud does not hand out the role's credential.",
    sources.aws,
  ),
  stale(
    "invalid-bearer",
    /bearer token.{0,60}invalid|invalid.{0,12}bearer|\b(?:invalid|bad|malformed|incorrect)[_ ](?:access[_ ])?token\b(?! (?:count|limit|usage))|(?<!(?:access|oauth|auth|bearer) )\b(?:token|jwt) (?:is |was |has been )?(?:invalid|rejected|refused|malformed|not valid|incorrect)\b|invalid signature in token|Expected OAuth 2 access token|UNAUTHENTICATED\b|ACCESS_TOKEN_TYPE_UNSUPPORTED|auth_unavailable|no auth available|Access token is missing, invalid/i,
    "The token was rejected, without a word about its being dead.",
    sources.oauth,
  ),
  stale(
    "token-not-renewed",
    /(?:failed|unable|could not|error|cannot) (?:to |when |while )?(?:get|getting|refresh|refreshing|obtain|obtaining|acquir\w{1,3}|renew|renewing|retriev\w{1,3}|fetch|fetching) (?:a |an |the )?(?:\w{1,30} ){0,4}(?:tokens?|credentials?)\b|(?:token|credentials?) (?:refresh|exchange|renewal) (?:failed|error)|refresh(?:ing)? .{0,30}(?:token|credentials?|login) failed|could not refresh|verify your Google Cloud auth/i,
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
  stale(
    "cloud-credential",
    /(?:AWS|Google Cloud|GCP|Azure|Foundry) credentials? expired|looks broken or expired/i,
    "The credential looks expired.",
    sources.claudeCode,
  ),
  invalid(
    "invalid-credentials",
    /invalid (?:authentication )?credentials|invalid auth(?:entication|orization)\b|(?:access|oauth|auth\w{0,12}) token is invalid|credentials? (?:is|are|was|were) (?:invalid|not valid|rejected|incorrect)|(?:bad|incorrect|wrong) credentials|invalid (?:login|client)\b|not validate credentials|invalid_client|unauthorized_client/i,
    "The credential is not valid.",
    sources.anthropicErrors,
  ),
  invalid(
    "authentication-failed",
    /(?:authentication|authorization) (?:has )?fail(?:ed|s|ure)|(?:failed|unable) to auth(?:enticate|orize)|could not (?:be )?authenticate|error authenticating|credential error|\bauth (?:failed|failure|error)\b|authentication did not complete|not (?:yet )?authorized to access your account|Authentication ?Error\b(?!.{0,40}\b(?:4(?:0[0245-9]|[1-9]\d)|5\d\d)\b)/i,
    "Authentication failed, without a word about why.",
    sources.gateways,
  ),
  stale(
    "chinese-words",
    /(?:令牌|凭证|密钥|登录|token).{0,12}(?:无效|过期|失效|不可用)|无效的(?:令牌|密钥|凭证)|(?:身份验证|认证|鉴权)失败|未授权|未登录/i,
    "A gateway says in Chinese that the credential was rejected.",
    sources.chineseGateways,
  ),
  invalid(
    "login-advised",
    /\brun \/login|run `?claude`? (?:and|to) (?:log|sign) ?in|claude auth login|claude setup-token|re-?authenticat|(?:log ?|sign )in again/i,
    "Claude Code advises to log in.",
    sources.claudeCode,
  ),
  {
    ...invalid(
      "credential-words",
      /\b(?:api.?keys?|access.?key|credentials?|\w{0,20}Credential|auth (?:token|method|header|key|error)s?|authenticat\w{0,6}|authori[sz]ation(?! prompt)|oauth|access token|bearer|(?:[A-Z]{2,20}_){1,4}(?:KEY|TOKEN|CREDENTIALS)|log ?in|sign ?in)\b.{0,40}\b(?:not|no|fail\w{0,4}|invalid|missing|requir\w{1,4}|denied|unable|reject\w{0,3}|refus\w{0,3}|unavailable|disabled)\b|\b(?:not|no|fail\w{0,4}|invalid|missing|requir\w{1,4}|unable|reject\w{0,3}|refus\w{0,3}|without|set|specify)\b.{0,40}\b(?:api.?keys?|credentials?|auth (?:token|method|header|key)s?|authenticat\w{0,6}|oauth|bearer|(?:[A-Z]{2,20}_){1,4}(?:KEY|TOKEN|CREDENTIALS))\b|Authentication\w{0,20}(?:Error|Exception)\b/i,
      "An error that speaks of a credential beside a word of failure.",
      sources.gateways,
    ),
    isLastResort: true,
  },
];
