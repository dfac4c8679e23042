// How much this machine can do, where the operator has not said it.
import { availableParallelism, totalmem } from "node:os";

/** Memory that one Claude process may need, with room for its tools. */
const bytesPerRun = 250 * 1_048_576;

/** Claude runs at once: what cores and half of the memory allow, at least 8. */
export function defaultMaxConcurrent(): number {
  return Math.max(8, Math.min(availableParallelism() * 4, Math.floor(totalmem() / 2 / bytesPerRun)));
}
