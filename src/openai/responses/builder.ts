// TurnEvents → a response as it grows, and the stream events that tell of it, each with its number. Pure: one builder, one response.
// Items never overlap: each is added, told and done before the next; what an agent says between two tools of its own is one message.
import type { CcapiError } from "../../auth/errors.ts";
import type { FinishReason, Profile, TurnEvent } from "../../turn/turn.ts";
import { toItemId, type ItemStatus, type OutputItem } from "./items.ts";
import { createOpenItem, type Emit, type OpenItem, openRefusal } from "./open-item.ts";
import {
  type ResponseFrame,
  type ResponseObject,
  type ResponseState,
  toResponseError,
  toResponseObject,
} from "./response.ts";
import { toResponseUsage } from "./usage.ts";

/** One event of the stream; `type` is the SSE event's name, too. */
export interface ResponseEvent {
  readonly type: string;
  readonly sequence_number: number;
  readonly [field: string]: unknown;
}

/** Follows one turn. */
export interface ResponseBuilder {
  /** The response as it is now. */
  readonly response: ResponseObject;
  /** Takes the next event. @returns the events that tell of it, none, one or more. */
  note(event: TurnEvent): ResponseEvent[];
  /** The turn failed. @returns the events that end the stream. */
  fail(error: CcapiError): ResponseEvent[];
}

/** What a builder is given. */
export interface BuilderOptions {
  readonly frame: ResponseFrame;
  readonly profile: Profile;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const refusalText = "The model declined to answer.";

/** Makes a builder. */
export function createResponseBuilder({ frame, profile, now }: BuilderOptions): ResponseBuilder {
  const done: OutputItem[] = [];
  let open: OpenItem | undefined;
  let hasBegun = false;
  let hasText = false;
  let isNewBlock = false;
  let sequence = 0;
  let events: ResponseEvent[] = [];
  let state: ResponseState = {
    status: "in_progress",
    completed_at: null,
    error: null,
    incomplete_details: null,
    output: [],
    usage: null,
  };

  const emit: Emit = (type, fields) => {
    events.push({ type, sequence_number: sequence, ...fields });
    sequence += 1;
  };
  const current = () => toResponseObject(frame, state);

  function begin(): void {
    if (hasBegun) return;
    hasBegun = true;
    emit("response.created", { response: current() });
    emit("response.in_progress", { response: current() });
  }

  function close(status: ItemStatus = "completed", signature?: string): void {
    if (open === undefined) return;
    done.push(open.close(status, signature));
    state = { ...state, output: [...done] };
    open = undefined;
  }

  /** The item under way if it is of this type, else a new one. */
  function need(type: OutputItem["type"], call?: { readonly id: string; readonly name: string }): OpenItem {
    if (open?.type !== type || call !== undefined) {
      close();
      const id = toItemId(frame.id, type, "output", done.length);
      open = createOpenItem({ type, id, index: done.length, call }, emit);
    }
    return open;
  }

  function say(text: string): void {
    if (text === "") return;
    // An agent speaks between its tool calls; a model's blocks are one text.
    const separator = isNewBlock && hasText && profile === "agent" ? "\n\n" : "";
    isNewBlock = false;
    hasText = true;
    need("message").add(separator + text);
  }

  function finish(reason: FinishReason): void {
    const isWhole = reason === "stop" || reason === "tool_calls";
    if (reason === "refusal" && !hasText) {
      close();
      open = openRefusal({ id: toItemId(frame.id, "message", "output", done.length), index: done.length }, emit);
      open.add(refusalText);
    }
    close(reason === "length" ? "incomplete" : "completed");
    state = {
      ...state,
      status: isWhole ? "completed" : "incomplete",
      completed_at: isWhole ? Math.floor(now() / 1_000) : null,
      incomplete_details: isWhole ? null : { reason: reason === "length" ? "max_output_tokens" : "content_filter" },
    };
  }

  function take(event: TurnEvent): void {
    switch (event.type) {
      case "block-start":
        if (event.kind === "text") isNewBlock = true;
        else close();
        break;
      case "delta":
        if (event.kind === "text") say(event.text);
        else if (event.text !== "") need("reasoning").add(event.text);
        break;
      case "block-stop":
        if (event.kind !== "thinking") break;
        // Thinking that is not shown still has to come back.
        if (open?.type !== "reasoning" && event.signature !== undefined) need("reasoning");
        if (open?.type === "reasoning") close("completed", event.signature);
        break;
      case "tool-start":
        need("function_call", event);
        break;
      case "tool-delta":
        open?.add(event.json);
        break;
      case "tool-stop":
        if (open?.isEmpty === true) open.add(JSON.stringify(event.input));
        close();
        break;
      case "finish":
        finish(event.reason);
        state = { ...state, usage: toResponseUsage(event.usage) };
        emit(`response.${state.status}`, { response: current() });
        break;
      case "phase":
        break;
    }
  }

  function during(work: () => void): ResponseEvent[] {
    events = [];
    begin();
    work();
    return events;
  }

  return {
    get response() {
      return current();
    },
    note: (event) => during(() => take(event)),
    fail: (error) =>
      during(() => {
        const { code, message, param = null, type } = error;
        if (open !== undefined) state = { ...state, output: [...done, open.item("incomplete")] };
        state = { ...state, status: "failed", error: toResponseError(error) };
        // OpenAI's document has the fields beside `type`, the Open Responses one and the live API below `error`, where clients look.
        emit("error", { code, message, param, error: { type, code, message, param } });
        emit("response.failed", { response: current() });
      }),
  };
}
