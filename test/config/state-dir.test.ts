import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { stateDirOf } from "../../src/config/state-dir.ts";

const checkout = fileURLToPath(new URL("../../", import.meta.url));

it("is the setting's, else the system's place for state (C1)", () => {
  expect(stateDirOf({ stateDir: "/srv/state", environment: {} })).toBe("/srv/state");
  expect(stateDirOf({ stateDir: undefined, environment: { HOME: "/home/x" } })).toBe("/home/x/.local/state/ccapi");
  expect(stateDirOf({ stateDir: undefined, environment: { HOME: "/home/x", XDG_STATE_HOME: "/s" } })).toBe("/s/ccapi");
});

it.each([checkout, `${checkout}state`, `${checkout}src/../x`])(
  "is never inside this program's own folder, where agents could reach it: %s (C3)",
  (stateDir) => {
    expect(() => stateDirOf({ stateDir, environment: {} })).toThrow("lies inside the folder of this program");
  },
);
