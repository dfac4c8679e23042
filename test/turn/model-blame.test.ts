import { describe, expect, it } from "vitest";
import type { AuthStatus } from "../../src/auth/contract.ts";
import type { Signal } from "../../src/auth/signal.ts";
import { createModelBlame } from "../../src/turn/model-blame.ts";
import { status } from "../helpers/app.ts";

const sign: Signal = { source: "api_retry", error: "authentication_failed", status: 401, attempt: 1 };
const proven = (ageMs: number): AuthStatus => ({ ...status, evidence: { source: "answer", atMs: 0, ageMs } });
const { generation } = status.credential;
const again = { generation, isCanary: false, carriedOver: 1 };
const first = { generation, isCanary: false, carriedOver: 0 };

function create(told: AuthStatus) {
  const clock = { nowMs: 0, told };
  const blame = createModelBlame({ status: () => clock.told, now: () => clock.nowMs });
  return { blame, clock };
}

describe("a refusal", () => {
  it("is the model's where others have just proven the credential and this request fails once more (A1, C4)", () => {
    const { blame } = create(proven(1_000));
    expect(blame.isAboutModel("opus", first, sign)).toBe(false);
    expect(blame.isAboutModel("opus", again, sign)).toBe(true);
  });

  it("of a credential that has been replaced is never the model's, and is not remembered (A5, A6)", () => {
    const { blame } = create(proven(1_000));
    const stale = { ...again, generation: generation - 1 };
    expect(blame.isAboutModel("opus", stale, sign)).toBe(false);
    expect(blame.isAboutModel("opus", stale, sign)).toBe(false);
    expect(blame.isAboutModel("opus", first, sign)).toBe(false);
  });

  it("is the credential's where the model has answered within the last minute: two may die in a row (A5)", () => {
    const { blame, clock } = create(proven(1_000));
    blame.clear("opus");
    clock.nowMs = 59_000;
    expect(blame.isAboutModel("opus", again, sign)).toBe(false);
    expect(blame.isAboutModel("sonnet", again, sign)).toBe(true);
    clock.nowMs = 61_000;
    expect(blame.isAboutModel("opus", again, sign)).toBe(true);
  });

  it("of a model that is known for it is the model's at once, for ten minutes or until it answers (C4)", () => {
    const { blame, clock } = create(proven(1_000));
    blame.isAboutModel("opus", again, sign);
    expect(blame.isAboutModel("opus", first, sign)).toBe(true);
    expect(blame.isAboutModel("sonnet", first, sign)).toBe(false);
    blame.clear("opus");
    expect(blame.isAboutModel("opus", first, sign)).toBe(false);
    blame.isAboutModel("opus", again, sign);
    clock.nowMs = 600_001;
    expect(blame.isAboutModel("opus", first, sign)).toBe(false);
  });

  it("of a blamed model is the credential's again after three minutes in which nobody proved that one (A1)", () => {
    const { blame, clock } = create(proven(1_000));
    blame.isAboutModel("opus", again, sign);
    clock.nowMs = 179_000;
    clock.told = proven(180_000);
    expect(blame.isAboutModel("opus", first, sign)).toBe(true);
    clock.nowMs = 181_000;
    clock.told = proven(182_000);
    expect(blame.isAboutModel("opus", first, sign)).toBe(false);
  });

  it("is the credential's where that is not proven, the proof is old, or this request is the proof (A1)", () => {
    expect(create(proven(16_000)).blame.isAboutModel("opus", again, sign)).toBe(false);
    expect(create(proven(0)).blame.isAboutModel("opus", { ...again, isCanary: true }, sign)).toBe(false);
    const { blame, clock } = create(proven(0));
    blame.isAboutModel("opus", again, sign);
    clock.told = { ...status, state: "refreshing", isAuthenticated: false };
    expect(blame.isAboutModel("opus", again, sign)).toBe(false);
  });

  it("is the model's where the credential was doubted for it, proven by somebody, and it comes again (C4)", () => {
    const { blame, clock } = create({ ...proven(0), evidence: null });
    expect(blame.isAboutModel("opus", first, sign)).toBe(false); // A fixed key: refused at this one sign …
    clock.nowMs = 5_000;
    clock.told = proven(1_000); // … and proven by the probe.
    expect(blame.isAboutModel("opus", first, sign)).toBe(true);
    expect(blame.isAboutModel("sonnet", first, sign)).toBe(false);
  });

  it("in other words than before is the credential's: it may have died since (A1)", () => {
    const { blame } = create(proven(1_000));
    expect(blame.isAboutModel("opus", again, { ...sign, status: 403 })).toBe(true);
    expect(blame.isAboutModel("opus", first, { ...sign, status: 403 })).toBe(true);
    expect(blame.isAboutModel("opus", first, sign)).toBe(false);
  });

  it("that is not about authentication is nobody's here (A1)", () => {
    const { blame } = create(proven(0));
    expect(
      blame.isAboutModel("opus", again, { source: "api_retry", error: "rate_limit", status: 429, attempt: 1 }),
    ).toBe(false);
  });
});
