// DATA: messages that speak of keys, tokens and permissions and yet say nothing of our credential. Tried before those that do.
import { sources, type TextRule } from "./rule.ts";

function not(id: string, pattern: RegExp, reason: string, source: string): TextRule {
  return { id, verdict: "not_auth", pattern, reason, source };
}

/** First match wins. */
export const elsewhereRules: readonly TextRule[] = [
  not(
    "clock-skew",
    /signature (?:we calculated )?does ?n[o']t match|SignatureDoesNotMatch|RequestTimeTooSkewed|Signature (?:not yet current|expired: .{0,80} is now earlier)|clock (?:is )?(?:skew|out of sync)|InvalidSignatureException/i,
    "The request's signature did not fit: look at this host's clock and the secret key's spelling.",
    sources.aws,
  ),
  not(
    "not-json",
    /is not valid JSON|JSON Parse error|Unexpected (?:token|identifier|end of JSON)|SyntaxError|JSONDecodeError/i,
    "An answer could not be read as JSON.",
    sources.node,
  ),
  not(
    "html-page",
    /^\s*<(?:!doctype|html)|syntax error near unexpected token `<'/i,
    "A page came back instead of an API's answer: a proxy or a firewall stands between.",
    sources.gateways,
  ),
  not(
    "tls",
    /self[- ]signed certificate|issuer cert|certificate (?:verify failed|has expired|is not trusted)|UNABLE_TO_(?:GET|VERIFY)|CERT_|ERR_TLS|SSL (?:certificate|routines)/i,
    "The connection's certificate was not accepted.",
    sources.node,
  ),
  not(
    "network",
    /\b(?:ECONN[A-Z]+|ENOTFOUND|ETIMEDOUT|EAI_AGAIN|EPIPE|EHOSTUNREACH|ENETUNREACH|UND_ERR_\w+)\b|fetch failed|socket hang up|Connection (?:error|closed|refused|reset|timed out)|ConnectionRefused|Unable to connect|Failed to connect|failed, reason:?|error sending request|network (?:error|is unreachable)|stream (?:closed|disconnected|watchdog)|no progress for \d+|getaddrinfo/i,
    "The other side could not be reached.",
    sources.node,
  ),
  not("timeout", /\btimed? ?out\b|deadline exceeded|\bAPIConnectionTimeoutError\b/i, "It took too long.", sources.node),
  not(
    "proxy-authentication",
    /\b407\b|proxy authentication/i,
    "The HTTP proxy wants a credential of its own.",
    "RFC 9110, 15.5.8",
  ),
  not(
    "rate-limit",
    /rate.?limit|too many requests|usage limit|limit (?:was |is |has been )?reached|hit your .{0,40}limit|ThrottlingException|throttl|RESOURCE_EXHAUSTED|\bquota\b|tokens per (?:minute|day)/i,
    "A limit of requests or tokens is reached.",
    sources.anthropicErrors,
  ),
  not(
    "overloaded",
    /overloaded|at capacity|(?:model|service) is (?:currently )?unavailable|ServiceUnavailable/i,
    "The model API is overloaded.",
    sources.anthropicErrors,
  ),
  not(
    "billing",
    /credit balance|\bbilling\b|insufficient (?:funds|credits?|balance)|purchase credits|add funds|payment (?:required|method)|out of credits|spend(?:ing)? limit/i,
    "The account has no credit or no plan for this.",
    sources.anthropicErrors,
  ),
  not(
    "region",
    /unsupported (?:countr|region)|not available in your (?:country|region)|supported[- ]countries/i,
    "The model API is not offered from here.",
    sources.claudeCode,
  ),
  not(
    "model-access",
    /issue with the selected model|\bmodels? .{0,100}(?:not found|(?:does|do)(?:es)?(?:n't| not) exist|not (?:available|supported|enabled|accessible)|access is denied)|(?:access|permission) (?:to|for|on) (?:the |this |requested )?(?:foundation )?models?\b|not_found_error|aws-marketplace|inference profile|on-demand throughput|bedrock:InvokeModel|aiplatform\.endpoints\.predict|Provider '[^']{0,100}' not found|deployment .{0,60}(?:not found|does not exist)/i,
    "The account may not use this model, or there is none of this name.",
    sources.bedrock,
  ),
  not(
    "mcp-server",
    /\bMCP\b|dynamic client registration|Incompatible auth server/i,
    "An MCP server wants a credential of its own.",
    "https://code.claude.com/docs/en/mcp",
  ),
  not(
    "github-action",
    /OIDC token|app token exchange|GITHUB_TOKEN|github-actions\[bot\]|Workflow validation/i,
    "GitHub's own token exchange failed.",
    "https://github.com/anthropics/claude-code-action/issues",
  ),
  not(
    "file-permission",
    /\b(?:EACCES|EPERM|EROFS|ENOENT|ENOSPC)\b|operation not permitted|permission denied, (?:open|mkdir|unlink|rename|scandir|access|stat|lstat|rmdir|copyfile|spawn)|(?:cannot|can't) (?:open|create|access|remove|stat) .{0,120}permission denied|: \/[^:]{1,200}: Permission denied/i,
    "The operating system denied access to a file.",
    sources.node,
  ),
  not(
    "other-service",
    /\bpublickey\b|git@|\.git\b|^fatal:|\bnpm (?:ERR|error|verbose)|\bE40[13]\b|huggingface|hf_hub|docker(?:hub|\.io)?[ :/]|\bregistry\b|\bgh auth\b|api\.github|docs\.github|git credential|password authentication failed|ERR invalid password|redis|postgres|mysql|mongo(?:db)?|snowflake|dynamodb|kube(?:adm|ctl|rnetes)|serviceaccount|system:|\bS3\b|gated repo|\bRepositoryNotFound|todoist|notion|slack|jira|confluence|linear\.app|stripe|twilio|sendgrid|googleapis\.com\/(?:drive|gmail|calendar|sheets)|\/drive\/v\d|smtp|imap|ldap|kerberos|sudo:|vault (?:token|server)|terraform/i,
    "Another service's credential or permission, not Claude's.",
    sources.tools,
  ),
  not(
    "other-provider",
    /Error from provider ?\((?!anthropic|claude|bedrock|vertex)|\[(?!claude|anthropic)[\w-]{2,40}\]: HTTP 40[13]\b/i,
    "A gateway's credential for another provider failed.",
    sources.gateways,
  ),
  not(
    "policy",
    /permissionDecision|Blocked by policy|I can't help with|content (?:filter|policy|management)|violat\w+ .{0,60}policy|safety (?:filter|system)/i,
    "A policy refused the content or the tool.",
    sources.anthropicErrors,
  ),
  not(
    "notice",
    /takes precedence over|scheduling (?:a )?(?:proactive )?refresh|successfully (?:authenticated|logged in|refreshed|obtained|saved)|has (?:not )?been saved to/i,
    "A notice, not a failure.",
    sources.claudeCode,
  ),
  not(
    "invalid-content",
    /messages\.\d+\.|thinking blocks|tool_use(?:_id)?\b|max_tokens|prompt is too long|context (?:window|length)|Input should be|image exceeds/i,
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
