// Conversations that the server keeps, on the real Claude CLI.
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import {
  chat,
  filesBelow,
  makeHome,
  otherKey,
  processesOf,
  startServer,
  type TestServer,
  until,
} from "../helpers/server.ts";
import { lastConversation, upstreamBodies } from "../helpers/upstream.ts";

let simulator: Simulator;
let server: TestServer;

beforeAll(async () => {
  simulator = await startSimulator();
  server = await startServer({ upstream: simulator.url });
});
afterAll(async () => {
  await server.stop();
  await simulator.close();
});
beforeEach(() => {
  simulator.clearRequests();
  simulator.setRules([{ when: /^say (.*)$/, answer: [{ type: "text", text: "Said." }] }]);
});

async function say(text: string, session: string, to = server, init: RequestInit = {}): Promise<Response> {
  return to.post("/v1/chat/completions", chat(text), {
    ...init,
    headers: { "x-session-id": session, ...(init.headers as Record<string, string>) },
  });
}

describe("a session", () => {
  it("continues its conversation, ignoring what the client sends again of the past (B3)", async () => {
    expect((await say("say one", "a")).headers.get("x-session-id")).toBe("a");
    const body = {
      model: "sonnet",
      session_id: "a",
      messages: [
        { role: "user", content: "a changed past" },
        { role: "assistant", content: "never said" },
        { role: "user", content: "say two" },
      ],
    };
    expect((await server.post("/v1/chat/completions", body)).status).toBe(200);
    expect(lastConversation(simulator)).toEqual(["user: say one", "assistant: Said.", "user: say two"]);
  });

  it("takes a new system message, and keeps the last where none comes (B3)", async () => {
    const turn = async (system?: string) => {
      const messages = [...(system === undefined ? [] : [{ role: "system", content: system }]), ...said];
      expect((await server.post("/v1/chat/completions", { ...chat(""), messages, session_id: "sys" })).status).toBe(
        200,
      );
      return JSON.stringify(upstreamBodies(simulator).at(-1)?.system);
    };
    const said = [{ role: "user", content: "say one" }];
    expect(await turn("Papaya.")).toContain("Papaya.");
    expect(await turn("Mango.")).toContain("Mango.");
    const kept = await turn();
    expect(kept).toContain("Mango.");
    expect(kept).not.toContain("Papaya.");
  });

  it("is out of another key's reach, by the same id too (B3)", async () => {
    await say("say mine", "shared-name");
    const theirs = { headers: { authorization: `Bearer ${otherKey}` } };
    expect((await server.get("/v1/sessions/shared-name", theirs)).status).toBe(404);
    expect((await say("say theirs", "shared-name", server, theirs)).status).toBe(200);
    expect(lastConversation(simulator)).toEqual(["user: say theirs"]);
  });

  it("takes its turns one after the other, however many come at once (B3)", async () => {
    simulator.setRules([{ when: /^say/, answer: [{ type: "text", text: "Said." }], firstTokenDelayMs: 300 }]);
    const answers = await Promise.all([say("say 1", "busy"), say("say 2", "busy"), say("say 3", "busy")]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(lastConversation(simulator)).toHaveLength(5);
  });

  it("stays usable when a turn of it is cancelled: the turn never was (B3, C4)", async () => {
    await say("say before", "cancelled");
    simulator.setRules([
      { when: "say slow", answer: [{ type: "text", text: "Too late." }], firstTokenDelayMs: 20_000 },
      { when: /^say/, answer: [{ type: "text", text: "Said." }] },
    ]);
    const abort = new AbortController();
    const slow = say("say slow", "cancelled", server, { signal: abort.signal });
    await until("the model has it", () => simulator.requests.some(({ outcome }) => outcome === "open"));
    abort.abort();
    await expect(slow).rejects.toThrow();
    expect((await say("say after", "cancelled")).status).toBe(200);
    expect(lastConversation(simulator)).toEqual(["user: say before", "assistant: Said.", "user: say after"]);
  });

  it("is listed, looked at and deleted, with its transcript (B3)", async () => {
    await say("say something", "listed");
    const list = (await (await server.get("/v1/sessions")).json()) as { data: { id: string }[] };
    expect(list.data.map(({ id }) => id)).toContain("listed");
    expect(await (await server.get("/v1/sessions/listed")).json()).toMatchObject({
      id: "listed",
      object: "session",
      turns: 1,
    });
    await until("its process is gone", async () =>
      (await processesOf(server.home)).every((command) => command.includes("watchdog")),
    );
    const before = (await filesBelow(server.home, ".jsonl")).length;
    expect((await server.get("/v1/sessions/listed", { method: "DELETE" })).status).toBe(200);
    expect((await server.get("/v1/sessions/listed")).status).toBe(404);
    await until("its transcript is gone", async () => (await filesBelow(server.home, ".jsonl")).length === before - 1);
  });

  it("can't be begun with a model and continued with the agent (B3)", async () => {
    await say("say one", "kind");
    const response = await server.post("/v1/chat/completions", {
      ...chat("say two"),
      model: "claude-code",
      session_id: "kind",
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "invalid_request", param: "model" } });
  });
});

describe("after a restart", () => {
  it("a session goes on or is said to be gone, and never loses a turn in silence, though the server was killed at its answer (B3)", async () => {
    const home = await makeHome();
    try {
      const first = await startServer({ upstream: simulator.url, home });
      expect((await say("say one", "killed", first)).status).toBe(200);
      await first.signal("SIGKILL");
      await using second = await startServer({ upstream: simulator.url, home });
      const listed = (await (await second.get("/v1/sessions")).json()) as { data: unknown[] };
      expect(listed.data).toHaveLength(1);
      const followUp = await say("say two", "killed", second);
      if (followUp.status === 200) {
        expect(lastConversation(simulator)).toEqual(["user: say one", "assistant: Said.", "user: say two"]);
        return;
      }
      // Claude had not written the turn yet when it was killed: that is said once, and then the id begins anew.
      expect(followUp.status).toBe(404);
      expect(await followUp.json()).toMatchObject({ error: { code: "session_not_found" } });
      expect((await say("say three", "killed", second)).status).toBe(200);
      expect(lastConversation(simulator)).toEqual(["user: say three"]);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });

  it("a session goes on where it was (B3)", async () => {
    const home = await makeHome();
    try {
      const first = await startServer({ upstream: simulator.url, home });
      await say("say one", "kept", first);
      await first.stop();
      const second = await startServer({ upstream: simulator.url, home });
      await say("say two", "kept", second);
      await second.stop();
      expect(lastConversation(simulator)).toEqual(["user: say one", "assistant: Said.", "user: say two"]);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });
});
