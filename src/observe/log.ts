// The product's logger: structured lines on stderr, pretty on a terminal. What is logged never holds a secret or a prompt:
// callers give named fields, never bodies, headers or errors of others.
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
export function createLogger({
  level,
  format,
  isColoured = false,
  destination = pino.destination(2),
}: LogOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    format === "pretty" ? pretty(destination, isColoured) : destination,
  );
}
