// Waits for the signals that end a program.

/** Calls `end` at each SIGTERM and SIGINT, and resolves when the first of these calls has. */
export function untilSignal(end: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const onSignal = () => void end().then(resolve, reject);
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
  });
}
