// Who is logged in to the dashboard: random ids, in memory alone. A restart logs everybody out.
import { createHash, randomBytes } from "node:crypto";
import type { Client } from "../../turn/turn.ts";

const idleMs = 8 * 60 * 60_000;
const longestMs = 24 * 60 * 60_000;
const maxSeats = 100;

/** One who is logged in. */
export interface Seat {
  readonly client: Client;
  /** Aborted with its end. */
  readonly signal: AbortSignal;
}

/** The seats. */
export interface Seats {
  /** @returns the id that its cookie holds */
  open(client: Client): string;
  /** `undefined` where there is none of this id, or it has ended. Counts as use. */
  find(id: string | undefined): Seat | undefined;
  close(id: string | undefined): void;
}

/** Begins with none. One ends 8 h after its last use, at the latest 24 h after it was opened. `now`: milliseconds since the epoch. */
export function createSeats(now: () => number): Seats {
  const seats = new Map<string, Seat & { readonly openedAtMs: number; usedAtMs: number; readonly end: () => void }>();
  // Looked up by its digest, so that the time of the look tells nothing of the id.
  const digest = (id: string) => createHash("sha256").update(id).digest("base64url");

  function drop(key: string): void {
    seats.get(key)?.end();
    seats.delete(key);
  }

  return {
    open(client) {
      const id = randomBytes(32).toString("base64url");
      const ending = new AbortController();
      const oldest = seats.size >= maxSeats ? seats.keys().next().value : undefined;
      if (oldest !== undefined) drop(oldest);
      const atMs = now();
      seats.set(digest(id), {
        client,
        signal: ending.signal,
        openedAtMs: atMs,
        usedAtMs: atMs,
        end: () => ending.abort(),
      });
      return id;
    },
    find(id) {
      if (id === undefined) return undefined;
      const key = digest(id);
      const seat = seats.get(key);
      if (seat === undefined) return undefined;
      const atMs = now();
      if (atMs - seat.usedAtMs > idleMs || atMs - seat.openedAtMs > longestMs) {
        drop(key);
        return undefined;
      }
      seat.usedAtMs = atMs;
      return seat;
    },
    close(id) {
      if (id !== undefined) drop(digest(id));
    },
  };
}
