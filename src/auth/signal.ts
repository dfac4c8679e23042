// What the outside can report about the credential: evidence with its provenance, never a judgement.
// Nothing here may carry a credential or a prompt; the classifier decides what a signal means.

/** Evidence about the credential, named for where it stood. The provenance decides what its text may prove. */
export type Signal =
  /** `system/api_retry`: the CLI saw a failed model call and is about to try again (attempt 1…). */
  | { source: "api_retry"; error: string; status: number | null; attempt: number }
  /** An assistant message with `error` set or `message.model` of `<synthetic>`: Claude Code's own words, never the model's. */
  | { source: "assistant"; error: string | undefined; status: number | null; text: string }
  /** A `result` message with `is_error`. Its `subtype` proves nothing. */
  | { source: "result"; error: string | undefined; status: number | null; text: string }
  /** The SDK's `auth_status` message. */
  | { source: "auth_status"; error: string | undefined; text: string }
  /** A subagent that ended early (`task_notification` with `status: "failed"`). */
  | { source: "subagent"; text: string }
  /** Whatever an operation threw. */
  | { source: "exception"; error: unknown }
  /** What the Claude process wrote to stderr before it died. */
  | { source: "stderr"; text: string }
  /** A response of the model API, or of a gateway before it. */
  | { source: "http"; status: number; body: string }
  /** A line pasted by a person (`ccapi explain`), judged as an error's own text. */
  | { source: "text"; text: string; status: number | null }
  /** A tool's output or the model's own words: never evidence about our credential. */
  | { source: "tool_output"; text: string }
  | { source: "model_text"; text: string };

/** What a signal says of the credential. */
export type Verdict = "auth_refreshable" | "auth_permanent" | "not_auth";

/** The classifier's answer: the verdict, why in words, and the id of the rule that decided. */
export interface Classification {
  readonly verdict: Verdict;
  /** One sentence for logs and people; holds no text of the signal. */
  readonly reason: string;
  /** Stable id of the rule, e.g. `sdk-authentication-failed`. */
  readonly rule: string;
}
