// The README's first command: the demo plays every scene as promised, and ends by itself.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { scenes } from "../../src/cli/demo/scenes.ts";

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
