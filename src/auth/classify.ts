import type { Classification, Signal } from "./signal.ts";
export function classify(signal: Signal): Classification {
  const auth = "error" in signal && signal.error === "authentication_failed";
  return { verdict: auth ? "auth_refreshable" : "not_auth", reason: "", rule: "stub" };
}
