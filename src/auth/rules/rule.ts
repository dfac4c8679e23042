// The shape of a rule about texts, and where the facts in the tables come from.
import type { Verdict } from "../signal.ts";

/** One known kind of message. */
export interface TextRule {
  /** Stable; logs, metrics and `ccapi explain` name it. */
  readonly id: string;
  readonly verdict: Verdict;
  /**
   * For `auth_permanent`: whether a credential that can be renewed may be mended without a person all the same. A rotated key,
   * for one, is reported as an invalid one.
   */
  readonly mayRenew?: boolean;
  /** For `not_auth`: whether a failure that names itself Claude's authentication is one all the same, although it holds these words. */
  readonly yields?: boolean;
  /** Whether it is asked only when types, status and all other rows say nothing, and only of a failure of ours. */
  readonly isLastResort?: boolean;
  /** Tested on a text in which escapes are undone and blanks are single. Every repetition is bounded: linear in the text's length. */
  readonly pattern: RegExp;
  /** One sentence for people. */
  readonly reason: string;
  /** Where the wording was seen. */
  readonly source: string;
}

/** Documents and threads that rows refer to. */
export const sources = {
  anthropicErrors: "https://platform.claude.com/docs/en/api/errors",
  claudeCode: "Claude Code 2.1.330, its message table; https://code.claude.com/docs/en/errors",
  claudeCodeIssues: "https://github.com/anthropics/claude-code/issues",
  aws: "https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html",
  awsSso: "https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sso.html",
  bedrock: "https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html",
  google: "https://cloud.google.com/docs/authentication/application-default-credentials",
  googleReauth: "https://support.google.com/a/answer/9368756",
  azure: "https://learn.microsoft.com/entra/identity-platform/reference-error-codes",
  oauth: "RFC 6749, 5.2; RFC 6750, 3.1",
  http: "RFC 9110, 15.5",
  gateways: "https://docs.litellm.ai/docs/exception_mapping; reports of users of gateways",
  openrouter: "https://openrouter.ai/docs/api-reference/errors",
  chineseGateways: "https://github.com/QuantumNous/new-api/issues; Zhipu's and Moonshot's error codes",
  node: "https://nodejs.org/api/errors.html",
  tools: "messages of git, npm, ssh, databases and HTTP tools, as users report them",
} as const;
