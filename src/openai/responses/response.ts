// The response object: what was asked, echoed, and what came of it. Pure.
// Every key that the Open Responses document (2026-04-24) requires is there, also where it is null.
import type { CcapiError, ErrorCode } from "../../auth/errors.ts";
import type { OutputItem } from "./items.ts";
import type { ResponseUsage } from "./usage.ts";

/** What a response repeats of its request. */
export interface ResponseEcho {
  readonly model: string;
  readonly instructions: string | null;
  readonly previous_response_id: string | null;
  readonly tools: readonly {
    readonly type: "function";
    readonly name: string;
    readonly description: string | null;
    readonly parameters: unknown;
    readonly strict: boolean;
  }[];
  readonly tool_choice: unknown;
  readonly parallel_tool_calls: boolean;
  readonly text: { readonly format: object; readonly verbosity?: string };
  readonly reasoning: { readonly effort: string | null; readonly summary: string | null };
  readonly temperature: number;
  readonly top_p: number;
  readonly max_output_tokens: number | null;
  readonly max_tool_calls: number | null;
  readonly truncation: "auto" | "disabled";
  readonly store: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly safety_identifier: string | null;
  readonly prompt_cache_key: string | null;
  readonly user?: string;
}

/** How far a response is. */
export type ResponseStatus = "in_progress" | "completed" | "incomplete" | "failed";

/** What differs from one moment of a response to another. */
export interface ResponseState {
  readonly status: ResponseStatus;
  /** Seconds since the epoch; only where it is completed. */
  readonly completed_at: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly incomplete_details: { readonly reason: "max_output_tokens" | "content_filter" } | null;
  readonly output: readonly OutputItem[];
  readonly usage: ResponseUsage | null;
}

/** OpenAI's `response` object. */
export interface ResponseObject extends ResponseEcho, ResponseState {
  readonly id: string;
  readonly object: "response";
  /** Seconds since the epoch. */
  readonly created_at: number;
  readonly background: false;
  readonly frequency_penalty: 0;
  readonly presence_penalty: 0;
  readonly top_logprobs: 0;
  readonly service_tier: "default";
}

/** A response's frame: what does not change while it is made. */
export interface ResponseFrame {
  /** `resp_…` */
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created_at: number;
  readonly echo: ResponseEcho;
}

/** The object of a response in one state. */
export function toResponseObject({ id, created_at, echo }: ResponseFrame, state: ResponseState): ResponseObject {
  return {
    id,
    object: "response",
    created_at,
    ...echo,
    ...state,
    background: false,
    frequency_penalty: 0,
    presence_penalty: 0,
    top_logprobs: 0,
    service_tier: "default",
  };
}

/** OpenAI's closed set of `response.error.code`, and `context_length_exceeded`, which its live API gives too and Codex reads. */
const responseErrorCodes: Partial<Record<ErrorCode, string>> = {
  rate_limit_exceeded: "rate_limit_exceeded",
  upstream_rate_limited: "rate_limit_exceeded",
  queue_full: "rate_limit_exceeded",
  context_length_exceeded: "context_length_exceeded",
  invalid_request: "invalid_prompt",
  upstream_rejected: "invalid_prompt",
};

/** What a failed response says of its failure. The event before it has our own code. */
export function toResponseError({ code, message }: CcapiError): NonNullable<ResponseState["error"]> {
  return { code: responseErrorCodes[code] ?? "server_error", message };
}
