// Looking at the credential: one look at a time, each with an end, and a change told from a reading's own unsteadiness.
import { describe, expect, it } from "vitest";
import { resolvePolicy } from "../../src/auth/policy.ts";
import type { CredentialReading } from "../../src/auth/ports.ts";
import type { StateEvent } from "../../src/auth/state.ts";
import { createWatch } from "../../src/auth/watch.ts";
import { fakeClock, settle } from "./fake-clock.ts";
import { sleep } from "./request.ts";

type Looked = Extract<StateEvent, { type: "looked" }>;

const reading: CredentialReading = {
  kind: "auth_token",
  fingerprint: "a",
  present: true,
  renewable: true,
  watchMode: "cheap",
  action: "rotate it",
};

function watching(read: (signal: AbortSignal) => Promise<CredentialReading>) {
  const clock = fakeClock();
  const told: Looked[] = [];
  const tell = (event: Looked) => void told.push(event);
  const watch = createWatch({ credential: { read }, clock, random: () => 0.5, policy: resolvePolicy(), tell });
  return { clock, told, watch };
}

describe("a look at the credential", () => {
  it("is one at a time: who asks meanwhile shares the next, which begins after the asking", async () => {
    let now = 0;
    let most = 0;
    let count = 0;
    const { clock, watch } = watching(async () => {
      most = Math.max(most, (now += 1));
      count += 1;
      const fingerprint = `${count}`;
      await sleep(clock, 1_000);
      now -= 1;
      return { ...reading, fingerprint };
    });
    const looks = [watch.look()];
    await clock.advance(500);
    looks.push(watch.look(), watch.look(), watch.look());
    await clock.advance(5_000);
    expect((await Promise.all(looks)).map((seen) => seen?.fingerprint)).toEqual(["1", "2", "2", "2"]);
    expect({ most, count }).toEqual({ most: 1, count: 2 });
  });

  it("at a helper that hangs is not repeated: it would never be told of (A2)", async () => {
    let isHanging = false;
    const { clock, told, watch } = watching(async () => {
      if (!isHanging) return { ...reading, watchMode: "costly" };
      await sleep(clock, 10_000); // The helper's own limit.
      return { ...reading, watchMode: "costly", present: false, fingerprint: "none" };
    });
    for (const _ of [1, 2]) {
      void watch.look();
      await clock.advance(2_000);
    }
    isHanging = true;
    void watch.look();
    await clock.advance(15_000);
    expect(told.at(-1)?.reading.present).toBe(false);
  });

  it("at what a program prints is repeated where it is gone for a moment: its file was just being written (A2)", async () => {
    let count = 0;
    const { clock, told, watch } = watching(async () => {
      count += 1;
      const present = count !== 3;
      return { ...reading, watchMode: "costly", present, fingerprint: present ? "a" : "none" };
    });
    for (const _ of [1, 2, 3]) {
      void watch.look();
      await clock.advance(2_000);
    }
    expect(count).toBe(4);
    expect(told.every((event) => event.reading.present)).toBe(true);
  });

  it("that never ends is given up after 15 s, told to end, and tells nothing", async () => {
    let isAborted = false;
    const { clock, told, watch } = watching((signal) => {
      signal.addEventListener("abort", () => (isAborted = true));
      return new Promise(() => undefined);
    });
    const look = watch.look();
    await clock.advance(15_000);
    await expect(look).resolves.toBeUndefined();
    expect({ isAborted, told }).toEqual({ isAborted: true, told: [] });
  });

  it("takes a file that is empty for a moment, while it is written, for none that is gone (A7)", async () => {
    let present = true;
    const { clock, told, watch } = watching(async () => ({ ...reading, present, fingerprint: `${present}` }));
    await watch.look();
    present = false;
    const look = watch.look();
    await clock.advance(100);
    present = true;
    await clock.advance(200);
    await expect(look).resolves.toMatchObject({ present: true });
    expect(told.map((event) => event.reading.present)).toEqual([true]);
    present = false;
    const gone = watch.look();
    await clock.advance(300);
    await expect(gone).resolves.toMatchObject({ present: false });
    expect(told.map((event) => event.reading.present)).toEqual([true, false]);
  });

  it("that fails tells nothing: not being able to tell is no change", async () => {
    const { told, watch } = watching(() => Promise.reject(new Error("EACCES")));
    await expect(watch.look()).resolves.toBeUndefined();
    expect(told).toEqual([]);
  });

  it("tells of what stays the same once", async () => {
    const { clock, told, watch } = watching(async () => reading);
    for (let looks = 0; looks < 5; looks += 1) {
      await watch.look();
      await clock.advance(5_000);
    }
    expect(told).toHaveLength(1);
  });

  it("takes a file's difference for a change, and a helper's only where a reading had stayed", async () => {
    let fingerprint = 0;
    const every = async (watchMode: CredentialReading["watchMode"], seen: readonly number[]) => {
      const { clock, told, watch } = watching(async () => ({ ...reading, watchMode, fingerprint: `${fingerprint}` }));
      for (fingerprint of seen) {
        await watch.look();
        await clock.advance(2_000);
      }
      return told.map((event) => `${event.reading.fingerprint}${event.isSteady ? " steady" : ""}`);
    };
    await settle();
    expect(await every("cheap", [1, 2, 3])).toEqual(["1 steady", "2 steady", "3 steady"]);
    expect(await every("costly", [1, 2, 3])).toEqual(["1", "2", "3"]);
    expect(await every("costly", [1, 1, 2])).toEqual(["1", "1 steady", "2 steady"]);
    expect(await every("costly", [1, 2, 2])).toEqual(["1", "2", "2 steady"]);
  });
});
