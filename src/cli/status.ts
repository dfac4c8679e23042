// `ccapi status` and `ccapi refresh`: what a running server knows of its Claude credential, and having it renewed.
import { z } from "zod";
import type { Output } from "./output.ts";
import type { Remote, Reply } from "./remote.ts";

/** As `/health/auth` answers. Only what is shown is asked for: a newer server may say more. */
const authBody = z.object({
  status: z.string(),
  result: z.object({ message: z.string() }).optional(),
  /** Why a refresh was not even tried. */
  error: z.object({ message: z.string() }).optional(),
  authentication: z.object({
    lastRefresh: z.string().nullable(),
    refreshCount: z.number(),
    consecutiveFailures: z.number(),
    state: z.string(),
    since: z.string(),
    evidence: z.object({ source: z.string(), at: z.string(), ageMs: z.number() }).nullable(),
    credential: z.object({ kind: z.string().nullable(), expiresAt: z.string().nullable() }),
    nextAttemptAt: z.string().nullable(),
    action: z.string().nullable(),
    waiting: z.number().optional(),
  }),
});

/** How the answer is shown. */
export interface StatusOptions {
  /** The server's own JSON, for programs. */
  readonly json: boolean;
}

/** Resolves to the exit code: 0 unless the credential is known not to work. */
export async function status(remote: Remote, { json }: StatusOptions, output: Output): Promise<number> {
  const reply = await remote.get("/health/auth");
  const body = authBody.safeParse(reply.json);
  if (reply.status !== 200 || !body.success) return refused(reply, output);
  show(reply, body.data, json, output);
  return body.data.status === "unauthenticated" ? 1 : 0;
}

/** Resolves to the exit code: 0 if the credential was renewed and proven. */
export async function refresh(remote: Remote, { json }: StatusOptions, output: Output): Promise<number> {
  if (!json) output.error("Refreshing; this may take a while.");
  const reply = await remote.post("/health/auth/refresh");
  const body = authBody.safeParse(reply.json);
  if (!body.success) return refused(reply, output);
  show(reply, body.data, json, output);
  return reply.status === 200 ? 0 : 1;
}

function show({ text }: Reply, body: z.infer<typeof authBody>, asJson: boolean, output: Output): void {
  if (asJson) return output.line(text);
  const { status: word, result = body.error, authentication: auth } = body;
  const rows: [string, string][] = [
    ["status", word],
    ...(result === undefined ? [] : ([["result", result.message]] as [string, string][])),
    ["state", `${auth.state} since ${auth.since}`],
    ["rests on", auth.evidence === null ? "nothing yet" : `${auth.evidence.source}, ${age(auth.evidence.ageMs)} ago`],
    [
      "credential",
      `${auth.credential.kind ?? "not seen yet"}${auth.credential.expiresAt === null ? "" : `, expires ${auth.credential.expiresAt}`}`,
    ],
    [
      "refreshes",
      `${auth.refreshCount}, the last ${auth.lastRefresh ?? "never"}; failed in a row: ${auth.consecutiveFailures}`,
    ],
    ...(auth.waiting === undefined || auth.waiting === 0
      ? []
      : ([["waiting", `${auth.waiting} requests`]] as [string, string][])),
    ...(auth.nextAttemptAt === null ? [] : ([["next attempt", auth.nextAttemptAt]] as [string, string][])),
    ...(auth.action === null ? [] : ([["to do", auth.action]] as [string, string][])),
  ];
  for (const [name, value] of rows) output.line(`${name.padEnd(13)} ${value}`);
}

/** Says why the server did not answer the question. */
function refused({ status: code, json, isComplete }: Reply, output: Output): number {
  const body = z.object({ error: z.object({ message: z.string() }) }).safeParse(json);
  const unknown = isComplete ? "the answer is not this server's" : "the answer was cut off";
  const message = body.success ? body.data.error.message : unknown;
  const hint = code === 401 || code === 403 ? " Give it with --key, or in CCAPI_KEY." : "";
  output.error(`HTTP ${code}: ${message}${hint}`);
  return 1;
}

function age(ms: number): string {
  if (ms < 60_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}
