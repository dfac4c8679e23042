// The numbers of a turn that ran in several processes, added up as an unbroken run would have told them.
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import type { FollowedTurn } from "./followed-turn.ts";

type ResultMessage = Extract<SDKMessage, { type: "result" }>;

/** Follows one query's totals. */
export interface Totals {
  /** A turn's result, with what the processes before the last one did. */
  add(result: ResultMessage, turn: Pick<FollowedTurn, "earlier" | "answering">): ResultMessage;
}

/** Begins with nothing, or where another query's totals go on. */
export function createTotals(options: { readonly beganElsewhere: boolean; readonly hasPartials: boolean }): Totals {
  let toldUsd = 0;
  /** A process that is killed leaves no totals to the next one. */
  let lostUsd = 0;
  let toldOutputTokens = options.beganElsewhere ? undefined : 0;

  return {
    add(result, { earlier, answering }) {
      // It began from nothing: all that was told before is missing.
      if (result.total_cost_usd + lostUsd < toldUsd) lostUsd = toldUsd;
      toldUsd = result.total_cost_usd + lostUsd;
      const all = Object.values(result.modelUsage).reduce((sum, model) => sum + model.outputTokens, 0);
      // Without partial messages a call tells what it had used when it began; the totals know the rest.
      const ofTurn = options.hasPartials || toldOutputTokens === undefined ? 0 : all - toldOutputTokens;
      toldOutputTokens = all;
      if (earlier === undefined) return lostUsd === 0 ? result : { ...result, total_cost_usd: toldUsd };
      const usage = addNumbers(earlier.usage, result.usage) as ResultMessage["usage"]; // The same shape, summed.
      const ids = [...answering];
      const last = ids.at(-1);
      return {
        ...result,
        usage: { ...usage, output_tokens: Math.max(usage.output_tokens, ofTurn) },
        num_turns: result.num_turns + earlier.toolRounds,
        duration_ms: Math.round(result.duration_ms + earlier.elapsedMs),
        total_cost_usd: toldUsd,
        // The process that went on knows the tools' answers as its prompt, and not whose turn it is.
        ...(last === undefined ? {} : { user_message_uuid: last, user_message_uuids: ids }),
      };
    },
  };
}

/** Adds two objects' numbers, at any depth; of all else the second one's counts. */
export function addNumbers(a: object, b: object): object {
  const sum: Record<string, unknown> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const before = sum[name];
    if (typeof value === "number" && typeof before === "number") sum[name] = before + value;
    else if (isPlain(value) && isPlain(before)) sum[name] = addNumbers(before, value);
    else sum[name] = value ?? before;
  }
  return sum;
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
