import { lstat, mkdir, mkdtemp, readdir, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createWorkspaces } from "../../src/turn/workspace.ts";

let base: string;
beforeEach(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), "ccapi-work-")));
  vi.stubEnv("TMPDIR", join(base, "tmp"));
  await mkdir(join(base, "tmp"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(base, { recursive: true });
});

const mode = async (path: string) => (await stat(path)).mode & 0o777;

describe("an agent's folder", () => {
  it("is one for each client key, named for it, below the state folder, and open to nobody else (C3)", async () => {
    const workspaces = createWorkspaces(join(base, "state"));
    const one = await workspaces.agent("team-a");
    const two = await workspaces.agent("team-b");
    expect([one, two]).toEqual(["team-a", "team-b"].map((name) => join(base, "state", "workspaces", name)));
    for (const path of [one, join(base, "state", "workspaces"), join(base, "state")])
      expect(await mode(path)).toBe(0o700);
  });

  it("keeps what is in it from one turn to the next (B3)", async () => {
    const workspaces = createWorkspaces(base);
    await writeFile(join(await workspaces.agent("a"), "notes"), "x");
    expect(await readdir(await workspaces.agent("a"))).toEqual(["notes"]);
  });

  it.each(["", ".", "..", "../x", "a/../../x", "/etc", "a\\b", "a\0", ".hidden", "ünï", "x".repeat(65), " a", "a\n"])(
    "is none for a name that could lead elsewhere: %j (C3)",
    async (name) => {
      await expect(createWorkspaces(base).agent(name)).rejects.toThrow(TypeError);
      expect(await readdir(base)).toEqual(["tmp"]);
    },
  );

  it("takes every name that the configuration lets a key have (C1)", async () => {
    const workspaces = createWorkspaces(base);
    for (const name of ["a", "A.b-c_d", "-", "_", "client-1", "x".repeat(64)]) {
      expect(await workspaces.agent(name)).toBe(join(base, "workspaces", name));
    }
  });

  it("is none where a link or a file lies in its place (C3)", async () => {
    await mkdir(join(base, "workspaces"));
    await symlink("/etc", join(base, "workspaces", "linked"));
    await writeFile(join(base, "workspaces", "file"), "");
    const workspaces = createWorkspaces(base);
    await expect(workspaces.agent("linked")).rejects.toThrow("belongs to somebody else");
    await expect(workspaces.agent("file")).rejects.toThrow();
    expect((await lstat(join(base, "workspaces", "linked"))).isSymbolicLink()).toBe(true);
  });

  it("is not so deep that Claude Code would shorten its name: said at the start, and by the real path (B3)", async () => {
    expect(() => createWorkspaces(`/${"x".repeat(130)}`)).toThrow(
      new TypeError("CCAPI_STATE_DIR may have at most 124 characters."),
    );
    const deep = join(base, ...Array.from({ length: 20 }, () => "deep-deep-deep"));
    await mkdir(deep, { recursive: true });
    await symlink(deep, join(base, "short"));
    await expect(createWorkspaces(join(base, "short")).agent("a")).rejects.toThrow("more than 200 characters");
  });
});

describe("plain chat's folder", () => {
  it("is a neutral one, whoever asks, that tells nothing of the host or of the state folder (B2)", async () => {
    const path = await createWorkspaces(join(base, "state")).chat();
    expect(path).toMatch(/\/tmp\/ccapi-chat-\d+$/);
    expect(await mode(path)).toBe(0o700);
    expect(await readdir(base)).toEqual(["tmp"]);
  });

  it("is outside of this program's own folder (C3)", async () => {
    const checkout = fileURLToPath(new URL("../..", import.meta.url));
    expect((await createWorkspaces(base).chat()).startsWith(checkout)).toBe(false);
  });

  it("is another one where somebody put a link in its place, which is left alone (C3)", async () => {
    const path = await createWorkspaces(base).chat();
    await rm(path, { recursive: true });
    await symlink("/etc", path);
    const other = await createWorkspaces(base).chat();
    expect(other.startsWith(`${path}-`)).toBe(true);
    expect(await mode(other)).toBe(0o700);
    await rm(other, { recursive: true });
  });
});
