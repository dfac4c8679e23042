// The product's logger: structured lines on stderr, pretty on a terminal. What is logged never holds a secret or a prompt:
// callers give named fields, never bodies, headers or errors of others.
import { writeSync } from "node:fs";
import { type DestinationStream, pino, type Logger as PinoLogger } from "pino";
import { pretty } from "./pretty.ts";

/** A logger: fields first, then the message. */
export type Logger = Pick<PinoLogger, "debug" | "info" | "warn" | "error">;

/** How to log. */
export interface LogOptions {
  readonly level: string;
  readonly format: "json" | "pretty";
  /** Colours in the pretty form. */
  readonly isColoured?: boolean;
  /** Default: stderr. */
  readonly destination?: DestinationStream;
}

/** Makes the logger of a server. */
export function createLogger({ level, format, isColoured = false, destination = standardError() }: LogOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { stack: placesOf },
    },
    format === "pretty" ? pretty(destination, isColoured) : destination,
  );
}

/** stderr, a line at a time. What can't be written is lost: a full disk must not hold up the server. */
function standardError(): DestinationStream {
  return {
    write(line) {
      try {
        writeSync(2, line);
      } catch {
        // There is nobody to tell.
      }
    },
  };
}

/** Where an error came from, for a field `stack`: its code or name, and the lines of its stack without its message. */
function placesOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const { stack = "", message } = error;
  const begin = stack.indexOf(message);
  return errorCode(error) + (begin < 0 ? "" : stack.slice(begin + message.length).replace(/^[^\n]*/, ""));
}

/** What may be said of an error in the log: its code, or its name. Its message may hold anything. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
