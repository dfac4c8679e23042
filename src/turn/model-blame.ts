// Tells a credential that fails from a model that this credential may not use. Some providers refuse the latter in the very words of
// the former; one client that asks for such a model must not have a good credential renewed, or locked out, for everybody.
import { classify } from "../auth/classify.ts";
import type { AuthAdmission, AuthStatus } from "../auth/contract.ts";
import { CcapiError } from "../auth/errors.ts";
import type { Signal } from "../auth/signal.ts";

/** A proof this fresh says that the credential works while the request's own attempt fails. */
const freshProofMs = 15_000;
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
  isAboutModel(model: string, auth: Pick<AuthAdmission, "isCanary" | "carriedOver">, signal: Signal): boolean;
  /** The model has answered. */
  clear(model: string): void;
}

/** Makes it. `now`: milliseconds of a clock that no step moves. */
export function createModelBlame({ status, now }: { status: () => AuthStatus; now: () => number }): ModelBlame {
  /** When each model was blamed, and when it last refused. */
  const blamed = new Map<string, { readonly sinceMs: number; readonly refusedAtMs: number }>();

  function isBlamed(model: string, provenAtMs: number): boolean {
    const blame = blamed.get(model);
    if (blame === undefined) return false;
    const isProvenSince = provenAtMs > blame.refusedAtMs;
    const isOver = now() - blame.sinceMs >= (isProvenSince ? blameMs : blameUnprovenMs);
    if (isOver) blamed.delete(model);
    else blamed.set(model, { ...blame, refusedAtMs: now() });
    return !isOver;
  }

  return {
    isAboutModel(model, { isCanary, carriedOver }, signal) {
      if (isCanary || classify(signal).verdict === "not_auth") return false;
      const { state, evidence } = status();
      // Whoever can't be sure of the credential can't blame a model.
      if (state !== "authenticated" || evidence === null) return false;
      if (isBlamed(model, now() - evidence.ageMs)) return true;
      // Others have just proven the very credential with which this request fails once more.
      if (carriedOver === 0 || evidence.ageMs > freshProofMs) return false;
      // Names are clients' words: those that are over must not gather.
      for (const [name, { sinceMs }] of blamed) if (now() - sinceMs >= blameMs) blamed.delete(name);
      blamed.set(model, { sinceMs: now(), refusedAtMs: now() });
      return true;
    },
    clear: (model) => void blamed.delete(model),
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
