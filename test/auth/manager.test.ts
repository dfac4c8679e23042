// What the manager promises to a request, to a person and to a program.
import { describe, expect, it } from "vitest";
import { CcapiError } from "../../src/auth/errors.ts";
import { settle } from "./fake-clock.ts";
import { request } from "./request.ts";
import { apiRetry, createWorld } from "./world.ts";

describe("a request that meets an expired credential", () => {
  it("is carried over once the credential is renewed, and its client sees nothing (A5)", async () => {
    const world = createWorld();
    await settle();
    world.accepted = new Set(["second"]);
    const answer = request(world);
    await world.clock.advance(300);
    expect(world.manager.status().state).not.toBe("authenticated");
    world.material = "second";
    world.touch();
    await world.clock.advance(1_000);
    await expect(answer).resolves.toMatchObject({ answer: "second" });
    expect(world.manager.status()).toMatchObject({
      isAuthenticated: true,
      state: "authenticated",
      consecutiveFailures: 0,
    });
    await world.close();
  });

  it("is looked at within the same moment, at the first sign (G1)", async () => {
    const world = createWorld();
    await settle();
    const admission = world.manager.tryAdmit("processRequest for request req_1");
    const reads = world.reads.length;
    expect(admission?.report(apiRetry(1))).toEqual({ action: "continue" });
    await settle();
    expect(world.reads).toHaveLength(reads + 1);
    expect(world.manager.status()).toMatchObject({ state: "checking", refreshCount: 0 });
    await world.close();
  });

  it("fails fast once the system is locked out (A7)", async () => {
    const world = createWorld();
    await settle();
    world.accepted = new Set();
    const answer = request(world).catch((error: unknown) => error);
    await world.clock.advance(200_000);
    const error = await answer;
    expect(error).toBeInstanceOf(CcapiError);
    expect(error).toMatchObject({ code: "upstream_auth_unavailable" });
    expect(world.manager.status()).toMatchObject({ state: "locked_out", isAuthenticated: false });
    await expect(world.manager.admit({ operation: "x" })).rejects.toMatchObject({
      code: "upstream_auth_unavailable",
      state: "locked_out",
    });
    await world.close();
  });
});
