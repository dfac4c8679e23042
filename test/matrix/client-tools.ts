// How a case of the matrix asks as a chat client that has tools of its own: it runs what the model calls, and brings the results.
import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { TestServer } from "../helpers/server.ts";
import { question } from "./scripts.ts";
import type { Seen } from "./stage.ts";

interface Completion {
  readonly choices?: readonly [
    {
      readonly finish_reason: string;
      readonly message: { readonly content: string | null; readonly tool_calls?: readonly { readonly id: string }[] };
    },
  ];
  readonly error?: { readonly code: string };
}

const tool = {
  type: "function",
  function: {
    name: "Bash",
    description: "Runs a command.",
    parameters: { type: "object", properties: { command: { type: "string" } } },
  },
};

/** Asks in a session, whose transcript keeps the model's thoughts, and plays the tools until the model is done. */
export async function askWithTools(server: TestServer, session: string): Promise<Pick<Seen, "text" | "error">> {
  const workspace = join(server.stateDir, "workspaces", "client");
  await mkdir(workspace, { recursive: true });
  const said: string[] = [];
  let messages: object[] = [{ role: "user", content: question }];
  for (;;) {
    const response = await server.post(
      "/v1/chat/completions",
      { model: "sonnet", messages, tools: [tool] },
      { headers: { "x-session-id": session } },
    );
    const { choices, error } = (await response.json()) as Completion;
    const [choice] = choices ?? [];
    if (choice === undefined) return { text: said.join("\n\n"), error: error?.code ?? "none" };
    if (choice.message.content) said.push(choice.message.content);
    if (choice.finish_reason !== "tool_calls") return { text: said.join("\n\n"), error: undefined };
    messages = [];
    for (const { id } of choice.message.tool_calls ?? []) {
      await appendFile(join(workspace, "notes.txt"), `${id.replace("toolu_", "")}\n`);
      messages.push({ role: "tool", tool_call_id: id, content: "noted" });
    }
  }
}
