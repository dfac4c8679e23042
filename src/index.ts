// The library: the auth core alone, for any operation whose credential can expire. No HTTP, no Agent SDK.
// Every name here is public API and pinned by a test.
export { classify } from "./auth/classify.ts";
export type {
  AdmitOptions,
  Attempt,
  AuthAdmission,
  AuthManager,
  AuthStatus,
  Decision,
  OperationContext,
  PublicState,
  RefreshResult,
  RefreshTrigger,
} from "./auth/contract.ts";
export { CcapiError, errorKinds } from "./auth/errors.ts";
export type { ErrorCode, ErrorDetails } from "./auth/errors.ts";
export type { AuthEvent, AuthListener, RefreshOutcome, RetryMethod, StrategyOutcome } from "./auth/events.ts";
export { createAuthManager } from "./auth/manager.ts";
export type { AuthManagerOptions } from "./auth/manager.ts";
export type { Policy } from "./auth/policy.ts";
export { systemClock } from "./auth/ports.ts";
export type { Clock, CredentialPort, CredentialReading, ProofOutcome, Prove, Random, WatchMode } from "./auth/ports.ts";
export { redact } from "./auth/redact.ts";
export type { Classification, Signal, Verdict } from "./auth/signal.ts";
export { createMemoryStore } from "./auth/store/memory.ts";
export type { AuthStore, Stored } from "./auth/store/port.ts";
export { commandStrategy } from "./auth/strategies/command.ts";
export type { CommandOptions } from "./auth/strategies/command.ts";
export { reloadStrategy } from "./auth/strategies/reload.ts";
export { rereadStrategy } from "./auth/strategies/reread.ts";
export type { Strategy, StrategyContext, StrategyResult } from "./auth/strategies/strategy.ts";
export { testQueryStrategy } from "./auth/strategies/test-query.ts";
