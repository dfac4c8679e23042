// A thinking block with its signature ↔ a reasoning item's `encrypted_content`. Pure.
// It is no secret from the client, which was shown the thinking: it only has to come back as it was.
import { z } from "zod";
import type { ContentBlock } from "../../turn/turn.ts";

type Thinking = Extract<ContentBlock, { type: "thinking" }>;

const prefix = "ccapi1.";
const sealed = z.object({ thinking: z.string(), signature: z.string() });

/** What a client is given to send back. */
export function toEncryptedContent({ thinking, signature }: Omit<Thinking, "type">): string {
  return prefix + Buffer.from(JSON.stringify({ thinking, signature })).toString("base64url");
}

/** The thinking that was put in; `undefined` where it is none of ours, such as another vendor's. */
export function fromEncryptedContent(content: string): Thinking | undefined {
  if (!content.startsWith(prefix)) return undefined;
  try {
    const parsed = sealed.safeParse(JSON.parse(Buffer.from(content.slice(prefix.length), "base64url").toString()));
    return parsed.success ? { type: "thinking", ...parsed.data } : undefined;
  } catch {
    return undefined; // No JSON: none of ours.
  }
}
