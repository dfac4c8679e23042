// Cuts an answer at a stop sequence that the model API does not take: one of blanks alone. Pure; holds what one answer needs.
import type { TurnEvent } from "../turn/turn.ts";

/** Follows the text of one answer. */
export interface StopCutter {
  /** What of a piece may be passed on; `stop` is set once a sequence was met, and nothing may follow. */
  push(text: string): { readonly text: string; readonly stop: string | undefined };
  /** What was held back, at the end of a block or of the answer. */
  flush(): string;
}

/** Whether the Messages API refuses a stop sequence ("must contain non-whitespace"), so that we cut. */
export function isOurs(stop: string): boolean {
  return stop.trim() === "";
}

/** Makes a cutter for sequences that are {@link isOurs}. Of several that begin in one place the first given wins. */
export function createStopCutter(stops: readonly string[]): StopCutter {
  let held = "";
  return {
    push(text) {
      const all = held + text;
      const found = stops
        .map((stop) => ({ stop, at: all.indexOf(stop) }))
        .filter(({ at }) => at >= 0)
        .toSorted((a, b) => a.at - b.at)[0];
      if (found !== undefined) {
        held = "";
        return { text: all.slice(0, found.at), stop: found.stop };
      }
      const keep = Math.max(0, ...stops.map((stop) => openEnd(all, stop)));
      held = all.slice(all.length - keep);
      return { text: all.slice(0, all.length - keep), stop: undefined };
    },
    flush() {
      const rest = held;
      held = "";
      return rest;
    },
  };
}

/** A turn's events with their text cut. Returns the sequence that was met, where one was. */
export function* throughCutter(
  events: readonly TurnEvent[],
  cutter: StopCutter,
): Generator<TurnEvent, string | undefined, undefined> {
  for (const event of events) {
    if (event.type === "delta" && event.kind === "text") {
      const { text, stop } = cutter.push(event.text);
      if (text !== "") yield { ...event, text };
      if (stop === undefined) continue;
      yield { type: "block-stop", kind: "text" };
      return stop;
    }
    const rest = event.type === "block-stop" ? cutter.flush() : "";
    if (rest !== "") yield { type: "delta", kind: "text", text: rest };
    yield event;
  }
  return undefined;
}

/** How much of a text's end may be a sequence's beginning. */
function openEnd(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length -= 1) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
