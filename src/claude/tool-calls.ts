// The model's calls of tools in one message: those of the client's, as events under the client's own names, and which others stand
// among them. Answers no call.
import { CcapiError } from "../auth/errors.ts";
import { compileSchema } from "../schema/compile.ts";
import type { ClientTool, TurnEvent } from "../turn/turn.ts";
import { type OfferedTool, offeredTools, type ToolSettings } from "./toolbox.ts";

/** One call in a message. */
export interface ToolCall {
  readonly id: string;
  /** The tool's name for the model. */
  readonly name: string;
  /** The client's tool; `undefined`: one of Claude Code's own. */
  readonly offered: OfferedTool | undefined;
  /** One more than the client allows at once: it does not see it. */
  readonly isSurplus: boolean;
  /** The arguments as the client's schema names them; `undefined` while they are not complete. */
  readonly input: unknown;
}

/** Follows the calls of one message after the other. */
export interface CallReader {
  /** Another message begins, or the same once more. @throws CcapiError `upstream_error` where the client has a call of the first attempt. */
  begin(isSecondAttempt: boolean): void;
  open(id: string, name: string): TurnEvent[];
  /** The open call's arguments go on. */
  say(json: string): TurnEvent[];
  /** The open call is complete, if there is one. */
  close(): TurnEvent[];
  /** What was held back of the message until it was judged. */
  release(): TurnEvent[];
  /** All calls of the message, in order. */
  readonly calls: readonly ToolCall[];
  /** What is wrong with strict tools' arguments, by the call's id. */
  readonly faults: ReadonlyMap<string, string>;
  /** The model's name for a client's tool. */
  nameOf(clientName: string): string;
}

type Open = { -readonly [Key in keyof ToolCall]: ToolCall[Key] } & { json: string };

/** Makes a reader for one run. */
export function createCallReader(turn: ToolSettings): CallReader {
  const offered = new Map(offeredTools(turn).map((tool) => [tool.name, tool]));
  // A call that may have to be asked for again is not shown before it is known to be valid, nor those beside it.
  const isHeld = [...offered.values()].some(({ tool }) => tool.strict);
  let calls: Open[] = [];
  let open: Open | undefined;
  let held: TurnEvent[] = [];
  let hasTold = false;

  function tell(events: TurnEvent[]): TurnEvent[] {
    if (isHeld) {
      held.push(...events);
      return [];
    }
    hasTold ||= events.length > 0;
    return events;
  }

  return {
    begin(isSecondAttempt) {
      if (isSecondAttempt && hasTold) {
        throw new CcapiError("upstream_error", "The model's stream broke off in the middle of a tool's call.");
      }
      calls = [];
      held = [];
      open = undefined;
      hasTold = false;
    },
    open(id, name) {
      const tool = offered.get(name);
      const isSurplus =
        tool !== undefined && !turn.parallelToolCalls && calls.some((call) => call.offered !== undefined);
      open = { id, name, offered: tool, isSurplus, input: undefined, json: "" };
      calls.push(open);
      return tool === undefined || isSurplus ? [] : tell([{ type: "tool-start", id, name: tool.tool.name }]);
    },
    say(json) {
      if (open === undefined || json === "") return [];
      open.json += json;
      if (open.offered?.isVerbatim !== true || open.isSurplus) return [];
      return tell([{ type: "tool-delta", id: open.id, json }]);
    },
    close() {
      const call = open;
      open = undefined;
      if (call?.offered === undefined) return [];
      const { id, json, offered: tool, isSurplus } = call;
      const isEmpty = json.trim() === "";
      const parsed = isEmpty ? {} : parse(json);
      call.input = parsed === undefined ? undefined : tool.toClient(parsed);
      if (isSurplus) return [];
      const whole = isEmpty || !tool.isVerbatim ? [JSON.stringify(call.input ?? {})] : [];
      return tell([
        ...whole.map((text) => ({ type: "tool-delta" as const, id, json: text })),
        { type: "tool-stop", id, input: call.input ?? {} },
      ]);
    },
    release() {
      const events = held;
      held = [];
      hasTold ||= events.length > 0;
      return events;
    },
    get calls() {
      return calls;
    },
    get faults() {
      const faults = new Map<string, string>();
      for (const { id, offered: tool, input, isSurplus } of calls) {
        if (tool?.tool.strict !== true || isSurplus) continue;
        const fault = faultOf(tool.tool, input);
        if (fault !== undefined) faults.set(id, fault);
      }
      return faults;
    },
    nameOf: (clientName) => [...offered.values()].find(({ tool }) => tool.name === clientName)?.name ?? clientName,
  };
}

/** What is wrong with a call's arguments, in words for the model; `undefined`: nothing. */
function faultOf({ name, inputSchema }: ClientTool, input: unknown): string | undefined {
  if (typeof input !== "object" || input === null) return "they are no complete JSON object";
  return compileSchema(inputSchema, `tools.${name}`).problemOf(input);
}

/** `undefined`: it was cut off. */
function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
