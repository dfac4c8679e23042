// The store of several instances: each credential's facts in a room of Redis, a copy here that every request reads.
// Holds no credential, and waits for Redis nowhere but in a step's own promise; without Redis it goes on alone.
import { randomUUID } from "node:crypto";
import { type Facts, initialFacts } from "../facts.ts";
import { type Clock, systemClock } from "../ports.ts";
import { courseFor, type Found, type Mark, reconcile, shiftGenerations, shiftTimes } from "./lineage.ts";
import type { AuthStore, Stored } from "./port.ts";
import type { RedisLink } from "./redis-link.ts";
import { createRooms, type RoomReply, type Writing } from "./redis-room.ts";
import { createRemoteClock } from "./remote-clock.ts";

/** The truth is looked at so often; what others say in between is a hint. */
const pollMs = 5_000;
/** Steps of others that one step may come after. */
const maxTries = 200;

type Step = Parameters<AuthStore["update"]>[0];

/** What a store in Redis needs. */
export interface RedisStoreOptions {
  /** The caller's to close. */
  readonly link: RedisLink;
  readonly clock?: Clock | undefined;
}

interface Room {
  readonly key: string;
  readonly mark: Mark;
}

/**
 * Opens the store. Instances meet in a room where their credential is the same: its key is the reading's `identity`, else its
 * `fingerprint`, which have to be keyed with a secret that all instances share. A credential that is replaced leads to another room,
 * one instance after the other as each sees the new one.
 */
