// DATA: messages that speak of keys, tokens and permissions and yet say nothing of our credential. Tried before those that do.
import { sources, type TextRule } from "./rule.ts";

function not(id: string, pattern: RegExp, reason: string, source: string): TextRule {
  return { id, verdict: "not_auth", pattern, reason, source };
}
/** Words that a failure of ours may hold too: in a path, a server's name, an advice. */
function vague(id: string, pattern: RegExp, reason: string, source: string): TextRule {
  return { ...not(id, pattern, reason, source), yields: true };
}

/** First match wins. */
export const elsewhereRules: readonly TextRule[] = [
  not(
    "clock-skew",
    /signature (?:we calculated )?does ?n[o']t match|SignatureDoesNotMatch|RequestTimeTooSkewed|Signature (?:not yet current|expired: .{0,80} is now earlier)|clock (?:is )?(?:skew|out of sync)|InvalidSignatureException/i,
    "The request's signature did not fit: look at this host's clock and the secret key's spelling.",
    sources.aws,
  ),
  vague(
    "not-json",
    /is not valid JSON|JSON Parse error|Unexpected (?:token|identifier|end of JSON)|SyntaxError|JSONDecodeError/i,
    "An answer could not be read as JSON.",
    sources.node,
  ),
  not(
    "html-page",
    /<(?:!doctype html|html)\b|syntax error near unexpected token `<'/i,
    "A page came back instead of an API's answer: a proxy or a firewall stands between.",
    sources.gateways,
  ),
  not(
    "tls",
    /self[- ]signed certificate|issuer cert|certificate (?:verify failed|has expired|is not trusted)|UNABLE_TO_(?:GET|VERIFY)|CERT_|ERR_TLS|SSL (?:certificate|routines)|TLS (?:connection|handshake)/i,
    "The connection's certificate was not accepted.",
    sources.node,
  ),
  not(
    "network",
    /\b(?:ECONN[A-Z]{3,10}|ENOTFOUND|ETIMEDOUT|EAI_AGAIN|EPIPE|EHOSTUNREACH|ENETUNREACH|UND_ERR_\w{3,30})\b|fetch failed|socket hang up|Connection (?:error|closed|refused|reset|timed out)|ConnectionRefused|(?:Unable|Failed) to connect|failed, reason:?|error sending request|network (?:error|is unreachable)|stream (?:closed|disconnected|watchdog)|no progress for \d{1,9}|getaddrinfo|upstream connect error|dial tcp|no such host|i\/o timeout|connectex|Could not resolve (?:host|proxy)|name resolution|max retries exceeded with url|ProxyError|net::ERR_/i,
    "The other side could not be reached.",
    sources.node,
  ),
  not(
    "timeout",
    /\btimed? ?out\b|timeout of \d{1,9} ?ms|deadline exceeded|\bAPIConnectionTimeoutError\b/i,
    "It took too long.",
    sources.node,
  ),
  not(
    "proxy-authentication",
    /\b407\b.{0,20}(?:proxy|authentication)|proxy authentication/i,
    "The HTTP proxy wants a credential of its own.",
    sources.http,
  ),
  not(
    "rate-limit",
    /rate.?limit|too many (?:requests|tokens)|usage limit|limit (?:was |is |has been )?(?:reached|exceeded)|hit your .{0,40}limit|ThrottlingException|throttl|RESOURCE_EXHAUSTED|\bquota\b|tokens per (?:minute|day)/i,
    "A limit of requests or tokens is reached.",
    sources.anthropicErrors,
  ),
  not(
    "overloaded",
    /overloaded|at capacity|(?:model|service) is (?:currently )?unavailable|ServiceUnavailable|experiencing high load/i,
    "The model API is overloaded.",
    sources.anthropicErrors,
  ),
  not(
    "billing",
    /credit balance|\bbilling\b|insufficient (?:funds|credits?|balance)|purchase credits|add funds|payment (?:required|method)|out of (?:credits|extra usage)|extra usage|spend(?:ing)? limit|budget has been exceeded/i,
    "The account has no credit or no plan for this.",
    sources.anthropicErrors,
  ),
  not(
    "region",
    /unsupported (?:countr|region|territor)|not (?:available|supported) in your (?:current )?(?:country|region|location)|supported[- ](?:countries|regions)/i,
    "The model API is not offered from here.",
    sources.claudeCode,
  ),
  not(
    "model-access",
    /issue with the selected model|access to (?:\w+[ -])?claude[ -](?:opus|sonnet|haiku|instant|\d)|\bmodels? .{0,100}(?:not found|(?:does|do)(?:es)?(?:n't| not) exist|not (?:available|supported|enabled|accessible|allowed)|access is denied)|(?:access|permission) (?:to|for|on|the) (?:the |this |requested )?(?:foundation )?models?\b(?! access)|(?:allowed|permission) to (?:access|call|use) (?:the |this )?model|not_found_error|not available (?:with|on|in) (?:the|your) .{0,30}(?:plan|deployment)|aws-marketplace|inference profile|on-demand throughput|not authorized to perform: (?:bedrock|aws)|aiplatform\.endpoints\.|(?<!Reauth )API has not been used in project|Provider '[^']{0,100}' not found|deployment .{0,60}(?:not found|does not exist)/i,
    "The account may not use this model, or there is none of this name.",
    sources.bedrock,
  ),
  vague(
    "mcp-server",
    /\bMCP\b|Claude in Chrome|claudeusercontent|\bofid_|\/mcp\b|McpError|dynamic client registration|Incompatible auth server|Invalid OAuth error response/i,
    "An MCP server wants a credential of its own.",
    "https://code.claude.com/docs/en/mcp",
  ),
  vague(
    "github-action",
    /OIDC token|app token exchange|GITHUB_TOKEN|github-actions\[bot\]|Workflow validation|ID_TOKEN_REQUEST|Resource not accessible by|write permissions to the repository/i,
    "GitHub's own token exchange failed.",
    "https://github.com/anthropics/claude-code-action/issues",
  ),
  vague(
    "file-permission",
    /\b(?:EACCES|EPERM|EROFS|ENOENT|ENOSPC)\b|operation not permitted|permission denied, (?:open|mkdir|unlink|rename|scandir|access|stat|lstat|rmdir|copyfile|spawn)|(?:cannot|can't) (?:open|create|access|remove|stat) .{0,120}permission denied|: \/[^:]{1,200}: Permission denied|Errno 13/i,
    "The operating system could not give access to a file.",
    sources.node,
  ),
  vague(
    "version-control",
    /\bpublickey\b|git@|\.git\b|^fatal:|git credential|\bclon(?:e|ing)\b|terminal prompts disabled|SSH (?:keys?|authentication|agent)|Host key verification|remote: |\bgh auth\b|api\.github|docs\.github|GitHub (?:App|API|CLI|token)/i,
    "A repository's host wants a credential of its own.",
    sources.tools,
  ),
  vague(
    "packages",
    /\bnpm (?:ERR|error|verbose|login)|\bE40[13]\b|huggingface|hf_hub|gated repo|\bRepositoryNotFound|docker(?:hub|\.io)?[ :/]|\bregistry\b|\bpypi\b|\bpip install\b|crates\.io/i,
    "A registry of packages or models wants a credential of its own.",
    sources.tools,
  ),
  vague(
    "database",
    /password authentication failed|ERR invalid password|\bWRONGPASS\b|\bNOAUTH\b|redis|postgres|mysql|mongo(?:db)?\b|snowflake|dynamodb|elasticsearch|kafka|Access denied for user '|ORA-\d{5}|Login failed for user/i,
    "A database wants a credential of its own.",
    sources.tools,
  ),
  vague(
    "other-service",
    /kube(?:adm|ctl|config|rnetes)|system:serviceaccount|logged in to the server|\bS3\b|ListObjects|todoist|notion\b|slack|jira|confluence|linear\.app|stripe|twilio|sendgrid|telegram|discord|figma|supabase|googleapis\.com\/(?:drive|gmail|calendar|sheets)|\/drive\/v\d|smtp|imap|ldap|kerberos|sudo:|vault (?:token|server)|terraform|Web(?:Fetch|Search)|\bcurl:|\bwget:/i,
    "Another service's credential or permission, not Claude's.",
    sources.tools,
  ),
  vague(
    "foreign-request",
    /(?:for url:?|\b(?:GET|POST|PUT|PATCH|DELETE|HEAD)|(?:request|POSTing) to|fetch(?:ing)?|download(?:ing)?(?: from)?|reach(?:ing)?|access(?:ing)?) ["'`(<]{0,2}https?:\/\/(?!(?:[\w-]{1,60}\.){0,5}(?:anthropic|claude|amazonaws|googleapis|google|microsoftonline|azure|openrouter|githubcopilot|openai)\.|[^\s"'`]{0,120}\/v1(?:beta)?\/(?:messages|chat|responses|models|complete)|localhost|127\.)/i,
    "A request to another host was refused.",
    sources.tools,
  ),
  vague(
    "other-provider",
    /Error from provider ?\((?!anthropic|claude|bedrock|vertex)|\[(?!claude|anthropic)[\w-]{2,40}\]: HTTP 40[13]\b/i,
    "A gateway's credential for another provider failed.",
    sources.gateways,
  ),
  vague(
    "policy",
    /permissionDecision|Blocked by policy|I can't help with|content (?:filter|policy|management)|violat\w{0,6} .{0,60}(?:policy|content)|safety (?:filter|system)|Permission (?:to use .{0,120}|for this action has been )denied|requested permissions? to|haven't granted it|blocked by (?:a )?hook|permission rule|user rejected|disabled by your organi[sz]ation/i,
    "A policy refused the content or the tool.",
    sources.anthropicErrors,
  ),
  vague(
    "code-or-test",
    /^(?:FAIL|PASS|not ok)\b|\bAssertionError: expected|\bTS\d{4}\b|Failed to parse [\w./-]{1,200}\.\w{1,5}\b|Cannot find (?:module|name|package)/i,
    "A compiler's or a test's words.",
    sources.node,
  ),
  vague(
    "notice",
    /takes precedence over|scheduling (?:a )?(?:proactive )?refresh|successfully (?:authenticated|logged in|refreshed|obtained|saved)|has (?:not )?been saved to|login successful|only available for API key users/i,
    "A notice, not a failure.",
    sources.claudeCode,
  ),
  vague(
    "invalid-content",
    /messages\.\d{1,6}\.|thinking blocks|tool_use(?:_id)?\b|max_tokens|prompt is too long|context (?:window|length)|Input should be|image exceeds/i,
    "The request's content was refused.",
    sources.anthropicErrors,
  ),
  not(
    "empty-result",
    /returned an error result: success$/i,
    "The SDK's words for any failed run; they say nothing of its cause.",
    sources.claudeCode,
  ),
];
