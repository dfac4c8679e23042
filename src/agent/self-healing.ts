// The SDK's Query, as the caller sees it: an async generator with control methods, whatever processes come and go behind it.
import type { Options, Query, SDKMessage, SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import { CcapiError } from "../auth/errors.ts";
import type { Environment } from "../claude/environment.ts";
import type { ProcessOwner } from "../claude/process.ts";
import type { Runtime } from "../claude/runtime.ts";
import { type ControlName, controlNames, createControls } from "./controls.ts";
import { drive } from "./drive.ts";
import { createInput } from "./input.ts";
import type { Keepers } from "./keepers.ts";
import { createOutlet } from "./outlet.ts";
import { toSource } from "./source.ts";

/** What a query is asked with, as the SDK's own. */
export interface QueryParameters {
  readonly prompt: string | AsyncIterable<SDKUserMessage>;
  readonly options?: Options | undefined;
}

/** What queries share. */
export interface QueryPorts {
  readonly keepers: Keepers;
  readonly runtime: Runtime;
  readonly owner: ProcessOwner;
  /** What counts where the options name no environment. */
  readonly environment: () => Environment;
  /** All queries end with it. */
  readonly signal: AbortSignal;
}

/** Starts a query at once, as the SDK does; its messages wait for who asks. */
export function createQuery({ prompt, options = {} }: QueryParameters, ports: QueryPorts): Query {
  const ender = new AbortController();
  const { signal } = ender;
  const closed = new CcapiError("client_closed_request", "The query was closed.");
  const source = toSource(options, ports.environment());
  const { keeper, giveBack } = ports.keepers.borrow(source);
  const outlet = createOutlet<SDKMessage>();
  const controls = createControls();
  let gone: Promise<void> = Promise.resolve();

  const close = () => ender.abort(closed);
  const onCallersAbort = () => {
    // What the SDK throws then.
    ports.runtime
      .sdk()
      .then(({ AbortError }) => ender.abort(new AbortError("Claude Code process aborted by user")), close);
  };
  const callers = options.abortController?.signal;
  callers?.addEventListener("abort", onCallersAbort, { once: true });
  if (callers?.aborted === true) onCallersAbort();
  ports.signal.addEventListener("abort", close, { once: true });
  if (ports.signal.aborted) close();

  const input = createInput(prompt, signal, (error) => ender.abort(error));
  const driven = drive({
    ...ports,
    input,
    options,
    keeper,
    controls,
    put: outlet.put,
    signal,
    onPart(part) {
      ({ gone } = part);
      part.end.catch(() => undefined); // Seen where it is awaited.
    },
  })
    .then(outlet.finish, (error: unknown) => {
      if (signal.reason === closed) outlet.finish();
      else outlet.fail(error);
    })
    .finally(() => {
      ender.abort(closed);
      controls.close();
      callers?.removeEventListener("abort", onCallersAbort);
      ports.signal.removeEventListener("abort", close);
      giveBack();
    });

  async function end(): Promise<IteratorResult<SDKMessage, void>> {
    close();
    outlet.finish();
    await driven;
    await gone;
    return { done: true, value: undefined };
  }

  async function interrupt(): Promise<unknown> {
    if (controls.isAttached || signal.aborted) return controls.call("interrupt", []);
    // Nothing is under way that could be interrupted but the waiting.
    ender.abort(new CcapiError("client_closed_request", "Interrupted while no Claude process was running."));
    return undefined;
  }

  function control(name: ControlName): (...args: readonly unknown[]) => Promise<unknown> {
    if (name === "interrupt") return interrupt;
    // The messages of a conversation are handed to whichever process is there.
    if (name === "streamInput" && input.text === undefined)
      return (messages) => input.add(messages as AsyncIterable<SDKUserMessage>); // The SDK's own type of the argument.
    return (...args) => controls.call(name, args);
  }

  const generator: AsyncGenerator<SDKMessage, void> = {
    next: () => outlet.next(),
    return: end,
    async throw(error: unknown) {
      await end();
      throw error;
    },
    [Symbol.asyncIterator]: () => query,
    [Symbol.asyncDispose]: async () => void (await end()),
  };
  const methods = Object.fromEntries(controlNames.map((name) => [name, control(name)]));
  // Every name of Query is there: the table in controls.ts would not compile without one.
  const query = Object.assign(generator, methods, { close }) as unknown as Query;
  return query;
}
