// The language between the HTTP front doors and the core: one Turn in, a stream of TurnEvents out.
// Pure types. Content blocks have the Anthropic API's shapes, because the core hands them on as they are.

/** A part of a message's content, in the Messages API's own shape. */
export type ContentBlock =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image"; readonly source: ImageSource }
  | { readonly type: "document"; readonly source: DocumentSource; readonly title?: string }
  /** The model's own, with the signature that proves it: only in an assistant's message that a client sends again. */
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "redacted_thinking"; readonly data: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: unknown }
  | {
      readonly type: "tool_result";
      readonly tool_use_id: string;
      readonly content: string | readonly ContentBlock[];
      readonly is_error?: boolean;
    };

type Base64 = { readonly type: "base64"; readonly media_type: string; readonly data: string };
/** A `url` is fetched by us, or refused, before the turn reaches Claude. */
export type ImageSource = Base64 | { readonly type: "url"; readonly url: string };
/** Pages, or plain text. */
export type DocumentSource =
  | Base64
  | { readonly type: "text"; readonly media_type: "text/plain"; readonly data: string };

/** One message of the conversation. */
export interface Message {
  readonly role: "user" | "assistant";
  readonly content: readonly ContentBlock[];
}

/** How hard the model thinks. `none` asks for no reasoning. */
export type Effort = "none" | "low" | "medium" | "high" | "xhigh" | "max";

/** Which of the two ways Claude is run: `agent` is Claude Code itself, `chat` is a plain model without tools. */
export type Profile = "agent" | "chat";

/** A JSON schema, as a client gave it. */
export type JsonSchema = { readonly [key: string]: unknown };

/** A function of the client's that the model may ask for. The client runs it, in its own time and place. */
export interface ClientTool {
  /** As the client names it; any characters. */
  readonly name: string;
  readonly description: string | undefined;
  /** Of its arguments, an object. */
  readonly inputSchema: JsonSchema;
  /** Whether arguments that miss the schema are an error rather than the client's to judge. */
  readonly strict: boolean;
}

/** What the model has to do with the client's tools. `required`: call one at least; `tool`: call this one. */
export type ToolChoice =
  | { readonly type: "auto" | "none" | "required" }
  | { readonly type: "tool"; readonly name: string };

/** What the answer's text has to be. `json_object`: any JSON object. */
export type OutputFormat =
  | { readonly type: "json_object" }
  | { readonly type: "json_schema"; readonly name: string; readonly schema: JsonSchema; readonly strict: boolean };

/** One request, whatever API it came by. */
export interface Turn {
  /** The model's name as the client asked for it; echoed in the answer. */
  readonly requestedModel: string;
  readonly profile: Profile;
  /** The Claude model or alias; `undefined`: Claude Code's default. */
  readonly model: string | undefined;
  /** The client's system and developer messages, joined by a blank line. */
  readonly system: string | undefined;
  /**
   * The whole conversation as sent. The last message is the user's: words, or the results of the tools that the assistant's
   * message before it asked for. Never empty.
   */
  readonly messages: readonly Message[];
  /** Continues a conversation on the server; without it the request is stateless. */
  readonly sessionId: string | undefined;
  readonly effort: Effort | undefined;
  /** Sampling parameters as the Messages API names them; only the ones that the client set. */
  readonly sampling: { readonly temperature?: number; readonly top_p?: number; readonly top_k?: number };
  /** Stop sequences; at most 32, none empty. */
  readonly stop: readonly string[];
  /** Upper bound of the answer's tokens. */
  readonly maxTokens: number | undefined;
  /** Functions of the client's; empty: none. With a session, those of this turn alone. */
  readonly tools: readonly ClientTool[];
  readonly toolChoice: ToolChoice;
  /** Whether the model may ask for several of the client's tools at once. */
  readonly parallelToolCalls: boolean;
  /** What the answer's text has to be; `undefined`: any text. */
  readonly outputFormat: OutputFormat | undefined;
  /** The end user whom the client names, where it does. Parts the processes that serve one from those of another. */
  readonly endUser: string | undefined;
}

/** Who asks: a client key, known by its name. */
export interface Client {
  /** The key's name; unique, safe as a folder's name. */
  readonly name: string;
  readonly isAdmin: boolean;
}

/** How a client takes its answer. `whole`: nothing of it is sent before all of it is there. */
export type Delivery = "stream" | "whole";

/** What goes with one turn beside its content. */
export interface TurnContext {
  readonly requestId: string;
  readonly client: Client;
  readonly delivery: Delivery;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

/** Tokens, in the Messages API's sense: `inputTokens` excludes what the cache served or stored. */
export interface Usage {
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheCreationTokens: number;
  readonly outputTokens: number;
  /** Part of `outputTokens` spent on thinking, where the upstream tells; else 0. */
  readonly reasoningTokens: number;
}

/** Why the answer ended. `length`: a token limit. `refusal`: the model declined. `tool_calls`: the client's tools are to be run. */
export type FinishReason = "stop" | "length" | "refusal" | "tool_calls";

/**
 * What a turn yields, in order. Failures are thrown as `CcapiError`.
 * Blocks never nest: `block-start`, its deltas, `block-stop`, then the next.
 */
export type TurnEvent =
  /**
   * Where the request stands. While `queued`, `starting` or `refreshing` it waits for something of ours;
   * from `working` on the model has it.
   */
  | { readonly type: "phase"; readonly phase: "queued" | "starting" | "refreshing" | "working" }
  | { readonly type: "block-start"; readonly kind: "text" | "thinking" }
  | { readonly type: "delta"; readonly kind: "text" | "thinking"; readonly text: string }
  | { readonly type: "block-stop"; readonly kind: "text" | "thinking"; readonly signature?: string }
  /**
   * A call of one of the client's tools, under the client's own name for it. Its deltas are pieces of its arguments' JSON and
   * come between `tool-start` and `tool-stop`, like a block's; together they are `input` in JSON, `{}` at least.
   */
  | { readonly type: "tool-start"; readonly id: string; readonly name: string }
  | { readonly type: "tool-delta"; readonly id: string; readonly json: string }
  | { readonly type: "tool-stop"; readonly id: string; readonly input: unknown }
  /** The last event of a turn that ended well. */
  | {
      readonly type: "finish";
      readonly reason: FinishReason;
      /** The client's stop sequence that ended the answer, where one did. */
      readonly stopSequence: string | undefined;
      readonly usage: Usage;
      /** US dollars, as Claude Code reckons them. */
      readonly costUsd: number;
    };

/** The port by which a front door has a turn run. Ending the iteration early ends the run and its process. */
export type RunTurn = (turn: Turn, context: TurnContext) => AsyncIterable<TurnEvent>;
