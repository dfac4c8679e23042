import { expect, it } from "vitest";
import { withMuzzle } from "../../src/claude/muzzle.ts";

it("lets every tool pass until the process is being ended, then none, and keeps the hooks that there were (A5)", async () => {
  let isEnding = false;
  const before = { hooks: [async () => ({})] };
  const hooks = withMuzzle({ PreToolUse: [before], Stop: [before] }, () => isEnding);
  expect(hooks.Stop).toEqual([before]);
  expect(hooks.PreToolUse?.[0]).toBe(before);
  const muzzle = hooks.PreToolUse?.[1];
  expect(muzzle?.matcher).toBeUndefined();
  const ask = () => muzzle?.hooks[0]?.({} as never, undefined, { signal: new AbortController().signal });
  expect(await ask()).toEqual({});
  isEnding = true;
  expect(await ask()).toMatchObject({ continue: false, hookSpecificOutput: { permissionDecision: "deny" } });
});
