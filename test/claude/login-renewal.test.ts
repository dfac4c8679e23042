import { mkdirSync, mkdtempSync, rmdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { isLoginBeingRenewed, untilLoginIsRenewed } from "../../src/claude/login-renewal.ts";

let home: string;
let configDir: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "ccapi-test-"));
  configDir = join(home, ".claude");
  mkdirSync(configDir);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

it("is seen by either lock, of present and of older versions, through a linked folder too (A4)", () => {
  expect(isLoginBeingRenewed(configDir)).toBe(false);
  mkdirSync(`${configDir}.lock`);
  expect(isLoginBeingRenewed(configDir)).toBe(true);
  const linked = join(home, "linked");
  symlinkSync(configDir, linked);
  expect(isLoginBeingRenewed(linked)).toBe(true);
  rmdirSync(`${configDir}.lock`);
  mkdirSync(join(configDir, ".oauth_refresh.lock"));
  expect(isLoginBeingRenewed(configDir)).toBe(true);
});

it("of a folder that is not there is not under way (A4)", () => {
  expect(isLoginBeingRenewed(join(home, "gone"))).toBe(false);
});

it("is waited for until its lock is gone (A4)", async () => {
  const lock = join(configDir, ".oauth_refresh.lock");
  mkdirSync(lock);
  let isOver = false;
  const waiting = untilLoginIsRenewed(configDir).then(() => {
    isOver = true;
  });
  await new Promise((resolve) => void setImmediate(resolve));
  expect(isOver).toBe(false);
  rmdirSync(lock);
  await waiting;
});
