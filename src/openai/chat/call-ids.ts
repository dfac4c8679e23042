// Which calls of tools have been asked for in a conversation, and which are answered: each once, and before anybody else speaks.
// Both APIs insist on it; ours is the clearer error. Pure.
import { CcapiError } from "../../auth/errors.ts";

/** Follows the calls of one conversation. */
export interface CallIds {
  /** A call of the assistant's; gives its id for the model API, which takes only some characters and no id twice. */
  readonly ask: (id: string) => string;
  /** A tool's answer; gives the id of its call. @throws CcapiError where nobody asked. */
  answer(id: string, at: string): string;
  /** @throws CcapiError where a call has no answer and somebody speaks at `at`. */
  assertAnswered(at: string): void;
}

/** Follows a conversation from its beginning; in a session the calls that its first answers are for may be the server's to know. */
export function createCallIds(hasSession: boolean): CallIds {
  const used = new Set<string>();
  let hasAsked = false;
  /** Of the last message with calls: the client's id → the model API's, while it is not answered. */
  const open = new Map<string, string>();

  return {
    ask(id) {
      hasAsked = true;
      let own = id;
      for (let n = used.size; !/^[\w-]{1,128}$/.test(own) || used.has(own); n += 1) own = `call_${n}`;
      used.add(own);
      open.set(id, own);
      return own;
    },
    answer(id, at) {
      const own = open.get(id);
      open.delete(id);
      if (own !== undefined) return own;
      if (hasSession && !hasAsked && !used.has(id)) {
        used.add(id);
        return id;
      }
      throw new CcapiError(
        "invalid_request",
        "A tool message has to answer a call of the assistant's message before it, and each call once.",
        { param: `${at}.tool_call_id` },
      );
    },
    assertAnswered(at) {
      if (open.size === 0) return;
      throw new CcapiError(
        "invalid_request",
        "An assistant's message with tool_calls has to be followed by a tool message for each of them.",
        { param: at },
      );
    },
  };
}
