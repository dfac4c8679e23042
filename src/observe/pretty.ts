// Log lines for people, by pino-pretty.
import type { DestinationStream } from "pino";
import { prettyFactory } from "pino-pretty";

/** The same stream, with each JSON line made readable. */
export function pretty(destination: DestinationStream, colorize: boolean): DestinationStream {
  const format = prettyFactory({ colorize, translateTime: "SYS:HH:MM:ss.l", singleLine: true });
  return {
    write(line: string) {
      destination.write(format(line));
    },
  };
}
