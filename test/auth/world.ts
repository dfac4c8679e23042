// A made-up world around one credential: its material, an upstream that accepts some of it, one or two managers, and a record
// of all that happened. Time passes only when told.
import { createAuthManager, type AuthManagerOptions } from "../../src/auth/manager.ts";
import type { AuthManager } from "../../src/auth/contract.ts";
import type { AuthEvent } from "../../src/auth/events.ts";
import type { CredentialReading, ProofOutcome } from "../../src/auth/ports.ts";
import type { Classification, Signal } from "../../src/auth/signal.ts";
import { createMemoryStore } from "../../src/auth/store/memory.ts";
import type { AuthStore } from "../../src/auth/store/port.ts";
import { rereadStrategy } from "../../src/auth/strategies/reread.ts";
import { testQueryStrategy } from "../../src/auth/strategies/test-query.ts";
import { fakeClock, type FakeClock } from "./fake-clock.ts";

/** An event, with when and on which instance. */
export type Recorded = AuthEvent & { readonly atMs: number; readonly by: number };

/** What a test can set, and what it can see. */
export interface World {
  readonly clock: FakeClock;
  readonly managers: readonly AuthManager[];
  /** The first one. */
  readonly manager: AuthManager;
  readonly events: Recorded[];
  readonly eventsOf: <T extends AuthEvent["type"]>(type: T) => Extract<Recorded, { type: T }>[];
  /** The material that is there now. */
  material: string;
  /** What the upstream accepts. */
  accepted: Set<string>;
  /** Overrides what a test query comes to. */
  proof: ((signal: AbortSignal) => Promise<ProofOutcome>) | undefined;
  /** Parts of the reading that differ. */
  reading: Partial<CredentialReading>;
  /** When each was done. */
  readonly reads: number[];
  readonly proofs: number[];
  /** Calls of the upstream, by requests. */
  readonly calls: { readonly atMs: number; readonly isAccepted: boolean }[];
  /** As a file event would. */
  touch: () => void;
  close(): Promise<void>;
}

/** A classification by the made-up error's own word. */
export function fakeClassify(signal: Signal): Classification {
  const { error } = signal as { error?: unknown };
  const word = error instanceof Error ? error.message : String(error);
  switch (word) {
    case "authentication_failed":
      return { verdict: "auth_refreshable", reason: "It was rejected.", rule: "sdk-authentication-failed" };
    case "invalid":
      return { verdict: "auth_permanent", reason: "It is not valid.", rule: "invalid-api-key" };
    case "revoked":
      return { verdict: "auth_permanent", reason: "It was revoked.", rule: "revoked" };
    default:
      return { verdict: "not_auth", reason: "Not about the credential.", rule: "none" };
  }
}

/** The first sign of a failure, as the SDK shows it. */
export function apiRetry(attempt: number, error = "authentication_failed"): Signal {
  return { source: "api_retry", error, status: 401, attempt };
}

/** The end of an attempt that failed. */
export function finalFailure(error = "authentication_failed"): Signal {
  return { source: "result", error, status: 401, text: "" };
}

/** What differs from a plain world. */
export interface WorldOptions extends Partial<AuthManagerOptions> {
  readonly reading?: Partial<CredentialReading>;
  readonly worldClock?: FakeClock;
  /** What is there at first. Default: `first`. */
  readonly material?: string;
  /** Managers that share the store. Default 1. */
  readonly instances?: number;
  /** Each manager's own way to the shared store. */
  readonly wayTo?: (store: AuthStore) => AuthStore;
}

/** Makes a world. */
export function createWorld(options: WorldOptions = {}): World {
  const {
    reading = {},
    material = "first",
    worldClock: clock = fakeClock(),
    instances = 1,
    wayTo = (store) => store,
    onEvent,
    ...rest
  } = options;
  const store = rest.store ?? createMemoryStore({ clock });
  const events: Recorded[] = [];
  const listeners = new Set<() => void>();
  const world: Omit<World, "managers" | "manager" | "close"> = {
    clock,
    events,
    // The filter leaves those of the type alone.
    eventsOf: <T extends AuthEvent["type"]>(type: T) =>
      events.filter((event) => event.type === type) as Extract<Recorded, { type: T }>[],
    material,
    accepted: new Set([material]),
    proof: undefined,
    reading,
    reads: [],
    proofs: [],
    calls: [],
    touch: () => listeners.forEach((listener) => listener()),
  };
  const managers = Array.from({ length: instances }, (_, by) =>
    createAuthManager({
      credential: {
        async read() {
          world.reads.push(clock.monotonicMs());
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
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
      async prove(signal) {
        world.proofs.push(clock.monotonicMs());
        if (world.proof) return world.proof(signal);
        if (world.accepted.has(world.material)) return { outcome: "answered" };
        return { outcome: "rejected", classification: fakeClassify(finalFailure()) };
      },
      strategies: [rereadStrategy(), testQueryStrategy()],
      classify: fakeClassify,
      clock,
      random: () => 0.5,
      ...rest,
      store: wayTo(store),
      onEvent(event) {
        events.push({ ...event, atMs: clock.monotonicMs(), by });
        onEvent?.(event);
      },
    }),
  );
  const [manager] = managers;
  if (manager === undefined) throw new TypeError("a world needs a manager");
  return Object.assign(world, {
    managers,
    manager,
    async close() {
      await Promise.all(managers.map((each) => each.close()));
    },
  });
}
