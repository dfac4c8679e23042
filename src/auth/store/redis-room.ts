// One room of shared facts as it lies in Redis: read, and written where it is as expected. Says what it found, decides nothing.
import { randomUUID } from "node:crypto";
import type { Clock } from "../ports.ts";
import type { Facts } from "../facts.ts";
import type { Found, Mark } from "./lineage.ts";
import type { RedisLink } from "./redis-link.ts";
import { lookScript, timeScript, writeScript } from "./redis-scripts.ts";
import type { RemoteClock } from "./remote-clock.ts";

/** A room that nobody has looked into for so long is left. Everybody looks every 5 s. */
const leftAfterMs = 15_000;
/** Longer than any lock-out or budget reaches back. */
const keptMs = 7 * 86_400_000;
/** The farthest that a step's time may be off when it is written. */
const toleranceMs = 1_000;

/** What Redis said. */
export type RoomReply =
  | { readonly is: "missing" }
  /** As it was known. */
  | { readonly is: "same" }
  | { readonly is: "moved"; readonly found: Found }
  /** Reckoned too long ago. */
  | { readonly is: "late" }
  | { readonly is: "done"; readonly mark: Mark };

/** What is to be written. */
export interface Writing {
  readonly facts: Facts;
  /** The time that they were reckoned with. */
  readonly nowMs: number;
  /** The room as it has to be; `missing`: not there; `left`: not there, or nobody in it. */
  readonly expected: Mark | "missing" | "left";
  /** Begins an epoch of its own. */
  readonly isNewEpoch: boolean;
  /** What is put back after a loss. */
  readonly from: Mark | undefined;
  /** No version below it. */
  readonly leastCount: number;
}

/** The rooms of one Redis. */
export interface Rooms {
  /** Learns the time. */
  contact(): Promise<number>;
  look(key: string, known: Mark | undefined): Promise<RoomReply>;
  write(key: string, writing: Writing): Promise<RoomReply>;
}

/** Opens them. Each call rejects where Redis does not answer. */
export function createRooms(
  link: RedisLink,
  time: RemoteClock,
  clock: Pick<Clock, "monotonicMs">,
  author: string,
): Rooms {
  async function ask(each: typeof lookScript, keys: readonly string[], args: readonly (string | number)[]) {
    const sentAtMs = clock.monotonicMs();
    const reply = await link.run(each, keys, args.map(String));
    if (!Array.isArray(reply) || reply.length !== 6) throw new Error("Redis gave an answer of another form.");
    const [status, now, epoch, version, facts, from] = reply.map(String) as [string, ...string[]];
    const movedMs = time.note(Number(now), sentAtMs);
    return { status, epoch: epoch ?? "", version: version ?? "", facts: facts ?? "", from: from ?? "", movedMs };
  }

  return {
    contact: async () => (await ask(timeScript, [], [])).movedMs,
    async look(key, known) {
      const version = known === undefined ? "" : versionOf(known);
      return toReply(await ask(lookScript, [key], [leastMs(), known?.epoch ?? "", version, keptMs]));
    },
    async write(key, { facts, nowMs, expected, isNewEpoch, from, leastCount }) {
      const known = typeof expected === "string" ? undefined : expected;
      const mark: Mark = {
        epoch: isNewEpoch || known === undefined ? randomUUID() : known.epoch,
        count: Math.max(leastCount, known?.count ?? 0) + 1,
        stamp: randomUUID().slice(0, 8),
      };
      const reply = await ask(
        writeScript,
        [key],
        [
          leastMs(),
          known?.epoch ?? "",
          known === undefined ? "" : versionOf(known),
          nowMs,
          toleranceMs,
          expected === "left" ? leftAfterMs : 0,
          mark.epoch,
          versionOf(mark),
          JSON.stringify(facts),
          from === undefined ? "" : `${from.epoch} ${versionOf(from)}`,
          keptMs,
          author,
        ],
      );
      return reply.status === "done" ? { is: "done", mark } : toReply(reply);
    },
  };

  /** A failover may have led to a machine whose clock is behind; a little of it is the way of the messages. */
  function leastMs(): number {
    return time.nowMs() - toleranceMs;
  }
}

function toReply(reply: Readonly<Record<"status" | "epoch" | "version" | "facts" | "from", string>>): RoomReply {
  switch (reply.status) {
    case "missing":
    case "same":
    case "late":
      return { is: reply.status };
    case "moved": {
      const [epoch = "", version = ""] = reply.from.split(" ");
      const found: Found = {
        mark: toMark(reply.epoch, reply.version),
        from: epoch === "" ? undefined : toMark(epoch, version),
        // Written by `write` of this version of the program, or one that keeps the same form.
        facts: JSON.parse(reply.facts) as Facts,
      };
      return { is: "moved", found };
    }
    default:
      throw new Error("Redis gave an answer of another form.");
  }
}

function versionOf({ count, stamp }: Mark): string {
  return `${count}.${stamp}`;
}

function toMark(epoch: string, version: string): Mark {
  const [count = "", stamp = ""] = version.split(".");
  return { epoch, count: Number(count), stamp };
}
