// One manager for each credential, however many queries use it; queries with another credential get another manager.
// A manager keeps no process alive; those that nobody uses any more are closed once there are many.
import { tmpdir } from "node:os";
import type { AuthManager } from "../auth/contract.ts";
import type { AuthListener } from "../auth/events.ts";
import type { Policy } from "../auth/policy.ts";
import type { ProcessOwner } from "../claude/process.ts";
import { startRun } from "../claude/run.ts";
import type { Runtime } from "../claude/runtime.ts";
import { createModelBlame, type ModelBlame } from "../turn/model-blame.ts";
import { joinClaudeAuth } from "../wiring.ts";
import { type CredentialSource, identify, prepareSource, type PreparedChild } from "./source.ts";

/** Credentials that nobody uses and that are still watched, at most. */
const maxIdle = 8;

/** What is done to keep credentials working. */
export interface KeeperOptions {
  readonly refreshCommand: readonly string[] | undefined;
  readonly testModel: string;
  readonly policy: Partial<Policy> | undefined;
  readonly onEvent: AuthListener | undefined;
}

/** One credential, as a query uses it. */
export interface Keeper {
  readonly manager: AuthManager;
  readonly blame: ModelBlame;
  /** The credential as it is now, for a process about to start. Throws as `prepareSource`. */
  prepare(): Promise<PreparedChild>;
}

/** All credentials of one agent. */
export interface Keepers {
  /** The credential of a source, for a look at it. */
  of(source: CredentialSource): Keeper;
  /** The same, for as long as it is not given back. */
  borrow(source: CredentialSource): { readonly keeper: Keeper; readonly giveBack: () => void };
  close(): Promise<void>;
}

/** Makes them; no credential is looked at before it is used. */
export function createKeepers(options: KeeperOptions, parts: { runtime: Runtime; owner: ProcessOwner }): Keepers {
  const kept = new Map<string, Keeper & { uses: number }>();

  function of(source: CredentialSource): Keeper & { uses: number } {
    const id = identify(source);
    const known = kept.get(id);
    // The one used last stands last.
    if (known !== undefined) kept.delete(id);
    const keeper = known ?? makeKeeper(source);
    kept.set(id, keeper);
    return keeper;
  }

  function makeKeeper(source: CredentialSource): Keeper & { uses: number } {
    const prepare = () => prepareSource(source);
    const { environment } = source;
    const { onEvent = () => undefined, ...settings } = options;
    const manager = joinClaudeAuth(
      { ...settings, environment },
      {
        runtime: parts.runtime,
        prepareChild: prepare,
        startRun: (spec, signal) => startRun(spec, { ...parts, now: Date.now }, signal),
        openWorkspace: async () => tmpdir(),
        onEvent,
      },
    );
    const now = () => performance.now();
    return { manager, blame: createModelBlame({ status: manager.status, now }), prepare, uses: 0 };
  }

  function closeIdle(): void {
    const idle = [...kept].filter(([, { uses }]) => uses === 0);
    for (const [id, { manager }] of idle.slice(0, Math.max(0, idle.length - maxIdle))) {
      kept.delete(id);
      void manager.close();
    }
  }

  return {
    of,
    borrow(source) {
      const keeper = of(source);
      keeper.uses += 1;
      return {
        keeper,
        giveBack() {
          keeper.uses -= 1;
          closeIdle();
        },
      };
    },
    async close() {
      await Promise.all([...kept.values()].map(({ manager }) => manager.close()));
      kept.clear();
    },
  };
}
