// What a change of the facts is told as: each transition once, by comparing before and after.
import type { AuthListener } from "./events.ts";
import { type Facts, publicState } from "./facts.ts";
import type { Policy } from "./policy.ts";
import { actionOf } from "./status.ts";

/** Tells of what a change of the facts means. */
export function tellChange(
  before: Facts,
  after: Facts,
  { policy, nowMs, emit }: { readonly policy: Policy; readonly nowMs: number; readonly emit: AuthListener },
): void {
  const from = publicState(before);
  const to = publicState(after);
  const { generation, reading, failures, refresher } = after;
  if (after.materialGeneration !== before.materialGeneration) {
    emit({
      type: "credential-change",
      generation,
      kind: reading?.kind ?? null,
      expiresAtMs: reading?.expiresAtWallMs ?? null,
    });
  }
  if (from === to) return;
  const action = actionOf(after);
  emit({ type: "state-change", from, to, generation, action });
  if (to === "locked_out") {
    emit({ type: "too-many-failures", consecutiveFailures: failures, maxAllowed: policy.maxFailures });
    const nextProbeAtMs = refresher.is === "locked_out" ? refresher.nextProbeAtMs : nowMs;
    emit({ type: "lock-out", consecutiveFailures: failures, nextProbeAtMs, action });
  }
  const { credential } = before;
  if (to === "authenticated" && (credential.is === "expired" || credential.is === "refused")) {
    emit({ type: "recovery-end", durationMs: nowMs - credential.firstSignAtMs });
  }
}
