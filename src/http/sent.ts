// When an answer is over: sent in full, or its client gone.
import type { Context } from "hono";
import type { AppEnv } from "./app-env.ts";

/** Calls back once the answer is over; at once where there is no connection, as in unit tests, or it is over already. */
export function onceSent(context: Context<AppEnv>, callback: (isAborted: boolean) => void): void {
  const outgoing = context.env?.outgoing;
  if (outgoing === undefined) return callback(false);
  const report = () => callback(!outgoing.writableFinished);
  if (outgoing.destroyed) report();
  else outgoing.once("close", report);
}
