// What a run leaves behind in its process, for the pool: where its conversation stands, and whether anything is still going on.
import type { ContentBlock, Message } from "../turn/turn.ts";
import type { Handed } from "./hand-over.ts";
import type { RunEvent } from "./run.ts";

/** What is left. */
export interface Left {
  /** The id of the run's prompt. */
  readonly promptId: string;
  /** The transcript's last assistant message. */
  readonly checkpoint: string | undefined;
  /** The answer as the client got it: its text, then its calls. */
  readonly answer: Message;
  /** The calls whose results the process waits for. */
  readonly waiting: Handed | undefined;
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
  let waiting: Handed | undefined;
  const names = new Map<string, string>();
  const calls: ContentBlock[] = [];
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
        case "tool-start":
          names.set(event.id, event.name);
          break;
        case "tool-stop":
          calls.push({ type: "tool_use", id: event.id, name: names.get(event.id) ?? "", input: event.input });
          break;
        case "hand-over":
          waiting = event;
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
      answer: { role: "assistant", content: [{ type: "text", text }, ...calls] },
      waiting,
      isBusy: openTasks.size > 0,
    }),
  };
}
