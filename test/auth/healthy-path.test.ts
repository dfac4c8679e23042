import { expect, it } from "vitest";
import type { AuthEvent } from "../../src/auth/events.ts";
import { createAuthManager } from "../../src/auth/manager.ts";
import { systemClock } from "../../src/auth/ports.ts";

it("a healthy request is let in at once: no timer, no look, no event for it (G7)", async () => {
  const events: AuthEvent[] = [];
  let timers = 0;
  let looks = 0;
  const auth = createAuthManager({
    credential: {
      read: async () => {
        looks += 1;
        return { kind: "test", fingerprint: "f", present: true, renewable: true, watchMode: "cheap", action: "none" };
      },
    },
    prove: async () => ({ outcome: "answered" }),
    strategies: [],
    clock: {
      ...systemClock,
      setTimer(callback, delayMs) {
        timers += 1;
        return systemClock.setTimer(callback, delayMs);
      },
    },
    onEvent: (event) => void events.push(event),
  });
  try {
    const pass = () => {
      const admission = auth.tryAdmit("test");
      expect(admission).toBeDefined();
      admission?.succeeded("answer");
      admission?.release();
    };
    pass();
    await new Promise((resolve) => setImmediate(resolve)); // The first look, at the start.
    const before = { timers, looks, events: events.length };
    for (let count = 0; count < 1_000; count += 1) pass();
    expect({ timers, looks, events: events.length }).toEqual(before);
  } finally {
    await auth.close();
  }
});
