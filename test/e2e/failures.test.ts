// What a client is told when Claude fails, on the real Claude CLI: the right status, soon, and never a made-up answer.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Fault, type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { chat, processesOf, startServer, type TestServer, until } from "../helpers/server.ts";
import { type Chunk, readStream, textOf } from "../helpers/sse.ts";

let simulator: Simulator;
let server: TestServer;

beforeAll(async () => {
  simulator = await startSimulator();
  server = await startServer({ upstream: simulator.url, flags: ["--request-timeout-ms", "12000"] });
});
afterAll(async () => {
  await server.stop();
  await simulator.close();
});
beforeEach(() => {
  simulator.clearRequests();
  simulator.clearFaults();
  simulator.setRules([]);
});

interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
  };
}

const faults: readonly { name: string; fault: Fault; status: number; code: string }[] = [
  { name: "a rate limit", fault: { kind: "status", status: 429 }, status: 429, code: "upstream_rate_limited" },
  { name: "an overload", fault: { kind: "status", status: 529 }, status: 503, code: "upstream_overloaded" },
  { name: "an inner error", fault: { kind: "status", status: 500 }, status: 502, code: "upstream_error" },
  {
    name: "an empty account",
    fault: {
      kind: "status",
      status: 400,
      message:
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
    },
    status: 402,
    code: "upstream_billing",
  },
  {
    name: "a prompt that is too long",
    fault: { kind: "status", status: 400, message: "prompt is too long: 250000 tokens > 200000 maximum" },
    status: 400,
    code: "context_length_exceeded",
  },
  {
    name: "an unknown model",
    fault: { kind: "status", status: 404, message: "model: claude-nonexistent-1" },
    status: 404,
    code: "model_not_found",
  },
  {
    name: "a request that it finds invalid",
    fault: { kind: "status", status: 400, message: "messages: something about them is wrong" },
    status: 400,
    code: "upstream_rejected",
  },
];

describe("plain chat tells of", () => {
  it.each(faults)("$name of the model API: $status $code, streamed or not (B1)", async ({ fault, status, code }) => {
    simulator.fail(fault);
    for (const stream of [false, true]) {
      const response = await server.post("/v1/chat/completions", chat("Hello", { stream }));
      const body = (await response.json()) as ErrorBody;
      expect({ status: response.status, code: body.error.code }).toEqual({ status, code });
      expect(response.headers.get("x-request-id")).toMatch(/^req_/);
      if (status === 429 || code === "upstream_overloaded") {
        expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
      }
    }
  });

  it("a rate limit at once, without retries of its own: its clients retry by Retry-After (B1)", async () => {
    simulator.fail({ kind: "status", status: 429 });
    await (await server.post("/v1/chat/completions", chat("Hello"))).text();
    expect(simulator.requests.filter(({ outcome }) => outcome === "faulted")).toHaveLength(1);
  });

  it("an answer that breaks off in its stream with an error frame and no [DONE] (B1)", async () => {
    simulator.setRules([{ fault: { kind: "mid-stream-error", afterDeltas: 3 } }]);
    const response = await server.post("/v1/chat/completions", chat("Hello", { stream: true }));
    expect(response.status).toBe(200);
    const { events, isDone } = await readStream(response);
    expect((events.at(-1) as Chunk).error?.code).toMatch(/^upstream_/);
    expect(isDone).toBe(false);
  });

  it("a model that says nothing any more: a 504 when the request's time is up (B9)", async () => {
    simulator.setRules([{ fault: { kind: "stall", afterDeltas: 0 } }]);
    const response = await server.post("/v1/chat/completions", chat("Hello"));
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({ error: { code: "request_timeout" } });
  });
});

describe("an answer that ends in its own way", () => {
  const finishOf = async (response: Response) =>
    ((await response.json()) as { choices: [{ finish_reason: string }] }).choices[0].finish_reason;

  it.each([
    ["refusal", "content_filter"],
    ["model_context_window_exceeded", "length"],
  ])("%s is an answer with finish_reason %s (B1)", async (stopReason, expected) => {
    simulator.setRules([{ answer: [{ type: "text", text: "So far." }], stopReason }]);
    const response = await server.post("/v1/chat/completions", chat("Hello"));
    expect(response.status).toBe(200);
    expect(await finishOf(response)).toBe(expected);
  });

  it("by a tool that plain chat never had is an error at once, not a loop (C4)", async () => {
    simulator.setRules([{ answer: [{ type: "tool_use", name: "Bash", input: { command: "true" } }] }]);
    const response = await server.post("/v1/chat/completions", chat("Hello"));
    expect(response.status).toBe(502);
    expect(simulator.requests.filter(({ outcome }) => outcome === "answered").length).toBeLessThan(20);
  });
});

describe("a Claude process that dies", () => {
  const hanging = () => simulator.requests.filter(({ outcome }) => outcome === "open" || outcome === "faulted").length;
  const kill = async () => {
    for (const pid of await claudePids(server.home)) process.kill(Number(pid), "SIGKILL");
  };

  it("before its first word is followed by another, which answers (A5)", async () => {
    simulator.setRules([{ when: "hang", fault: { kind: "stall", afterDeltas: 0 }, times: 1 }]);
    const waiting = server.post("/v1/chat/completions", chat("hang"));
    await until("the model has it", () => hanging() === 1, 30_000);
    await kill();
    expect((await waiting).status).toBe(200);
  });

  it("twice is a 502 that says so, and the next request works (C4)", async () => {
    simulator.setRules([{ when: "hang", fault: { kind: "stall", afterDeltas: 0 } }]);
    const before = hanging();
    const waiting = server.post("/v1/chat/completions", chat("hang"));
    await until("the model has it", () => hanging() === before + 1, 30_000);
    await kill();
    await until("the model has it again", () => hanging() >= before + 2, 30_000);
    await kill();
    const response = await waiting;
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { code: "upstream_process_died" } });
    expect((await server.post("/v1/chat/completions", chat("Hello"))).status).toBe(200);
  });
});

describe("the agent", () => {
  it("is carried over a short overload by Claude Code's own retries (B2)", async () => {
    simulator.fail({ kind: "status", status: 529 }, 1);
    const response = await server.post("/v1/chat/completions", chat("Hello", { model: "claude-code", stream: true }));
    expect(response.status).toBe(200);
    const { events, isDone } = await readStream(response);
    expect(textOf(events as Chunk[])).not.toBe("");
    expect(isDone).toBe(true);
  });
});

it("leaves no process behind after all this (C4)", async () => {
  await until("no process", async () =>
    (await processesOf(server.home)).every((command) => command.includes("watchdog")),
  );
});

async function claudePids(home: string): Promise<string[]> {
  const { readdir, readFile } = await import("node:fs/promises");
  const pids: string[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const environ = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (environ.includes(`HOME=${home}\0`) && command.includes("claude-agent-sdk")) pids.push(pid);
  }
  return pids;
}
