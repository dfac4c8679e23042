// Tells a credential that fails from a model that this credential may not use. Some providers refuse the latter in the very words of
// the former; one client that asks for such a model must not have a good credential renewed, or locked out, for everybody.
import { classify } from "../auth/classify.ts";
import type { AuthAdmission, AuthStatus } from "../auth/contract.ts";
import { CcapiError } from "../auth/errors.ts";
import type { Signal } from "../auth/signal.ts";

/** A proof this fresh says that the credential works while the request's own attempt fails. */
const freshProofMs = 15_000;
/** A refusal that comes again within this time, with a proof in between, was never the credential's. */
const repeatMs = 60_000;
/** How long a model's refusals then are its own. */
const blameMs = 10 * 60_000;
/** How long they are without anybody having proven the credential since: a proof anew is a test query, and those are few. */
const blameUnprovenMs = 3 * 60_000;

/** What is known of models. */
export interface ModelBlame {
  /**
   * Whether a sign is about the model alone: then it is not to be reported.
   *
   * @param auth the leave of the attempt that saw it.
   */
  isAboutModel(
    model: string,
    auth: Pick<AuthAdmission, "generation" | "isCanary" | "carriedOver">,
    signal: Signal,
  ): boolean;
  /** The model has answered. */
  clear(model: string): void;
}

/** What is remembered of a model that was refused. */
interface Refusal {
  /** What the refusal said. Other words are another matter: the credential may have failed since. */
  readonly rule: string;
  /** When it was held against the model; `undefined`: against the credential, so far. */
  readonly blamedAtMs: number | undefined;
  readonly lastAtMs: number;
}

/** Makes it. `now`: milliseconds of a clock that no step moves. */
export function createModelBlame({ status, now }: { status: () => AuthStatus; now: () => number }): ModelBlame {
  const refusals = new Map<string, Refusal>();
  /** When each model last answered. */
  const answersAtMs = new Map<string, number>();

  function judge(before: Refusal | undefined, rule: string, provenAtMs: number, carriedOver: number): boolean {
    const isSame = before?.rule === rule;
    const isProvenSince = isSame && provenAtMs > before.lastAtMs;
    if (isSame && before.blamedAtMs !== undefined) {
      return now() - before.blamedAtMs < (isProvenSince ? blameMs : blameUnprovenMs);
    }
    // It was held against the credential, and somebody has proven that one since.
    if (isProvenSince && now() - before.lastAtMs < repeatMs) return true;
    // Others have just proven the very credential with which this request fails once more.
    return carriedOver > 0 && now() - provenAtMs <= freshProofMs;
  }

  return {
    isAboutModel(model, { generation, isCanary, carriedOver }, signal) {
      const { verdict, rule } = classify(signal);
      if (isCanary || verdict === "not_auth") return false;
      const { state, evidence, credential } = status();
      // What an earlier credential was refused says nothing once there is another, however well that one is proven.
      if (generation !== credential.generation) return false;
      // Names are clients' words: those that are over must not gather.
      for (const [name, { lastAtMs }] of refusals) if (now() - lastAtMs >= blameMs) refusals.delete(name);
      for (const [name, atMs] of answersAtMs) if (now() - atMs >= repeatMs) answersAtMs.delete(name);
      // One that has just answered may be used: two credentials that die in a row are no fault of its.
      if (answersAtMs.has(model)) return false;
      const before = refusals.get(model);
      // Whoever can't be sure of the credential can't blame a model.
      const isKnown = state === "authenticated" && evidence !== null;
      const isBlamed = isKnown && judge(before, rule, now() - evidence.ageMs, carriedOver);
      const blamedAtMs = isBlamed ? ((before?.rule === rule ? before.blamedAtMs : undefined) ?? now()) : undefined;
      refusals.set(model, { rule, blamedAtMs, lastAtMs: now() });
      return isBlamed;
    },
    clear(model) {
      refusals.delete(model);
      answersAtMs.set(model, now());
    },
  };
}

/** The error of a request whose model the credential may not use. */
export function modelRefused(): CcapiError {
  return new CcapiError(
    "model_not_found",
    "The model API refuses this model to the server's Claude credential, which works for others: the account may have no access to it.",
    { param: "model", shouldRetry: false },
  );
}
