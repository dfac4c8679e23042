// The language between the HTTP front doors and the core: one Turn in, a stream of TurnEvents out.
// Pure types. Content blocks have the Anthropic API's shapes, because the core hands them on as they are.

/** A part of a message's content, in the Messages API's own shape. */
export type ContentBlock =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image"; readonly source: ImageSource }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: unknown }
  | {
      readonly type: "tool_result";
      readonly tool_use_id: string;
      readonly content: string | readonly ContentBlock[];
      readonly is_error?: boolean;
    };

type ImageSource = { readonly type: "base64"; readonly media_type: string; readonly data: string };

/** One message of the conversation. */
export interface Message {
  readonly role: "user" | "assistant";
  readonly content: readonly ContentBlock[];
}

/** How hard the model thinks. `none` asks for no reasoning. */
export type Effort = "none" | "low" | "medium" | "high" | "xhigh" | "max";

/** Which of the two ways Claude is run: `agent` is Claude Code itself, `chat` is a plain model without tools. */
export type Profile = "agent" | "chat";

/** One request, whatever API it came by. */
export interface Turn {
  /** The model's name as the client asked for it; echoed in the answer. */
  readonly requestedModel: string;
  readonly profile: Profile;
  /** The Claude model or alias; `undefined`: Claude Code's default. */
  readonly model: string | undefined;
  /** The client's system and developer messages, joined by a blank line. */
  readonly system: string | undefined;
  /** The whole conversation as sent. The last message is the user's. Never empty. */
  readonly messages: readonly Message[];
  /** Continues a conversation on the server; without it the request is stateless. */
  readonly sessionId: string | undefined;
  readonly effort: Effort | undefined;
  /** Sampling parameters as the Messages API names them; only the ones that the client set. */
  readonly sampling: { readonly temperature?: number; readonly top_p?: number };
  /** Stop sequences; at most 4, none empty. */
  readonly stop: readonly string[];
  /** Upper bound of the answer's tokens. */
  readonly maxTokens: number | undefined;
  /** The end user whom the client names, where it does. Parts the processes that serve one from those of another. */
  readonly endUser: string | undefined;
}

/** Who asks: a client key, known by its name. */
export interface Client {
  /** The key's name; unique, safe as a folder's name. */
  readonly name: string;
  readonly isAdmin: boolean;
}

/** What goes with one turn beside its content. */
export interface TurnContext {
  readonly requestId: string;
  readonly client: Client;
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

/** Why the answer ended. `length`: a token limit. `refusal`: the model declined. */
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
