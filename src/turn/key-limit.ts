// How many requests one client key may have under way at once.
import { CcapiError } from "../auth/errors.ts";
import type { RunTurn } from "./turn.ts";

/**
 * The same `RunTurn` with a bound for each client. Beyond it: CcapiError `rate_limit_exceeded`.
 *
 * @param maxPerKey `undefined`: no bound.
 */
export function withKeyLimit(runTurn: RunTurn, maxPerKey: number | undefined): RunTurn {
  if (maxPerKey === undefined) return runTurn;
  const running = new Map<string, number>();
  return async function* limited(turn, context) {
    const { name } = context.client;
    const before = running.get(name) ?? 0;
    if (before >= maxPerKey) {
      throw new CcapiError("rate_limit_exceeded", `This key may have ${maxPerKey} requests under way at once.`, {
        retryAfterMs: 1_000,
      });
    }
    running.set(name, before + 1);
    try {
      yield* runTurn(turn, context);
    } finally {
      const left = (running.get(name) ?? 1) - 1;
      if (left > 0) running.set(name, left);
      else running.delete(name);
    }
  };
}
