import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSessionStore, type SessionStore } from "../../src/turn/sessions.ts";
import { makeSession } from "../helpers/turns.ts";

let dir: string;
let nowMs: number;
let store: SessionStore;
const openStore = () => createSessionStore({ dir, timeToLiveMs: 1_000, now: () => nowMs });
beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), "ccapi-sessions-")), "sessions");
  nowMs = 1_000;
  store = openStore();
});
afterEach(() => rm(join(dir, ".."), { recursive: true }));

const files = async () => (await readdir(dir, { recursive: true })).filter((name) => name.endsWith(".json"));

describe("the store of sessions", () => {
  it("gives back what was put, also after a restart (B3)", async () => {
    const session = makeSession({ system: "Be brief.", resumeAt: "u" });
    await store.put(session);
    expect(await store.get("client", "s1")).toEqual(session);
    expect(await openStore().get("client", "s1")).toEqual(session);
    await store.put({ ...session, turns: 2 });
    expect(await openStore().get("client", "s1")).toMatchObject({ turns: 2 });
    expect(await files()).toHaveLength(1);
  });

  it("reaches no other client's, though the ids are the same (B3)", async () => {
    await store.put(makeSession({ clientName: "one", model: "opus" }));
    await store.put(makeSession({ clientName: "two", model: "haiku" }));
    expect((await store.get("one", "s1"))?.model).toBe("opus");
    expect((await store.list("two")).map(({ model }) => model)).toEqual(["haiku"]);
    expect(await store.get("three", "s1")).toBeUndefined();
    await store.delete("one", "s1");
    expect(await store.get("one", "s1")).toBeUndefined();
    expect(await store.get("two", "s1")).toBeDefined();
    expect(await store.clients()).toEqual(["two"]);
  });

  it("forgets one that was not used for its time to live, and tells of it to who clears up (B3)", async () => {
    await store.put(makeSession({ lastUsedAtMs: 1_000 }));
    nowMs = 1_999;
    expect(await store.get("client", "s1")).toBeDefined();
    expect(await store.getExpired("client", "s1")).toBeUndefined();
    expect(await store.expired()).toEqual([]);
    nowMs = 2_000;
    expect(await store.get("client", "s1")).toBeUndefined();
    expect(await store.list("client")).toEqual([]);
    expect(await store.getExpired("client", "s1")).toMatchObject({ id: "s1" });
    expect(await store.expired()).toMatchObject([{ id: "s1" }]);
  });

  it("lists the newest use first (B3)", async () => {
    nowMs = 1_500;
    for (const [id, lastUsedAtMs] of [
      ["a", 1_200],
      ["b", 1_400],
      ["c", 1_300],
    ] as const) {
      await store.put(makeSession({ id, lastUsedAtMs }));
    }
    expect((await store.list("client")).map(({ id }) => id)).toEqual(["b", "c", "a"]);
  });

  it.each(["", "{", "null", '{"version":2}', JSON.stringify({ ...makeSession(), claudeSessionId: "../.." })])(
    "takes a file that holds %j for no session, and the others for theirs (C4)",
    async (text) => {
      await store.put(makeSession({ id: "bad" }));
      const [bad = ""] = await files();
      await store.put(makeSession({ id: "good" }));
      await writeFile(join(dir, bad), text);
      expect(await store.get("client", "bad")).toBeUndefined();
      expect((await store.list("client")).map(({ id }) => id)).toEqual(["good"]);
      expect(await store.expired()).toEqual([]);
    },
  );

  it("is empty where there is nothing yet, and deleting what is not there is fine (B3)", async () => {
    expect([await store.list("x"), await store.expired(), await store.clients()]).toEqual([[], [], []]);
    await expect(store.delete("x", "y")).resolves.toBeUndefined();
  });

  it("can be read by nobody else on the host (C2)", async () => {
    await store.put(makeSession());
    const [file = ""] = await files();
    expect((await stat(join(dir, file))).mode & 0o777).toBe(0o600);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
  });

  it("makes no path of an id or a name, whatever they hold: each is a session of its own, inside the folder (C3)", async () => {
    const hostile = fc.oneof(
      fc.constantFrom("..", ".", "/", "../../x", "a/b", "\0", "a\0b", "é", "é", "😀", "CON", "x".repeat(5_000), ""),
      fc.string({ unit: "binary" }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(hostile, hostile), { selector: String, minLength: 1, maxLength: 4 }),
        async (names) => {
          for (const [clientName, id] of names) await store.put(makeSession({ clientName, id, lastUsedAtMs: nowMs }));
          for (const [clientName, id] of names)
            expect(await store.get(clientName, id)).toMatchObject({ clientName, id });
          for (const name of await files()) expect(name).toMatch(/^[\w-]{43}\/[\w-]{43}\.json$/);
          for (const [clientName, id] of names) await store.delete(clientName, id);
          expect(await files()).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("meets the old record or the new one, never a part, when many write and read at once (C4)", async () => {
    await store.put(makeSession({ turns: 0 }));
    const writes = Array.from({ length: 20 }, (_, index) => store.put(makeSession({ turns: index + 1 })));
    const reads = Array.from({ length: 20 }, () => store.get("client", "s1"));
    for (const record of await Promise.all(reads)) expect(record).toBeDefined();
    await Promise.all(writes);
    expect((await readdir(join(dir), { recursive: true })).filter((name) => name.endsWith(".draft"))).toEqual([]);
  });
});
