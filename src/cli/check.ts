// `ccapi check`: tries a running server from outside as a client would, one thing after the other, and says what it saw.
import { z } from "zod";
import type { Output } from "./output.ts";
import type { Remote, Reply } from "./remote.ts";

/** What is tried, and with what. */
export interface CheckOptions {
  /** Model of the completion and the stream. */
  readonly model: string;
  /** Also asks for a refresh, which needs an admin key and spends a test query. */
  readonly withRefresh: boolean;
}

interface Finding {
  readonly isGood: boolean;
  readonly seen: string;
}

const errorBody = z.object({ error: z.object({ message: z.string(), code: z.string() }) });
const completionBody = z.object({ choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1) });

/** Resolves to the exit code: 0 if all was well. */
export async function check(remote: Remote, { model, withRefresh }: CheckOptions, output: Output): Promise<number> {
  const question = { model, messages: [{ role: "user", content: "Say only: ok" }] };
  const steps: [string, () => Promise<Finding>][] = [
    ["status", async () => readStatus(await remote.get("/health/auth"))],
    ...(withRefresh
      ? [
          ["refresh", async () => readRefresh(await remote.post("/health/auth/refresh"))] as [
            string,
            () => Promise<Finding>,
          ],
        ]
      : []),
    ["completion", async () => readCompletion(await remote.post("/v1/chat/completions", question))],
    ["stream", async () => readStream(await remote.post("/v1/chat/completions", { ...question, stream: true }))],
  ];
  let failed = 0;
  for (const [name, run] of steps) {
    const { isGood, seen } = await run();
    if (!isGood) failed += 1;
    output.line(`${isGood ? "ok    " : "FAILED"} ${name.padEnd(11)} ${seen}`);
  }
  output.line(failed === 0 ? "All is well." : `${failed} of ${steps.length} failed.`);
  return failed === 0 ? 0 : 1;
}

function readStatus(reply: Reply): Finding {
  const body = z.object({ status: z.string(), authentication: z.object({ state: z.string() }) }).safeParse(reply.json);
  if (!body.success) return failure(reply);
  const { status, authentication } = body.data;
  return { isGood: status !== "unauthenticated", seen: `${status}, state ${authentication.state}` };
}

function readRefresh(reply: Reply): Finding {
  const body = z.object({ result: z.object({ success: z.boolean(), message: z.string() }) }).safeParse(reply.json);
  if (!body.success) return failure(reply);
  return { isGood: body.data.result.success, seen: `${body.data.result.message} (${reply.durationMs} ms)` };
}

function readCompletion(reply: Reply): Finding {
  const body = completionBody.safeParse(reply.json);
  const content = body.success ? body.data.choices[0]?.message.content : undefined;
  if (content === undefined) return failure(reply);
  return { isGood: content.trim() !== "", seen: `${clip(content)} (${reply.durationMs} ms)` };
}

function readStream(reply: Reply): Finding {
  if (reply.status !== 200) return failure(reply);
  const events = reply.text.split("\n\n").filter((event) => event.startsWith("data: "));
  const broken = events.find((event) => event.startsWith('data: {"error"'));
  if (broken !== undefined) return { isGood: false, seen: clip(broken) };
  const isDone = reply.isComplete && events.at(-1) === "data: [DONE]";
  return {
    isGood: isDone && events.length > 2,
    seen: `${events.length} events${isDone ? "" : ", cut off"} (${reply.durationMs} ms)`,
  };
}

function failure(reply: Reply): Finding {
  const body = errorBody.safeParse(reply.json);
  return {
    isGood: false,
    seen: `HTTP ${reply.status}${body.success ? ` ${body.data.error.code}: ${body.data.error.message}` : ""}${reply.isComplete ? "" : ", cut off"}`,
  };
}

function clip(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return `"${line.length > 60 ? `${line.slice(0, 60)}…` : line}"`;
}
