// Every pair of credential and refresher has one public state, and each state one way with requests.
import { describe, expect, it } from "vitest";
import {
  type Credential,
  type Facts,
  initialFacts,
  isAuthenticated,
  mayWait,
  passes,
  publicState,
  type Refresher,
} from "../../src/auth/facts.ts";
import type { PublicState } from "../../src/auth/contract.ts";

const lease = { id: "l", untilMs: 1, beganAtMs: 0, trigger: "request", generation: 1, isProbe: false } as const;
const credentials: Record<Credential["is"], Credential> = {
  unknown: { is: "unknown" },
  valid: { is: "valid" },
  suspect: { is: "suspect", wasValid: true, firstSignAtMs: 0 },
  expired: { is: "expired", cause: "request", firstSignAtMs: 0 },
  refused: { is: "refused", reason: "revoked", firstSignAtMs: 0 },
};
const refreshers: Record<string, Refresher> = {
  idle: { is: "idle" },
  running: { is: "running", lease },
  probing: { is: "running", lease: { ...lease, trigger: "probe", isProbe: true } },
  cooling: { is: "cooling_down", untilMs: 1 },
  locked: { is: "locked_out", nextProbeAtMs: 1 },
};

/** The whole product, written out. */
const table: Record<Credential["is"], Record<string, PublicState>> = {
  unknown: {
    idle: "unknown",
    running: "unknown",
    probing: "locked_out",
    cooling: "unknown",
    locked: "locked_out",
  },
  valid: {
    idle: "authenticated",
    running: "authenticated",
    probing: "authenticated",
    cooling: "authenticated",
    locked: "authenticated",
  },
  suspect: { idle: "checking", running: "checking", probing: "checking", cooling: "checking", locked: "checking" },
  expired: {
    idle: "refreshing",
    running: "refreshing",
    probing: "locked_out",
    cooling: "cooling_down",
    locked: "locked_out",
  },
  refused: {
    idle: "needs_login",
    running: "needs_login",
    probing: "needs_login",
    cooling: "needs_login",
    locked: "needs_login",
  },
};

const product = Object.entries(table).flatMap(([credential, row]) =>
  Object.entries(row).map(([refresher, state]) => ({ credential: credential as Credential["is"], refresher, state })),
);

describe("the public state", () => {
  it.each(product)("of $credential and $refresher is $state", ({ credential, refresher, state }) => {
    const pair = { credential: credentials[credential], refresher: refreshers[refresher] ?? { is: "idle" } };
    expect(publicState(pair)).toBe(state);
  });

  it("is written out for the whole product", () => {
    expect(product).toHaveLength(Object.keys(credentials).length * Object.keys(refreshers).length);
  });

  it.each([
    ["authenticated", "passes"],
    ["unknown", "passes"],
    ["checking", "passes"],
    ["refreshing", "waits"],
    ["cooling_down", "waits"],
    ["locked_out", "fails"],
    ["needs_login", "fails"],
  ] as const)("%s: a request %s", (state, way) => {
    const seen = passes(state) ? "passes" : mayWait(state, initialFacts(0)) ? "waits" : "fails";
    expect(seen).toBe(way);
  });

  it("lets nobody wait in the cooldown for a credential that can't change", () => {
    const reading = { ...fixedReading, renewable: false };
    expect(mayWait("cooling_down", { ...initialFacts(0), reading })).toBe(false);
    expect(mayWait("cooling_down", { ...initialFacts(0), reading: fixedReading })).toBe(true);
  });

  it("says isAuthenticated only of what was proven (A10)", () => {
    const of = (credential: Credential) => isAuthenticated({ ...initialFacts(0), credential });
    expect(of(credentials.unknown)).toBeNull();
    expect(of(credentials.valid)).toBe(true);
    expect(of(credentials.suspect)).toBe(true);
    expect(of({ is: "suspect", wasValid: false, firstSignAtMs: 0 })).toBeNull();
    expect(of(credentials.expired)).toBe(false);
    expect(of(credentials.refused)).toBe(false);
  });
});

const fixedReading: NonNullable<Facts["reading"]> = {
  kind: "api_key",
  fingerprint: "f",
  present: true,
  renewable: true,
  watchMode: "fixed",
  action: "rotate ANTHROPIC_API_KEY",
  expiresAtWallMs: null,
  lifeMs: null,
};
