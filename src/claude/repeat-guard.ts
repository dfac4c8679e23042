// The blocks of one model call as the client has them. A second attempt at the call may only repeat them and go on:
// what a client was sent is always the beginning of the one true answer, or the turn fails.
import { CcapiError } from "../auth/errors.ts";
import type { TurnEvent } from "../turn/turn.ts";

type Kind = "text" | "thinking";

/** Turns the blocks of a call's attempts into the events that are new to the client. */
export interface RepeatGuard {
  /** Another call begins. */
  begin(): void;
  /** The same call begins again: everything sent of it comes once more. */
  repeat(): TurnEvent[];
  /** A block begins; the one before has ended. */
  open(kind: Kind): TurnEvent[];
  /** The open block goes on. */
  say(kind: Kind, text: string): TurnEvent[];
  /** The open block's signature, told when it closes. */
  sign(signature: string): void;
  /** The open block has ended, if there is one. */
  close(): TurnEvent[];
  /** The call has ended. */
  end(): TurnEvent[];
}

/** Makes a guard. `open`, `say`, `close` and `end` throw CcapiError `upstream_error` where an attempt differs. */
export function createRepeatGuard(): RepeatGuard {
  /** What the client has. Its last block is open at the client where `isOpenAtClient`. */
  let sent: { readonly kind: Kind; text: string }[] = [];
  let isOpenAtClient = false;
  /** Where the present attempt stands: in which block, how far into it, and whether that block still is open. */
  let index = -1;
  let position = 0;
  let isOpen = false;
  let signature: string | undefined;

  function restart(): void {
    index = -1;
    isOpen = false;
  }

  function stopAtClient(kind: Kind): TurnEvent[] {
    isOpenAtClient = false;
    return [{ type: "block-stop", kind, ...(signature === undefined ? {} : { signature }) }];
  }

  function assertSame(isSame: boolean): void {
    if (isSame) return;
    throw new CcapiError(
      "upstream_error",
      "The model's stream broke off, and its second answer differs from what was already sent.",
    );
  }

  function open(kind: Kind): TurnEvent[] {
    const events = close();
    index += 1;
    position = 0;
    isOpen = true;
    signature = undefined;
    if (sent[index] !== undefined) return events; // Whether it is the same shows in what it says.
    sent.push({ kind, text: "" });
    isOpenAtClient = true;
    return [...events, { type: "block-start", kind }];
  }

  function close(): TurnEvent[] {
    if (!isOpen) return [];
    isOpen = false;
    const block = sent[index];
    assertSame(position === block?.text.length);
    if (block === undefined || !isOpenAtClient || index < sent.length - 1) return [];
    return stopAtClient(block.kind);
  }

  return {
    begin() {
      sent = [];
      isOpenAtClient = false;
      restart();
    },
    repeat() {
      restart();
      const last = sent.at(-1);
      // A block that was begun and never filled binds the next attempt to nothing.
      if (!isOpenAtClient || last === undefined || last.text !== "") return [];
      sent.pop();
      return stopAtClient(last.kind);
    },
    open,
    say(kind, text) {
      const events = isOpen ? [] : open(kind);
      const block = sent[index];
      if (block === undefined || text === "") return events;
      const repeated = block.text.slice(position, position + text.length);
      assertSame(block.kind === kind && text.startsWith(repeated));
      position += text.length;
      const fresh = text.slice(repeated.length);
      if (fresh === "") return events;
      assertSame(isOpenAtClient && index === sent.length - 1);
      block.text += fresh;
      return [...events, { type: "delta", kind, text: fresh }];
    },
    sign(text) {
      signature = text;
    },
    close,
    end() {
      const events = close();
      assertSame(index === sent.length - 1);
      return events;
    },
  };
}
