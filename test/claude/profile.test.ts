import { describe, expect, it } from "vitest";
import { toOptions } from "../../src/claude/profile.ts";

type Input = Parameters<typeof toOptions>[0];

function options(turn: Partial<Input["turn"]> = {}, more: Partial<Omit<Input, "turn">> = {}) {
  return toOptions({
    turn: {
      profile: "chat",
      model: "sonnet",
      system: "Be brief.",
      effort: undefined,
      sampling: {},
      stop: [],
      maxTokens: undefined,
      tools: [],
      toolChoice: { type: "auto" },
      parallelToolCalls: true,
      outputFormat: undefined,
      ...turn,
    },
    conversation: { kind: "none" },
    workspace: "/work",
    limits: { maxTurns: undefined, maxBudgetUsd: undefined },
    environment: { HOME: "/home/x" },
    credentialSettings: {},
    skipPermissions: false,
    ...more,
  });
}

/** What is merged into the body of each model call. */
function extraBody(turn: Partial<Input["turn"]>): unknown {
  const text = options(turn).env?.["CLAUDE_CODE_EXTRA_BODY"];
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}

const profiles = ["agent", "chat"] as const;

describe("the agent", () => {
  it("is Claude Code with its own prompt, to which the client's system message is added (B2)", () => {
    expect(options({ profile: "agent" })).toMatchObject({
      systemPrompt: { type: "preset", preset: "claude_code", snapshot: false, append: "Be brief." },
    });
    expect(options({ profile: "agent", system: undefined }).systemPrompt).toEqual({
      type: "preset",
      preset: "claude_code",
      snapshot: false,
    });
  });

  it("has the operator's user settings alone, and Claude Code's tools but those that reach beyond its run (B2)", () => {
    const agent = options({ profile: "agent" }, { credentialSettings: { apiKeyHelper: "h" } });
    expect(agent.settingSources).toEqual(["user"]);
    expect(agent.settings).toEqual({ crossSessionInbound: "refuse" });
    expect(agent).not.toHaveProperty("tools");
  });

  it("runs nothing that the operator has not approved (C3)", () => {
    const agent = options({ profile: "agent" });
    expect(agent.permissionMode).toBe("dontAsk");
    expect(agent).not.toHaveProperty("allowDangerouslySkipPermissions");
  });

  it("runs everything where the operator started the server so (C3)", () => {
    expect(options({ profile: "agent" }, { skipPermissions: true })).toMatchObject({
      permissionMode: "bypassPermissions",
      allowDangerouslySkipPermissions: true,
    });
  });

  it("keeps Claude Code's own retries and memory, as the operator set them up (B2)", () => {
    expect(options({ profile: "agent" }).env).toEqual({
      HOME: "/home/x",
      CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK: "1",
    });
  });
});

describe("plain chat", () => {
  it("is the client's system message and no tool, no settings, no MCP server (B2)", () => {
    expect(options()).toMatchObject({
      systemPrompt: { type: "custom", prompt: "Be brief.", snapshot: false },
      tools: [],
      settingSources: [],
      strictMcpConfig: true,
    });
    expect(options({ system: undefined }).systemPrompt).toMatchObject({ prompt: "" });
  });

  it("has what the credential needs of the operator's settings, no variable on the command line (C2)", () => {
    const helpers = { apiKeyHelper: "h", awsAuthRefresh: "r" };
    expect(options({}, { credentialSettings: { ...helpers, env: { ANTHROPIC_API_KEY: "k" } } }).settings).toEqual({
      ...helpers,
      crossSessionInbound: "refuse",
    });
  });

  it("never bypasses permissions, whatever the agent may (C3)", () => {
    expect(options({}, { skipPermissions: true }).permissionMode).toBe("dontAsk");
    expect(options({}, { skipPermissions: true })).not.toHaveProperty("allowDangerouslySkipPermissions");
  });

  it("does not retry, remember or look for CLAUDE.md by itself (B2)", () => {
    expect(options().env).toEqual({
      HOME: "/home/x",
      CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK: "1",
      CLAUDE_CODE_MAX_RETRIES: "0",
      CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS: "1",
      CLAUDE_CODE_DISABLE_AUTO_MEMORY: "1",
      CLAUDE_CODE_DISABLE_CLAUDE_MDS: "1",
    });
  });
});

