// Where commands print. Nothing but the command line prints.

/** Lines for people on `error`, results on `line`. */
export interface Output {
  /** A line on stdout. */
  line(text: string): void;
  /** A line on stderr. */
  error(text: string): void;
}

/** This process's own. */
export const terminal: Output = {
  line: (text) => void process.stdout.write(`${text}\n`),
  error: (text) => void process.stderr.write(`${text}\n`),
};
