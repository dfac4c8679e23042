// Which requests may be run again without harm: plain chat, where nothing comes of a run but its answer. An agent's tools may have acted.
import { resolveModel } from "../names/models.ts";

/** Reads a request's body, of whatever API. What can't be read is not said to be harmless. */
export function isPlainChat(body: string, aliases: ReadonlyMap<string, string>): boolean {
  try {
    const { model } = JSON.parse(body) as { model?: unknown }; // Anything else throws, here or below.
    return typeof model === "string" && resolveModel(model, aliases).profile === "chat";
  } catch {
    return false;
  }
}
