import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createResponseStore, type StoredResponse } from "../../src/turn/responses.ts";

let dir: string;
let now: number;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ccapi-responses-"));
  now = Date.parse("2026-01-01T00:00:00Z");
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const open = (limits = {}) => createResponseStore({ dir, timeToLiveMs: 1_000, now: () => now, ...limits });
const record = (id: string, clientName = "a"): StoredResponse => ({
  version: 1,
  id,
  clientName,
  input: [{ type: "message" }],
  response: { id },
});

describe("the store of responses", () => {
  it("keeps them over a restart, each client's out of every other's reach (B7, C1)", async () => {
    await open().put(record("resp_1"));
    const store = open();
    expect(await store.get("a", "resp_1")).toEqual(record("resp_1"));
    expect(await store.get("b", "resp_1")).toBeUndefined();
    expect(await store.delete("b", "resp_1")).toBe(false);
    expect(await store.delete("a", "resp_1")).toBe(true);
    expect(await store.get("a", "resp_1")).toBeUndefined();
  });

  it("forgets what nobody used for its time, and sweeps it away (B7, C4)", async () => {
    const store = open();
    await store.put(record("resp_old"));
    await store.put(record("resp_used"));
    now += 900;
    await store.touch("a", ["resp_used", "resp_gone"]);
    now += 200;
    expect(await store.get("a", "resp_old")).toBeUndefined();
    expect(await store.get("a", "resp_used")).toBeDefined();
    expect(await store.sweep()).toBe(1);
    const files = await readdir(dir, { recursive: true });
    expect(files.filter((name) => name.endsWith(".json"))).toHaveLength(1);
  });

  it("keeps a bounded number and size for each client, those last used (C4)", async () => {
    const few = open({ maxPerClient: 5 });
    for (const id of ["1", "2", "3", "4", "5", "6", "7"]) {
      now += 10;
      await few.put(record(`resp_${id}`));
    }
    expect(await few.get("a", "resp_2")).toBeUndefined();
    expect(await few.get("a", "resp_3")).toBeDefined();
    await open({ maxBytesPerClient: 150 }).sweep();
    expect(await few.get("a", "resp_6")).toBeUndefined();
    expect(await few.get("a", "resp_7")).toBeDefined();
  });
});
