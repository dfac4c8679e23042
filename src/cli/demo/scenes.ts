// The demo's scenes: each does something to the server as a client would, and says what was promised and what was seen.
import { authScenes } from "./auth-scenes.ts";
import { ask, assertKept, body, type Scene } from "./client.ts";

const completion: Scene = {
  title: "A completion",
  async play(stage, tell) {
    const answer = await ask(stage, "Say exactly: Hello from Claude Code!");
    tell(`"${answer.text}" in ${answer.ms} ms, ${answer.tokens} tokens`);
    assertKept(answer.text.includes("Hello from Claude Code!"), "the model's answer arrives");
  },
};

const stream: Scene = {
  title: "A stream",
  async play(stage, tell) {
    stage.simulator.setRules([{ when: "tell me a story", tokens: 40, delayMs: 15 }]);
    const startedAt = performance.now();
    const response = await stage.post("/v1/chat/completions", body("tell me a story", { stream: true }));
    const seen = await readStream(response, startedAt);
    stage.simulator.setRules([]);
    tell(`${seen.deltas} deltas; the first after ${seen.firstMs} ms, the last after ${seen.lastMs} ms`);
    assertKept(seen.deltas >= 40 && seen.isDone, "every token arrives by itself, then [DONE]");
    assertKept(seen.lastMs - seen.firstMs > 300, "tokens arrive as the model says them");
  },
};

const session: Scene = {
  title: "A follow-up in a session",
  async play(stage, tell) {
    await ask(stage, "My name is Ada.", { session_id: "demo" });
    const answer = await ask(stage, "What is my name?", { session_id: "demo" });
    tell(`"${answer.text}"`);
    assertKept(answer.text.includes("Ada"), "the server remembers the conversation");
  },
};

const reasoning: Scene = {
  title: "Reasoning",
  async play(stage, tell) {
    stage.simulator.setRules([
      {
        when: "riddle",
        answer: [
          { type: "thinking", thinking: "It dries, so it gets wet: a towel." },
          { type: "text", text: "A towel." },
        ],
      },
    ]);
    const answer = await ask(stage, "A riddle: what gets wet while it dries?", { reasoning_effort: "high" });
    stage.simulator.setRules([]);
    tell(`thought "${answer.reasoning}", answered "${answer.text}"`);
    assertKept(answer.reasoning !== "" && answer.text === "A towel.", "reasoning is told apart from the answer");
  },
};

const agent: Scene = {
  title: "The agent, in a folder of its own",
  async play(stage, tell) {
    const answer = await ask(stage, "Say exactly: I am an agent", { model: "claude-code" });
    tell(`"${answer.text}" in ${answer.ms} ms`);
    assertKept(answer.text.includes("I am an agent"), "claude-code is Claude Code itself");
  },
};

/** All of them, in their order. */
export const scenes: readonly Scene[] = [completion, stream, session, reasoning, agent, ...authScenes];

async function readStream(response: Response, startedAt: number) {
  const decoder = new TextDecoder();
  const times: number[] = [];
  let isDone = false;
  for await (const bytes of response.body ?? []) {
    const text = decoder.decode(bytes, { stream: true });
    const count = text.split('"content":').length - 1;
    for (let index = 0; index < count; index += 1) times.push(performance.now() - startedAt);
    if (text.includes("data: [DONE]")) isDone = true;
  }
  return { deltas: times.length, firstMs: Math.round(times[0] ?? 0), lastMs: Math.round(times.at(-1) ?? 0), isDone };
}
