// How a case of the matrix asks by the library instead of a server.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createAgent } from "../../src/agent.ts";
import { CcapiError } from "../../src/index.ts";
import { question } from "./scripts.ts";
import type { AskPort, LibraryPlace } from "./stage.ts";

/** An agent of its own, with the environment that a server would have. */
export async function askLibrary({ upstream, home, environment, quick }: LibraryPlace): Promise<AskPort> {
  const workspace = join(home, "work");
  await mkdir(workspace);
  const variables: Record<string, string | undefined> = {
    HOME: home,
    PATH: process.env["PATH"],
    LANG: "C.UTF-8",
    IS_SANDBOX: "1",
    ANTHROPIC_BASE_URL: upstream,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    ...environment,
  };
  const agent = createAgent({ environment: variables, policy: quick });
  return {
    workspace,
    async ask() {
      const said: string[] = [];
      try {
        const options = {
          cwd: workspace,
          systemPrompt: { type: "preset" as const, preset: "claude_code" as const },
          settingSources: ["user" as const],
          permissionMode: "dontAsk" as const,
        };
        for await (const message of agent.query({ prompt: question, options })) {
          if (message.type !== "assistant" || message.parent_tool_use_id !== null) continue;
          for (const block of message.message.content) if (block.type === "text") said.push(block.text);
        }
        return { text: said.join("\n\n"), error: undefined };
      } catch (error) {
        if (!(error instanceof CcapiError)) throw error;
        return { text: said.join("\n\n"), error: error.code };
      }
    },
    close: () => agent.close(),
  };
}
