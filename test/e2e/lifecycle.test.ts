// Life and death of the server's processes, on the real Claude CLI: nothing outlives what it was for.
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { chat, filesBelow, makeHome, processesOf, startServer, until } from "../helpers/server.ts";
import { type Chunk, liveChunks, textOf } from "../helpers/sse.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.close());
beforeEach(() => {
  simulator.clearRequests();
  simulator.clearFaults();
  simulator.setRules([]);
});

const longTool = [
  {
    when: ({ toolResults }: { toolResults: readonly unknown[] }) => toolResults.length === 0,
    answer: [
      {
        type: "tool_use" as const,
        name: "Bash",
        input: { command: "while true; do echo tick >> ticks; sleep 0.2; done", description: "tick" },
      },
    ],
  },
];
const allowBash = { ".claude/settings.json": JSON.stringify({ permissions: { allow: ["Bash"] } }) };

/** Without the watchdog, which is to stay. */
async function claudeProcesses(home: string): Promise<string[]> {
  return (await processesOf(home)).filter((command) => !command.includes("watchdog"));
}

describe("a client that goes away", () => {
  it("ends its run, the run's process and the model call (C4)", async () => {
    await using server = await startServer({ upstream: simulator.url });
    simulator.setRules([{ tokens: 2_000, delayMs: 20 }]);
    const abort = new AbortController();
    const response = await server.post("/v1/chat/completions", chat("Go on", { stream: true }), {
      signal: abort.signal,
    });
    const chunks = liveChunks(response);
    await chunks.next();
    abort.abort();
    await until("no Claude process", async () => (await claudeProcesses(server.home)).length === 0, 20_000);
    await until("the model call has ended", () => simulator.requests.every(({ outcome }) => outcome === "aborted"));
  });

  it("ends the tool that its agent was running (C4)", async () => {
    await using server = await startServer({ upstream: simulator.url, files: allowBash });
    simulator.setRules(longTool);
    const abort = new AbortController();
    const waiting = server.post("/v1/chat/completions", chat("tick", { model: "claude-code" }), {
      signal: abort.signal,
    });
    await until("the tool runs", async () =>
      (await claudeProcesses(server.home)).some((command) => command.includes("tick")),
    );
    abort.abort();
    await expect(waiting).rejects.toThrow();
    await until("no process", async () => (await claudeProcesses(server.home)).length === 0, 20_000);
  });
});

describe("SIGTERM", () => {
  it("lets a stream end, takes nothing new, and leaves nothing running (C4)", async () => {
    const server = await startServer({ upstream: simulator.url });
    simulator.setRules([{ tokens: 40, delayMs: 50 }]);
    const response = await server.post("/v1/chat/completions", chat("Go on", { stream: true }));
    const chunks: Chunk[] = [];
    for await (const chunk of liveChunks(response)) {
      chunks.push(chunk);
      if (chunks.length === 3) {
        void server.signal("SIGTERM");
        await until("it says so", () => server.log().includes("Shutting down"));
        await expect(server.get("/health/live")).rejects.toThrow();
      }
    }
    expect(textOf(chunks)).not.toBe("");
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");
    expect(await server.exited).toBe(0);
    expect(await processesOf(server.home)).toEqual([]);
    await server.stop();
  });

  it("cuts a stream with an error frame when its time is up (C4)", async () => {
    const server = await startServer({ upstream: simulator.url, flags: ["--shutdown-timeout-ms", "500"] });
    simulator.setRules([{ tokens: 2_000, delayMs: 50 }]);
    const response = await server.post("/v1/chat/completions", chat("Go on", { stream: true }));
    const chunks: Chunk[] = [];
    for await (const chunk of liveChunks(response)) {
      chunks.push(chunk);
      if (chunks.length === 3) void server.signal("SIGTERM");
    }
    expect(chunks.at(-1)?.error?.code).toBe("shutting_down");
    expect(await server.exited).toBe(0);
    expect(await processesOf(server.home)).toEqual([]);
    await server.stop();
  });

  it("given twice ends at once (C4)", async () => {
    const server = await startServer({ upstream: simulator.url });
    simulator.setRules([{ tokens: 2_000, delayMs: 50 }]);
    const response = await server.post("/v1/chat/completions", chat("Go on", { stream: true }));
    const reading = response.text();
    void server.signal("SIGTERM");
    await until("it says so", () => server.log().includes("Shutting down"));
    const startedAt = performance.now();
    expect(await server.signal("SIGTERM")).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    await reading;
    expect(await processesOf(server.home)).toEqual([]);
    await server.stop();
  });
});

describe("SIGKILL", () => {
  it("leaves no Claude process and no tool running after 5 s, and no transcript after the next start (C4, B3)", async () => {
    const home = await makeHome(allowBash);
    try {
      const server = await startServer({ upstream: simulator.url, home });
      simulator.setRules(longTool);
      const waiting = server
        .post("/v1/chat/completions", chat("tick", { model: "claude-code" }))
        .catch(() => undefined);
      await until("the tool runs", async () =>
        (await claudeProcesses(home)).some((command) => command.includes("tick")),
      );
      await server.signal("SIGKILL");
      await waiting;
      const ms = await until("no process", async () => (await processesOf(home)).length === 0, 15_000);
      expect(ms).toBeLessThan(15_000);
      expect((await filesBelow(home, ".jsonl")).length).toBe(1);
      await using next = await startServer({ upstream: simulator.url, home });
      expect(await filesBelow(next.home, ".jsonl")).toEqual([]);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });
});
