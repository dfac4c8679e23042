// One client's request in the made-up world, run to its end as the contract of admissions asks.
import type { AuthAdmission, AuthManager, Decision } from "../../src/auth/contract.ts";
import type { FakeClock } from "./fake-clock.ts";
import { apiRetry, finalFailure, type World } from "./world.ts";

/** How a request runs. */
export interface RequestOptions {
  readonly name?: string;
  readonly manager?: AuthManager;
  /** Whether Claude Code's own retries are on: the first sign is then an `api_retry`. */
  readonly retries?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** The failure's own word. */
  readonly error?: string;
}

/** How it went. */
export interface Answer {
  readonly answer: string;
  /** The generation of each attempt. */
  readonly generations: readonly number[];
  readonly calls: number;
  readonly waitedMs: number;
}

/** How long one call of the upstream takes. */
const callMs = 100;

/** Runs it. Rejects with the error that its client would get. */
export async function request(world: World, options: RequestOptions = {}): Promise<Answer> {
  const { manager = world.manager, name = "processRequest for request req_1", signal } = options;
  let admission: AuthAdmission = manager.tryAdmit(name) ?? (await manager.admit({ operation: name, signal }));
  const generations: number[] = [];
  let calls = 0;
  try {
    for (;;) {
      generations.push(admission.generation);
      const attempt = await runAttempt(world, admission, options);
      calls += attempt.calls;
      if ("answer" in attempt) return { answer: attempt.answer, generations, calls, waitedMs: admission.waitedMs };
      if (attempt.decision.action === "fail") throw attempt.decision.error;
      admission = await admission.recovered({ signal });
    }
  } finally {
    admission.release();
  }
}

type Attempt =
  | { readonly answer: string; readonly calls: number }
  | { readonly decision: Exclude<Decision, { action: "continue" }>; readonly calls: number };

async function runAttempt(world: World, admission: AuthAdmission, options: RequestOptions): Promise<Attempt> {
  const { clock, material } = world;
  const { retries = false, error, signal } = options;
  const revised = Promise.withResolvers<Decision>();
  const stopListening = admission.onDecision(revised.resolve);
  try {
    for (let calls = 1; ; calls += 1) {
      const early = await Promise.race([sleep(clock, callMs), revised.promise]);
      signal?.throwIfAborted();
      if (early !== undefined && early.action !== "continue") return { decision: early, calls };
      const isAccepted = world.accepted.has(material);
      world.calls.push({ atMs: clock.monotonicMs(), isAccepted });
      if (isAccepted) {
        admission.succeeded("answer");
        return { answer: material, calls };
      }
      const isLast = !retries || calls >= 10;
      const decision = admission.report(isLast ? finalFailure(error) : apiRetry(calls, error));
      if (decision.action !== "continue") return { decision, calls };
      if (isLast) throw new Error("failed for another reason");
      // Claude Code's own back-off.
      const meanwhile = await Promise.race([sleep(clock, 500 * 2 ** (calls - 1)), revised.promise]);
      if (meanwhile !== undefined && meanwhile.action !== "continue") return { decision: meanwhile, calls };
    }
  } finally {
    stopListening();
  }
}

/** Time that passes by the fake clock. */
export function sleep(clock: FakeClock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(resolve, ms));
}
