// The end of what was opened: each part in its order, whatever became of the one before. Knows no part by name.
import { errorCode, type Logger } from "../observe/log.ts";

/** One thing that has to be closed. */
export interface Part {
  /** For the log. */
  readonly name: string;
  close(): unknown;
}

/** Closes one after the other. A part that can't be closed is logged, and keeps no other open: a process must not outlive the server. */
export async function closeAll(parts: readonly Part[], log: Pick<Logger, "error">): Promise<void> {
  for (const part of parts) {
    try {
      await part.close();
    } catch (error) {
      log.error({ part: part.name, reason: errorCode(error) }, "A part of the server could not be closed");
    }
  }
}
