// The README's first command: the demo plays every scene as promised, and ends by itself.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, expect, it, vi } from "vitest";
import { scenes } from "../../src/cli/demo/scenes.ts";
import { setStage } from "../../src/cli/demo/stage.ts";

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));

it("keeps every promise within 60 s, with no configuration at all (E2)", { timeout: 120_000 }, async () => {
  const home = await mkdtemp(join(tmpdir(), "ccapi-test-"));
  try {
    const environment = { HOME: home, PATH: process.env["PATH"], IS_SANDBOX: "1" };
    // It would fail with an exit code of its own: each promise that is not kept makes it 1.
    const { stdout } = await promisify(execFile)(process.execPath, [cli, "demo"], { env: environment });
    expect(stdout).toContain(`${scenes.length} of ${scenes.length} as promised`);
    expect(stdout).not.toContain("NOT as promised");
    const seconds = Number(/as promised, in ([\d.]+) s/.exec(stdout)?.[1]);
    expect(seconds).toBeLessThan(60);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});

afterEach(() => void vi.unstubAllEnvs());

it("leaves nothing behind where its server can't start (E2)", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ccapi-test-"));
  vi.stubEnv("TMPDIR", folder);
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const listening = () => process.getActiveResourcesInfo().filter((kind) => kind === "TCPServerWrap").length;
  const before = listening();
  try {
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? String(address.port) : "";
    await expect(setStage({ port }, "sk-ant-test-0001")).rejects.toThrow("EADDRINUSE");
    expect(listening()).toBe(before);
    expect(await readdir(folder)).toEqual([]);
  } finally {
    taken.close();
    await rm(folder, { recursive: true, force: true });
  }
});
