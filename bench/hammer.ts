// Many clients in a process of their own, so that a server's time is measured and not theirs. Started by bench/auth.ts:
// node bench/hammer.ts <url> <key> <clients> <milliseconds>; prints a Hammered as JSON.
import { setTimeout as sleep } from "node:timers/promises";
import { createAsk } from "./client.ts";

/** What the clients saw. */
export interface Hammered {
  /** Answers other than 503. */
  readonly wrong: number;
  /** Milliseconds of each answer while the credential was locked out. */
  readonly lockedTimes: readonly number[];
}

const [url = "", key = "", clients, milliseconds] = process.argv.slice(2);
const ask = createAsk(url, key);
const endAt = performance.now() + Number(milliseconds);
const lockedTimes: number[] = [];
let wrong = 0;
await Promise.all(
  Array.from({ length: Number(clients) }, async () => {
    while (performance.now() < endAt) {
      const { status, state, ms } = await ask("Hello", "sonnet");
      if (status !== 503) wrong += 1;
      if (state === "locked_out") lockedTimes.push(Math.round(ms * 100) / 100);
      await sleep(20);
    }
  }),
);
console.log(JSON.stringify({ wrong, lockedTimes } satisfies Hammered));