describe.each(profiles)("either profile (%s)", (profile) => {
  it("takes the client's text as data, streams, and works in the folder of its key (C3)", () => {
    expect(options({ profile })).toMatchObject({ verbatimPrompts: true, includePartialMessages: true, cwd: "/work" });
  });

  it("names the model, or leaves the choice to Claude Code (B2)", () => {
    expect(options({ profile, model: "opus" }).model).toBe("opus");
    expect(options({ profile, model: undefined })).not.toHaveProperty("model");
  });

  it("has the limits that are set, and none of those that are not (B9)", () => {
    const limited = options({ profile }, { limits: { maxTurns: 3, maxBudgetUsd: 0.5 } });
    expect(limited).toMatchObject({ maxTurns: 3, maxBudgetUsd: 0.5 });
    expect(options({ profile })).not.toHaveProperty("maxTurns");
    expect(options({ profile })).not.toHaveProperty("maxBudgetUsd");
  });

  it("keeps its conversation nowhere, in a new transcript, or goes on in one (B3)", () => {
    const kept = (conversation: Input["conversation"]) => {
      const { persistSession, sessionId, resume, resumeSessionAt } = options({ profile }, { conversation });
      return { persistSession, sessionId, resume, resumeSessionAt };
    };
    const nothing = { persistSession: undefined, sessionId: undefined, resume: undefined, resumeSessionAt: undefined };
    expect(kept({ kind: "none" })).toEqual({ ...nothing, persistSession: false });
    expect(kept({ kind: "new", sessionId: "s" })).toEqual({ ...nothing, sessionId: "s" });
    expect(kept({ kind: "resume", sessionId: "s", resumeAt: "u" })).toEqual({
      ...nothing,
      resume: "s",
      resumeSessionAt: "u",
    });
  });

  it("bounds the tokens of an answer (B1)", () => {
    expect(options({ profile, maxTokens: 50 }).env?.["CLAUDE_CODE_MAX_OUTPUT_TOKENS"]).toBe("50");
    expect(options({ profile }).env).not.toHaveProperty("CLAUDE_CODE_MAX_OUTPUT_TOKENS");
  });

  it.each(["low", "medium", "high", "xhigh", "max"] as const)("thinks as hard as asked: %s (B1)", (effort) => {
    expect(options({ profile, effort }).effort).toBe(effort);
  });

  it("leaves the effort to Claude Code where none is asked for, or no thinking is (B1)", () => {
    expect(options({ profile })).not.toHaveProperty("effort");
    expect(options({ profile, effort: "none" })).not.toHaveProperty("effort");
  });
});

describe("what reaches the model call itself", () => {
  const off = { thinking: { type: "disabled" } };

  it.each([
    { turn: {}, body: undefined },
    { turn: { effort: "none" }, body: off },
    { turn: { effort: "high" }, body: undefined },
    // The API refuses a temperature beside thinking, and thinking wants room.
    { turn: { sampling: { temperature: 0.5 } }, body: { ...off, temperature: 0.5 } },
    { turn: { sampling: { temperature: 0 } }, body: { ...off, temperature: 0 } },
    { turn: { sampling: { top_p: 0.9 }, effort: "none" }, body: { ...off, top_p: 0.9 } },
    { turn: { sampling: { temperature: 0.5 }, effort: "low" }, body: undefined },
    { turn: { maxTokens: 2_047 }, body: off },
    { turn: { maxTokens: 2_048 }, body: undefined },
    { turn: { maxTokens: 100, effort: "high", sampling: { temperature: 1 } }, body: { ...off, temperature: 1 } },
    { turn: { stop: ["END", "\n\nHuman:"] }, body: { stop_sequences: ["END", "\n\nHuman:"] } },
    // The API refuses a stop sequence of blanks: it is cut by us.
    { turn: { stop: ["\n", "END"] }, body: { stop_sequences: ["END"] } },
    { turn: { stop: ["\n\n"] }, body: undefined },
  ] as const)("is $body for $turn (B1)", ({ turn, body }) => {
    expect(extraBody(turn)).toEqual(body);
  });
});
