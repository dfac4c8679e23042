// Tells when what is asked about has been replaced: the answer no longer matters, and requests wait for the new one.
import type { Facts } from "./facts.ts";
import type { Clock } from "./ports.ts";

/** What is watched. */
export interface SupersessionPorts {
  readonly clock: Pick<Clock, "setTimer">;
  readonly facts: () => Facts;
  /** Resolves at the next change of the facts; rejects when there will be none. */
  readonly nextChange: () => Promise<void>;
  /** How long after the change the signal comes. */
  readonly graceMs: number;
}

/**
 * Watches from now on. Where Claude renews the credential itself the change is most likely the work of the very process that is
 * asked, which must not be ended while it renews: then the signal never comes.
 */
export function supersession({ clock, facts, nextChange, graceMs }: SupersessionPorts): {
  readonly signal: AbortSignal;
  end(): void;
} {
  const controller = new AbortController();
  const { materialGeneration } = facts();
  let isOver = false;
  let cancel: (() => void) | undefined;

  async function watch(): Promise<void> {
    while (!isOver) {
      await nextChange();
      if (isOver || facts().materialGeneration === materialGeneration || facts().reading?.claudeRenews === true)
        continue;
      if (graceMs === 0) controller.abort();
      else cancel = clock.setTimer(() => controller.abort(), graceMs);
      return;
    }
  }
  watch().catch(() => undefined); // The manager is closing, and ends everything by itself.

  return {
    signal: controller.signal,
    end() {
      isOver = true;
      cancel?.();
    },
  };
}
