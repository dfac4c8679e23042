// What a run leaves behind in its process, for the pool: where its conversation stands, and whether anything is still going on.
import type { Message } from "../turn/turn.ts";
import type { RunEvent } from "./run.ts";

/** What is left. */
export interface Left {
  /** The id of the run's prompt. */
  readonly promptId: string;
  /** The transcript's last assistant message. */
  readonly checkpoint: string | undefined;
  /** The answer's text as the client got it. */
  readonly answer: Message;
  /** A task still runs in the background. */
  readonly isBusy: boolean;
}

/** Follows one run. */
export interface Trace {
  note(event: RunEvent): void;
  left(): Left;
}

/** Makes a trace. */
export function createTrace(promptId: string): Trace {
  let checkpoint: string | undefined;
  let text = "";
  const openTasks = new Set<string>();
  return {
    note(event) {
      switch (event.type) {
        case "checkpoint":
          checkpoint = event.uuid;
          break;
        case "delta":
          if (event.kind === "text") text += event.text;
          break;
        case "task":
          if (event.isOpen) openTasks.add(event.id);
          else openTasks.delete(event.id);
          break;
        default:
      }
    },
    left: () => ({
      promptId,
      checkpoint,
      answer: { role: "assistant", content: [{ type: "text", text }] },
      isBusy: openTasks.size > 0,
    }),
  };
}
