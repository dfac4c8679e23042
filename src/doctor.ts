// Examines a configuration on this host, one thing after the other, without serving: what `ccapi doctor` prints.
import { join } from "node:path";
import { askAccount } from "./claude/account.ts";
import { type ChildSetup, prepareChild } from "./claude/child-setup.ts";
import { createProcessOwner } from "./claude/process.ts";
import { createProof } from "./claude/proof.ts";
import { startRun } from "./claude/run.ts";
import { createRuntime } from "./claude/runtime.ts";
import { type Config, isLoopback } from "./config.ts";
import { stateDirOf } from "./config/state-dir.ts";
import { examineCredential } from "./doctor/credential.ts";
import type { Finding } from "./doctor/finding.ts";
import { examineSettings } from "./doctor/settings.ts";
import { examineUpstream } from "./doctor/upstream.ts";
import { createWorkspaces } from "./turn/workspace.ts";
import { version } from "./version.ts";

/** How to examine. */
export interface ExamineOptions {
  /** Spend one test query. */
  readonly probe: boolean;
}

const stepMs = 10_000;
const startMs = 30_000;

/** Looks at everything; each finding as it is made. Leaves no process behind. */
export async function* examine(config: Config, { probe }: ExamineOptions): AsyncGenerator<Finding, void> {
  yield* await examineSettings(config);
  const mayUseStoredLogin = config.allowStoredLogin || isLoopback(config.host);
  const prepare = () =>
    prepareChild({
      environment: config.environment,
      allowTelemetry: config.allowTelemetry,
      clientApp: `ccapi/${version}`,
      privateConfigDir: mayUseStoredLogin ? undefined : join(stateDirOf(config), "claude-config"),
    });
  const { findings, child } = await examineCredential(
    {
      prepareChild: prepare,
      environment: config.environment,
      hasRefreshCommand: config.authRefreshCommand !== undefined,
      mayUseStoredLogin,
      now: Date.now,
    },
    AbortSignal.timeout(stepMs),
  );
  yield* findings;
  const upstream = child === undefined ? undefined : upstreamOf(child);
  if (upstream !== undefined) yield* await examineUpstream(upstream, { now: Date.now }, AbortSignal.timeout(stepMs));
  if (child === undefined) return;
  const owner = createProcessOwner();
  try {
    yield* withProcess(config, child, prepare, owner, probe);
  } finally {
    await owner.close();
  }
}

async function* withProcess(
  config: Config,
  child: ChildSetup,
  prepare: () => Promise<ChildSetup>,
  owner: ReturnType<typeof createProcessOwner>,
  probe: boolean,
): AsyncGenerator<Finding, void> {
  const runtime = createRuntime();
  const workspaces = createWorkspaces(stateDirOf(config));
  try {
    const workspace = await workspaces.chat();
    const account = await askAccount(child, workspace, { runtime, owner }, AbortSignal.timeout(startMs));
    const found = account.apiKeySource ?? account.tokenSource ?? "no key and no login of its own";
    const seen = `starts within ${Math.round(account.durationMs)} ms; by its own words it finds: ${found}`;
    yield { about: "Claude Code", verdict: "ok", seen };
  } catch (error) {
    const reason = error instanceof Error ? error.name : "unknown";
    const fix = "reinstall ccapi with its optional dependencies for this platform";
    yield { about: "Claude Code", verdict: "problem", seen: `does not start (${reason})`, fix };
    return;
  }
  if (!probe) return;
  const prove = createProof({
    prepareChild: prepare,
    startRun: (spec, signal) => startRun(spec, { runtime, owner, now: Date.now }, signal),
    openWorkspace: workspaces.chat,
    model: config.authTestModel,
  });
  const startedAt = performance.now();
  const proof = await prove(AbortSignal.timeout(config.authTestTimeoutMs));
  const took = `${Math.round(performance.now() - startedAt)} ms`;
  if (proof.outcome === "answered") yield { about: "probe", verdict: "ok", seen: `the model answered (${took})` };
  else if (proof.outcome === "rejected") {
    const { verdict, reason } = proof.classification;
    yield { about: "probe", verdict: "problem", seen: `${verdict}: ${reason} (${took})`, fix: "mend the credential" };
  } else {
    const fix = "the credential is not to blame: look at the network and the model API";
    yield { about: "probe", verdict: "problem", seen: `no answer: ${proof.reason} (${took})`, fix };
  }
}

/** Where Claude Code asks; `undefined` for clouds, whose addresses are their own affair. */
function upstreamOf({ kind, environment }: ChildSetup): string | undefined {
  if (kind === "bedrock" || kind === "vertex" || kind === "foundry") return undefined;
  const url = environment["ANTHROPIC_BASE_URL"] ?? "https://api.anthropic.com";
  return URL.canParse(url) ? url : undefined;
}
