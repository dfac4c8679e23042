// CcapiError → OpenAI's error envelope. Pure.
import type { CcapiError } from "../auth/errors.ts";

/** OpenAI's error body. `state` and `action` are ours, where the error is about the Claude credential. */
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
    readonly state?: string;
    readonly action?: string;
  };
}

/** The body that tells of an error. */
export function toErrorBody(error: CcapiError): ErrorBody {
  const { message, type, code, param = null, state, action } = error;
  return {
    error: {
      message,
      type,
      param,
      code,
      ...(state === undefined ? {} : { state }),
      ...(action === undefined ? {} : { action }),
    },
  };
}
