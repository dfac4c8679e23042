// An agent whose key expires between two tools, and that goes on. Run it: npx node examples/self-healing-agent.ts
// It needs no account: the simulator stands in for the Messages API.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { query } from "../src/agent.ts"; // In your project: from "ccapi/agent".
import { type AnswerBlock, startSimulator } from "../src/simulator/index.ts"; // from "ccapi/simulator"

const home = mkdtempSync(join(tmpdir(), "self-healing-agent-"));
const keyFile = join(home, "key");
writeFileSync(keyFile, "made-up-key-1");

const run = (command: string): AnswerBlock => ({ type: "tool_use", name: "Bash", input: { command } });
const simulator = await startSimulator({
  credentials: [{ value: "made-up-key-1" }],
  rules: [
    { when: ({ toolResults }) => toolResults.length === 0, answer: [{ type: "text", text: "One." }, run("echo one")] },
    { when: "one", answer: [{ type: "text", text: "Two." }, run("echo two")] },
    { when: "two", answer: [{ type: "text", text: "Both have run, each of them once." }] },
  ],
});

const { HOME: _home, ...own } = process.env;
const env = { ...own, HOME: home, ANTHROPIC_BASE_URL: simulator.url, ANTHROPIC_API_KEY_FILE: keyFile };
let isExpired = false;
for await (const message of query({ prompt: "Run both", options: { env, cwd: home, allowedTools: ["Bash"] } })) {
  if (message.type !== "assistant") continue;
  for (const block of message.message.content) if (block.type === "text") console.log(block.text);
  if (isExpired) continue;
  isExpired = true;
  simulator.credentials.rotate("made-up-key-1", "made-up-key-2"); // The key that the process has is void …
  setTimeout(() => writeFileSync(keyFile, "made-up-key-2"), 500); // … and soon there is another one.
}
console.log(`calls turned down: ${simulator.requests.some(({ outcome }) => outcome === "rejected")}`);
await simulator.close();
rmSync(home, { recursive: true });
