import { describe, expect, it } from "vitest";
import { ignoredParameters } from "../../src/names/parameters.ts";

describe("a parameter that no document knows", () => {
  it.each(["__proto__", "__defineGetter__", "hasOwnProperty", "constructor"])(
    "is ignored by its name, also where every object has one: %s",
    (name) => {
      const body: Record<string, unknown> = Object.fromEntries([[name, "n"]]);
      expect(ignoredParameters(body, [], { n: () => true })).toEqual([name]);
    },
  );
});
