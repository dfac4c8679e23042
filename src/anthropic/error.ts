// CcapiError → Anthropic's error envelope. Pure.
import type { CcapiError, ErrorCode } from "../auth/errors.ts";

/** Anthropic's `error.type`. @see https://docs.claude.com/en/api/errors */
export type ErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "billing_error"
  | "permission_error"
  | "not_found_error"
  | "request_too_large"
  | "rate_limit_error"
  | "timeout_error"
  | "api_error"
  | "overloaded_error";

/** Anthropic's error body. Beside `type` and `message` the fields are ours, the same as in OpenAI's envelope. */
export interface ErrorBody {
  readonly type: "error";
  readonly error: {
    readonly type: ErrorType;
    readonly message: string;
    readonly code: ErrorCode;
    readonly param?: string;
    readonly state?: string;
    readonly action?: string;
  };
  readonly request_id: string;
}

/** Codes whose type is none of what their status says. */
const typeByCode: Partial<Record<ErrorCode, ErrorType>> = {
  upstream_overloaded: "overloaded_error",
};

const typeByStatus: Readonly<Record<number, ErrorType>> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
};

/** The body that tells of an error. */
export function toErrorBody(error: CcapiError, requestId: string): ErrorBody {
  const { message, code, param, state, action } = error;
  return {
    type: "error",
    error: {
      type: toErrorType(error),
      message,
      code,
      ...(param === undefined ? {} : { param }),
      ...(state === undefined ? {} : { state }),
      ...(action === undefined ? {} : { action }),
    },
    request_id: requestId,
  };
}

/** Anthropic's clients know an overloaded model API by a status of its own. */
export function toErrorStatus({ code, status }: CcapiError): number {
  return code === "upstream_overloaded" ? 529 : status;
}

function toErrorType({ code, status }: CcapiError): ErrorType {
  return typeByCode[code] ?? typeByStatus[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
}
