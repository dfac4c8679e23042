// Any async operation, carried over an expiry: the library's way to use the auth core.
import type { Attempt, AuthManager, OperationContext } from "./contract.ts";
import { CcapiError } from "./errors.ts";

/** See {@link AuthManager.handleAuthError}. */
export async function carryOver<T>(
  manager: Pick<AuthManager, "tryAdmit" | "admit">,
  operation: (attempt: Attempt) => Promise<T>,
  { operation: name, signal = new AbortController().signal, isProof = () => true }: OperationContext<T>,
): Promise<T> {
  signal.throwIfAborted();
  let admission = manager.tryAdmit(name) ?? (await manager.admit({ operation: name, signal }));
  try {
    for (;;) {
      const { generation, carriedOver } = admission;
      try {
        const result = await operation({ generation, carriedOver, signal });
        if (isProof(result)) admission.succeeded("operation");
        return result;
      } catch (error) {
        if (signal.aborted) throw error;
        const decision = admission.report({ source: "exception", error });
        if (decision.action === "continue") throw error;
        if (decision.action === "fail") throw withCause(decision.error, error);
      }
      admission = await admission.recovered({ signal });
    }
  } finally {
    admission.release();
  }
}

function withCause(error: CcapiError, cause: unknown): CcapiError {
  const { code, message, retryAfterMs, shouldRetry, state, action } = error;
  return new CcapiError(code, message, {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(shouldRetry === undefined ? {} : { shouldRetry }),
    ...(state === undefined ? {} : { state }),
    ...(action === undefined ? {} : { action }),
    cause,
  });
}
