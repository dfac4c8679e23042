// How a turn goes on after its attempt was broken off: from the last point at which everything was complete, or not at all.
// The recipe (measured, Claude Code 2.1.330): resume the transcript at the last assistant message, with all its tools' answers in
// one user message as the prompt. What the model API then gets is what an unbroken run would have sent; no tool runs again.
import { CcapiError } from "../auth/errors.ts";
import type { Conversation } from "../claude/profile.ts";
import { addUsage, noUsage } from "../claude/usage.ts";
import type { OpenConversation } from "./conversation.ts";
import type { Progress } from "./progress.ts";
import type { ContentBlock, Usage } from "./turn.ts";

/** Where an attempt goes on that another one began. */
export interface Resumption {
  /** The turn's conversation, which goes with it. */
  readonly opened: OpenConversation;
  readonly conversation: Conversation;
  readonly prompt: readonly ContentBlock[];
  /** The tools that the attempts before have started. */
  readonly tools: readonly string[];
  /** What the attempts before have used. */
  readonly usage: Usage;
  /** Whether a process that died was carried over already: once is enough. */
  readonly isRevived: boolean;
}

/** Where another attempt can go on; `undefined` where none can. */
export function toResumption(
  { standing, usage, tools }: Progress,
  opened: OpenConversation,
  before: Resumption | undefined,
): Resumption | undefined {
  const { conversation } = opened;
  // A conversation that is kept nowhere has no tools either.
  if (standing.is !== "between-calls" || conversation.kind === "none") return undefined;
  return {
    opened,
    conversation: { kind: "resume", sessionId: conversation.sessionId, resumeAt: standing.resumeAt },
    prompt: standing.results,
    tools: [...(before?.tools ?? []), ...tools],
    usage: addUsage(before?.usage ?? noUsage, usage),
    isRevived: before?.isRevived ?? false,
  };
}

/** Where a conversation was before this turn; `undefined` where it has no past to be resumed at. */
export function startOf(opened: OpenConversation): Resumption | undefined {
  const { conversation, prompt } = opened;
  if (conversation.kind !== "resume") return undefined;
  return { opened, conversation, prompt, tools: [], usage: noUsage, isRevived: false };
}

/** The error of a turn that can't go on. Says what ran, so that whoever asked can look before asking again. */
export function afterSideEffects({ standing, tools }: Progress, sessionId: string | undefined): CcapiError {
  const where = standing.is === "mid-tool" ? "while a tool was at work" : "in the middle of the answer";
  return sideEffectsError(
    `The Claude credential failed ${where}, and going on by itself could repeat or lose something.`,
    tools,
    sessionId,
  );
}

/**
 * The error of a turn whose credential nobody renewed, or not in time: `error` itself where no tool was started, else one that keeps a
 * client from asking again blindly.
 */
export function notRenewed(error: unknown, tools: readonly string[], sessionId: string | undefined): unknown {
  if (tools.length === 0) return error;
  const known = error instanceof CcapiError ? error : undefined;
  const message = known?.message ?? "The Claude credential was not renewed in time.";
  return sideEffectsError(`${message} It failed after tools had been started.`, tools, sessionId, {
    state: known?.state,
    action: known?.action,
  });
}

/**
 * A failure that is not the credential's, of a turn that had started tools: the same error, which now says so and keeps clients from
 * asking again by themselves. The SDKs of OpenAI and Anthropic ask again at any 429 or 5xx else.
 */
export function afterTools(error: unknown, tools: readonly string[], sessionId: string | undefined): unknown {
  if (!(error instanceof CcapiError) || error.shouldRetry === false || tools.length === 0) return error;
  const { code, param, state, action } = error;
  return new CcapiError(code, `${error.message} ${whatRan(tools, sessionId)}`, {
    ...(param === undefined ? {} : { param }),
    ...(state === undefined ? {} : { state }),
    ...(action === undefined ? {} : { action }),
    shouldRetry: false,
    cause: error,
  });
}

function whatRan(tools: readonly string[], sessionId: string | undefined): string {
  const ran = tools.length === 0 ? "No tool had run." : `Tools that were started: ${[...new Set(tools)].join(", ")}.`;
  return sessionId === undefined ? ran : `${ran} The session ${sessionId} is as it was before this turn.`;
}

function sideEffectsError(
  message: string,
  tools: readonly string[],
  sessionId: string | undefined,
  details: { readonly state?: string | undefined; readonly action?: string | undefined } = {},
): CcapiError {
  return new CcapiError("upstream_auth_failed_after_side_effects", `${message} ${whatRan(tools, sessionId)}`, {
    ...(details.state === undefined ? {} : { state: details.state }),
    ...(details.action === undefined ? {} : { action: details.action }),
    shouldRetry: false,
  });
}