export async function createRedisStore({ link, clock = systemClock }: RedisStoreOptions): Promise<AuthStore> {
  const time = createRemoteClock(clock);
  const author = randomUUID();
  const rooms = createRooms(link, time, clock, author);
  const listeners = new Set<(stored: Stored) => void>();
  if (link.isUp) await rooms.contact().catch(() => undefined); // Then alone, until there is a way.
  let shown: Stored = { facts: initialFacts(time.nowMs()), version: 0 };
  let room: Room | undefined;
  /** What a generation here is more than in the room. */
  let ahead = 0;
  /** There is something here that the room doesn't have. */
  let isAlone = false;
  let isJoined = link.isUp;
  let isClosed = false;
  let stopHearing: (() => void) | undefined;
  let cancelPoll: (() => void) | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let isLookQueued = false;

  /** One after the other: what is known of the room changes with every answer. */
  function queue<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(work);
    last = result.catch(() => undefined); // Told to who asked.
    return result;
  }

  function show(facts: Facts): void {
    if (facts === shown.facts) return;
    shown = { facts, version: shown.version + 1 };
    for (const listener of listeners) listener(shown);
  }

  function enter(next: Room): void {
    if (room?.key !== next.key) {
      stopHearing?.();
      stopHearing = link.hear(next.key, (message) => message === author || lookSoon());
    }
    room = next;
    isAlone = false;
    isJoined = true;
  }

  /** Takes over what lies in a room. */
  function adopt(key: string, { mark, facts }: Found, isSameLine: boolean): void {
    // Generations of another line mean something else: what is under way here must be older than all of them.
    const isFirst = room === undefined && !isAlone;
    if (!isSameLine && !isFirst) ahead = Math.max(0, shown.facts.generation + 1 - facts.generation);
    enter({ key, mark });
    show(shiftGenerations(facts, ahead));
  }

  async function write(key: string, facts: Facts, writing: Omit<Writing, "facts">): Promise<RoomReply> {
    const reply = await rooms.write(key, { ...writing, facts: shiftGenerations(facts, -ahead) });
    if (reply.is === "done") {
      enter({ key, mark: reply.mark });
      show(facts);
    }
    return reply;
  }

  /** Writes facts that were reckoned from the room as it is known, or in one where nobody is. */
  function put(key: string, facts: Facts, nowMs: number): Promise<RoomReply> {
    const standard = { nowMs, isNewEpoch: false, from: undefined, leastCount: 0 };
    if (room?.key === key) return write(key, facts, { ...standard, expected: room.mark });
    // Whoever starts takes over what it finds; whoever got another credential begins anew where nobody uses it.
    return write(key, facts, { ...standard, expected: room === undefined ? "missing" : "left" });
  }

  /** Makes one of what lies in a room and what is known here. Resolves to whether it is done. */
  async function settle(key: string, reply: RoomReply, facts = shown.facts): Promise<boolean> {
    const mine = room?.key === key ? room.mark : undefined;
    const nowMs = time.nowMs();
    switch (reply.is) {
      case "done":
        return true;
      case "late":
        return false;
      case "same":
        isJoined = true;
        return isAlone ? (await put(key, facts, nowMs)).is === "done" : true;
      case "missing": {
        if (mine === undefined) return (await put(key, facts, nowMs)).is === "done";
        const lost = { nowMs, expected: "missing", isNewEpoch: true, from: mine, leastCount: mine.count } as const;
        return (await write(key, facts, lost)).is === "done";
      }
      case "moved": {
        const { found } = reply;
        const course = courseFor(found, mine);
        if (course.do === "adopt") {
          adopt(key, found, course.isSameLine);
          return true;
        }
        if (course.do === "go-on") return settle(key, { is: "same" }, facts);
        const whole = reconcile(shiftGenerations(found.facts, ahead), facts);
        const { isNewEpoch } = course;
        const leastCount = mine?.count ?? 0;
        const lost = { nowMs, expected: found.mark, isNewEpoch, from: isNewEpoch ? mine : found.from, leastCount };
        return (await write(key, whole, lost)).is === "done";
      }
    }
  }

  /** Brings the copy and the room together. */
  async function join(): Promise<void> {
    const movedMs = await rooms.contact();
    if (movedMs !== 0) show(shiftTimes(shown.facts, movedMs));
    for (let tries = 0; tries < maxTries; tries += 1) {
      const key = roomKey(shown.facts);
      if (key === undefined) {
        isJoined = true;
        return;
      }
      const isHere = room?.key === key;
      // Another credential was found while alone: where nobody uses it, what is known here begins its room.
      const reply =
        isHere || room === undefined ? await rooms.look(key, room?.mark) : await put(key, shown.facts, time.nowMs());
      if (await settle(key, reply)) return;
    }
    throw new Error("Others were always faster.");
  }

  async function updateShared(step: Step): Promise<Awaited<ReturnType<AuthStore["update"]>>> {
    if (isAlone || !isJoined) await join();
    for (let tries = 0; tries < maxTries; tries += 1) {
      const nowMs = time.nowMs();
      const { facts, effects } = step(shown.facts, nowMs);
      const key = roomKey(facts);
      if (key === undefined) {
        show(facts);
        return { ...shown, effects };
      }
      const isHere = room?.key === key;
      // A step that changes nothing may do so because of something that was not heard yet.
      const reply = facts === shown.facts && isHere ? await rooms.look(key, room?.mark) : await put(key, facts, nowMs);
      if (reply.is === "done" || reply.is === "same") return { ...shown, effects };
      await settle(key, reply);
    }
    throw new Error("Others were always faster.");
  }

  function updateAlone(step: Step): Awaited<ReturnType<AuthStore["update"]>> {
    const { facts, effects } = step(shown.facts, time.nowMs());
    if (facts !== shown.facts) isAlone = true;
    show(facts);
    return { ...shown, effects };
  }

  function lookSoon(): void {
    if (isLookQueued || isClosed || !link.isUp) return;
    isLookQueued = true;
    void queue(async () => {
      isLookQueued = false;
      await join();
    }).catch(() => undefined); // The next look is soon.
  }

  function poll(): void {
    lookSoon();
    cancelPoll = clock.setTimer(poll, pollMs);
  }

  const stopWatching = link.onChange((isUp) => {
    isJoined = false;
    if (isUp) lookSoon();
  });
  poll();
  return {
    get coordination() {
      return link.isUp && isJoined ? "shared" : "local";
    },
    nowMs: () => time.nowMs(),
    current: () => shown,
    update: (step) =>
      queue(async () => {
        if (!link.isUp) return updateAlone(step);
        return updateShared(step).catch(() => updateAlone(step));
      }),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      isClosed = true;
      cancelPoll?.();
      stopWatching();
      stopHearing?.();
      listeners.clear();
      await last;
    },
  };
}

function roomKey({ reading }: Facts): string | undefined {
  return reading === null ? undefined : `ccapi:auth:${reading.identity ?? reading.fingerprint}`;
}
