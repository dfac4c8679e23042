import { describe, expect, it } from "vitest";
import { createSeal } from "../../src/cluster/seal.ts";

const seal = createSeal("a secret of the cluster 1");

describe("the cluster's seal", () => {
  it("gives back what it closed, to who has the same secret and knows the place (A9, C2)", () => {
    const sealed = seal.close("place", "a prompt: ü");
    expect(createSeal("a secret of the cluster 1").open("place", sealed)).toBe("a prompt: ü");
    expect(seal.open("other place", sealed)).toBeUndefined();
    expect(createSeal("a secret of the cluster 2").open("place", sealed)).toBeUndefined();
    for (const broken of ["", "AAAA", sealed.slice(0, 30), sealed.slice(0, -8)]) {
      expect(seal.open("place", broken)).toBeUndefined();
    }
  });

  it("closes the same text differently each time, and names the same thing alike (A9, C2)", () => {
    expect(seal.close("place", "text")).not.toBe(seal.close("place", "text"));
    expect(seal.name("session", "client", "id")).toBe(seal.name("session", "client", "id"));
    expect(seal.name("session", "client", "id")).not.toBe(seal.name("session", "clien", "tid"));
    expect(seal.name("session", "client", "id")).not.toContain("client");
  });
});
