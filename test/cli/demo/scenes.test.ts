// The demo's scenes where the server does not do as promised: each ends, and says so.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { authScenes } from "../../../src/cli/demo/auth-scenes.ts";
import { BrokenPromise } from "../../../src/cli/demo/client.ts";
import type { Stage } from "../../../src/cli/demo/stage.ts";

const credentials = { add: () => undefined, expire: () => undefined };

/** A stage on which a server stands that the test makes up. */
function stageOf(parts: Partial<Stage>): Stage {
  const simulator = { credentials, requests: [], setRules: () => undefined };
  return { simulator, home: "/nowhere", url: "", close: async () => undefined, ...parts } as unknown as Stage; // What the scenes use of it.
}

function scene(title: RegExp) {
  const found = authScenes.find((candidate) => title.test(candidate.title));
  if (found === undefined) throw new Error(`There is no scene ${title}.`);
  return found;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const later = async (response: Response) => {
  await new Promise((resolve) => setTimeout(resolve, 100));
  return response;
};

describe("a scene of the demo", () => {
  it("ends where a dead credential is never locked out (E2)", async () => {
    const stage = stageOf({
      get: () => later(Response.json({ authentication: { state: "cooling_down", refreshCount: 0 } })),
      post: () => later(Response.json({ error: { message: "No." } }, { status: 503 })),
    });
    let thrown: unknown;
    scene(/dies for good/)
      .play(stage, () => undefined)
      .catch((error: unknown) => (thrown = error));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(thrown).toBeInstanceOf(BrokenPromise);
  });

  it.each([/expires, and somebody renews it/, /12 requests at once/])(
    "fails at once where the server fails, and leaves no rejection to nobody: %s (E2)",
    async (title) => {
      const stage = stageOf({
        get: async () => Response.json({ authentication: { state: "authenticated", refreshCount: 0 } }),
        post: () => Promise.reject(new Error("The connection broke.")),
      });
      await expect(scene(title).play(stage, () => undefined)).rejects.toThrow("The connection broke.");
    },
  );
});
