// The proof that a credential works: one minimal question to the model, in a fresh process, judged by a real answer.
import { classify } from "../auth/classify.ts";
import { CcapiError } from "../auth/errors.ts";
import type { ProofOutcome, Prove } from "../auth/ports.ts";
import type { ChildSetup } from "./child-setup.ts";
import type { RunEvent, RunSpec } from "./run.ts";

/** What asking needs. */
export interface ProofPorts {
  readonly prepareChild: () => Promise<ChildSetup>;
  readonly startRun: (spec: RunSpec, signal: AbortSignal) => { readonly events: AsyncIterable<RunEvent> };
  readonly openWorkspace: () => Promise<string>;
  /** Asked first. Where the provider has no such model, Claude Code's default is asked. */
  readonly model: string;
}

/** Makes the proof. */
export function createProof(ports: ProofPorts): Prove {
  return async (signal) => {
    const outcome = await ask(ports, ports.model, signal);
    return outcome === "unknown-model" ? toOutcome(await ask(ports, undefined, signal)) : outcome;
  };
}

async function ask(
  ports: ProofPorts,
  model: string | undefined,
  signal: AbortSignal,
): Promise<ProofOutcome | "unknown-model"> {
  try {
    const child = await ports.prepareChild();
    const run = ports.startRun(
      {
        turn: {
          profile: "chat",
          model,
          system: "Answer with one word.",
          effort: "none",
          sampling: {},
          stop: [],
          maxTokens: 16,
          tools: [],
          toolChoice: { type: "auto" },
          parallelToolCalls: true,
          outputFormat: undefined,
        },
        prompt: [{ type: "text", text: "Say ok." }],
        conversation: { kind: "none" },
        workspace: await ports.openWorkspace(),
        limits: { maxTurns: 1, maxBudgetUsd: undefined },
        skipPermissions: false,
        child,
      },
      signal,
    );
    for await (const event of run.events) {
      if (event.type === "signal") {
        const classification = classify(event.signal);
        if (classification.verdict !== "not_auth") return { outcome: "rejected", classification };
      }
      // Only the model itself makes these; Claude Code's own words never become an answer.
      if (event.type === "delta" || event.type === "finish") return { outcome: "answered" };
    }
    return { outcome: "inconclusive", reason: "the query ended without an answer" };
  } catch (error) {
    if (error instanceof CcapiError) {
      if (error.code === "model_not_found" && model !== undefined) return "unknown-model";
      return { outcome: "inconclusive", reason: error.code };
    }
    return { outcome: "inconclusive", reason: signal.aborted ? "time-out" : "unforeseen" };
  }
}

function toOutcome(outcome: ProofOutcome | "unknown-model"): ProofOutcome {
  return outcome === "unknown-model" ? { outcome: "inconclusive", reason: "model_not_found" } : outcome;
}
