// A made-up world around a manager: one credential with its material, an upstream that accepts some of it, clients, and a log
// of all that happened.
import { randomBytes } from "node:crypto";
import { createAuthManager, type AuthManagerOptions } from "../../src/auth/manager.ts";
import type { AuthAdmission, AuthManager, Decision } from "../../src/auth/contract.ts";
import type { AuthEvent } from "../../src/auth/events.ts";
import type { CredentialReading, ProofOutcome } from "../../src/auth/ports.ts";
import type { Classification, Signal } from "../../src/auth/signal.ts";
import { rereadStrategy } from "../../src/auth/strategies/reread.ts";
import { testQueryStrategy } from "../../src/auth/strategies/test-query.ts";
import { fakeClock, type FakeClock } from "./fake-clock.ts";

/** Never in anything that the manager says. */
export const markedSecret = `sk-marked-${randomBytes(8).toString("hex")}`;

/** What a test can set, and what it can see. */
export interface World {
  readonly clock: FakeClock;
  readonly manager: AuthManager;
  readonly events: AuthEvent[];
  readonly eventsOf: <T extends AuthEvent["type"]>(type: T) => Extract<AuthEvent, { type: T }>[];
  /** The material that is there now. */
  material: string;
  /** What the upstream accepts. */
  accepted: Set<string>;
  /** Overrides what a test query comes to. */
  proof: (() => Promise<ProofOutcome>) | undefined;
  /** Parts of the reading that differ. */
  reading: Partial<CredentialReading>;
  readonly counts: { reads: number; proofs: number };
  /** As a file event would. */
  touch: () => void;
  /** The signal of a rejected call. */
  readonly rejection: Signal;
}

/** A classification by the made-up error's own word. */
export function fakeClassify(signal: Signal): Classification {
  const word = "error" in signal ? String(signal.error instanceof Error ? signal.error.message : signal.error) : "";
  if (word === "authentication_failed")
    return { verdict: "auth_refreshable", reason: "The credential was rejected.", rule: "sdk-authentication-failed" };
  if (word === "invalid")
    return { verdict: "auth_permanent", reason: "The credential is not valid.", rule: "text-invalid-key" };
  if (word === "revoked")
    return { verdict: "auth_permanent", reason: "The credential was revoked.", rule: "text-revoked" };
  return { verdict: "not_auth", reason: "Not about the credential.", rule: "none" };
}

/** The first sign of a failure, as the SDK shows it. */
export function apiRetry(attempt: number, error = "authentication_failed"): Signal {
  return { source: "api_retry", error, status: 401, attempt };
}

/** The end of an attempt that failed. */
export function finalFailure(error = "authentication_failed"): Signal {
  return { source: "result", error, status: 401, text: "" };
}

/** Makes a world. */
export function createWorld(
  options: Partial<AuthManagerOptions> & {
    readonly reading?: Partial<CredentialReading>;
    readonly worldClock?: FakeClock;
  } = {},
): World {
  const clock = options.worldClock ?? fakeClock();
  const events: AuthEvent[] = [];
  let onChange: () => void = () => undefined;
  const world = {
    clock,
    events,
    eventsOf: (type: string) => events.filter((event) => event.type === type),
    material: "first",
    accepted: new Set(["first"]),
    proof: undefined as World["proof"],
    reading: options.reading ?? {},
    counts: { reads: 0, proofs: 0 },
    touch: () => onChange(),
    rejection: finalFailure(),
  };
  const { reading: _reading, worldClock: _clock, ...rest } = options;
  const manager = createAuthManager({
    credential: {
      async read() {
        world.counts.reads += 1;
        return {
          kind: "auth_token",
          fingerprint: `print of ${world.material}`,
          present: true,
          renewable: true,
          watchMode: "cheap",
          action: "rotate ANTHROPIC_AUTH_TOKEN",
          ...world.reading,
        };
      },
      watch(listener) {
        onChange = listener;
        return () => {
          onChange = () => undefined;
        };
      },
    },
    async prove() {
      world.counts.proofs += 1;
      if (world.proof) return world.proof();
      if (world.accepted.has(world.material)) return { outcome: "answered" };
      return { outcome: "rejected", classification: fakeClassify(finalFailure()) };
    },
    strategies: [rereadStrategy(), testQueryStrategy()],
    classify: fakeClassify,
    clock,
    random: () => 0.5,
    ...rest,
    onEvent(event) {
      events.push(event);
      rest.onEvent?.(event);
    },
  });
  return Object.assign(world, { manager }) as World;
}

/** One client's request, run to its end by the rules of the contract. */
export async function request(
  world: World,
  {
    name = "processRequest for request req_1",
    retries = false,
    signal,
  }: { readonly name?: string; readonly retries?: boolean; readonly signal?: AbortSignal } = {},
): Promise<{ readonly answer: string; readonly attempts: number; readonly calls: number }> {
  const { manager, clock } = world;
  let admission: AuthAdmission = manager.tryAdmit(name) ?? (await manager.admit({ operation: name, signal }));
  let attempts = 0;
  let calls = 0;
  try {
    for (;;) {
      attempts += 1;
      const material = world.material;
      let decision: Decision = { action: "continue" };
      for (let call = 1; ; call += 1) {
        calls += 1;
        await sleep(clock, 100);
        if (world.accepted.has(material)) {
          admission.succeeded("answer");
          return { answer: material, attempts, calls };
        }
        decision = admission.report(retries && call < 3 ? apiRetry(call) : world.rejection);
        if (decision.action !== "continue" || !retries || call >= 3) break;
      }
      if (decision.action === "fail") throw decision.error;
      if (decision.action === "continue") throw new Error("failed for another reason");
      admission = await admission.recovered({ signal });
    }
  } finally {
    admission.release();
  }
}

/** Time that passes by the fake clock. */
export function sleep(clock: FakeClock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(resolve, ms));
}
