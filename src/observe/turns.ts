// Watches turns pass: their first word, their tokens, their cost. Changes nothing about them.
import type { RunTurn } from "../turn/turn.ts";
import type { Metrics } from "./metrics.ts";

/** The same `RunTurn`, watched. */
export function withTurnMetrics(runTurn: RunTurn, metrics: Pick<Metrics, "onFirstToken" | "onFinish">): RunTurn {
  return async function* watched(turn, context) {
    const startedAt = performance.now();
    let hasBegun = false;
    for await (const event of runTurn(turn, context)) {
      if (!hasBegun && event.type === "delta") {
        hasBegun = true;
        metrics.onFirstToken(turn.profile, performance.now() - startedAt);
      }
      // A model's name is known to be one of Claude's or an alias of the operator's when a turn with it ended well.
      if (event.type === "finish") metrics.onFinish(context.client.name, turn.requestedModel, event);
      yield event;
    }
  };
}
