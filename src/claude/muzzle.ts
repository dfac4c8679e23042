// A process that is being ended may still get an answer of the model: whatever it asks for then, another process asks for too.
// Keeps its tools from running, so that none runs twice.
import type { HookCallbackMatcher, Options } from "@anthropic-ai/claude-agent-sdk";

type Hooks = NonNullable<Options["hooks"]>;

/** The hooks, and one more that lets no tool run once the process `isEnding`. */
export function withMuzzle(hooks: Hooks | undefined, isEnding: () => boolean): Hooks {
  const muzzle: HookCallbackMatcher = {
    hooks: [
      async () => {
        if (!isEnding()) return {};
        const reason = "This run has been ended.";
        return {
          continue: false,
          stopReason: reason,
          hookSpecificOutput: {
            hookEventName: "PreToolUse",
            permissionDecision: "deny",
            permissionDecisionReason: reason,
          },
        };
      },
    ],
  };
  return { ...hooks, PreToolUse: [...(hooks?.PreToolUse ?? []), muzzle] };
}
