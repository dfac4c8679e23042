// An answer that has to be JSON: held back until it is valid, asked for once more where it isn't, and never passed off as what it
// is not. Claude Code's own structured output is not used (measured, 2.1.330): it puts the schema into the process's arguments,
// knows the older draft alone, and ends well with plain text where the model has spoken twice.
import { CcapiError } from "../auth/errors.ts";
import { compileSchema } from "../schema/compile.ts";
import type { ContentBlock, OutputFormat, Usage } from "../turn/turn.ts";
import type { RunEvent } from "./run.ts";
import { isOurs } from "./stop-cutter.ts";
import { addUsage, noUsage } from "./usage.ts";

/** The form of one run's answer. */
export interface AnswerForm {
  /**
   * The events of a run with its text held back. @param read the run's events up to `finish`, once for each prompt.
   * @throws CcapiError `output_schema_missed`
   */
  events(read: () => AsyncIterable<RunEvent>, send: (prompt: readonly ContentBlock[]) => void): AsyncIterable<RunEvent>;
  /** Whether its process has said something else than the client got: it is of no use to another run. */
  readonly isAltered: boolean;
}

/** What the model is told, in its system prompt. */
export function formInstruction(format: OutputFormat): string {
  const alone = "and with nothing else: no words before or after it, no code fence.";
  if (format.type === "json_object") return `Answer with one JSON object ${alone}`;
  const { name, schema } = format;
  return `Answer with one JSON value that is valid against this JSON schema ${alone}\n\nJSON schema "${name}":\n${JSON.stringify(schema)}`;
}

/** Makes the form of one run's answer. */
export function createAnswerForm(format: OutputFormat | undefined): AnswerForm {
  let isAltered = false;

  async function* inForm(
    read: () => AsyncIterable<RunEvent>,
    send: (prompt: readonly ContentBlock[]) => void,
    problemOf: (value: unknown) => string | undefined,
  ): AsyncGenerator<RunEvent, void, undefined> {
    let usageBefore: Usage = noUsage;
    for (;;) {
      let held: RunEvent[] = [];
      let mend: readonly ContentBlock[] | undefined;
      for await (const event of read()) {
        switch (event.type) {
          case "block-start":
          case "delta":
          case "block-stop":
            if (event.kind === "text") held.push(event);
            else yield event;
            break;
          case "tool-start": // The client is to run something first: words beside it are no answer yet.
            yield* held;
            held = [];
            yield event;
            break;
          case "tool-result": // Words before it were not the answer.
            held = [];
            yield event;
            break;
          case "usage":
            yield { ...event, usage: addUsage(usageBefore, event.usage) };
            break;
          case "finish": {
            const usage = addUsage(usageBefore, event.usage);
            const said = readAnswer(held);
            // What was cut short is handed on as far as it came, like any other answer.
            const problem = event.reason === "stop" ? (said.problem ?? problemOf(said.value)) : undefined;
            if (problem === undefined) {
              if (said.isFenced) isAltered = true;
              yield* said.isFenced && event.reason === "stop" ? asBlock(said.json) : held;
              yield { ...event, usage };
              return;
            }
            const isCut = event.stopSequence !== undefined && isOurs(event.stopSequence);
            if (isAltered || isCut) throw missed();
            isAltered = true;
            mend = toMend(problem);
            usageBefore = usage;
            break;
          }
          default:
            yield event;
        }
        if (mend !== undefined) break;
      }
      if (mend === undefined) return;
      send(mend);
    }
  }

  return {
    events(read, send) {
      return format === undefined ? read() : inForm(read, send, checkOf(format));
    },
    get isAltered() {
      return isAltered;
    },
  };
}

function checkOf(format: OutputFormat): (value: unknown) => string | undefined {
  if (format.type === "json_schema") {
    const compiled = compileSchema(format.schema, "schema");
    return (value) => compiled.problemOf(value);
  }
  return (value) =>
    typeof value === "object" && value !== null && !Array.isArray(value) ? undefined : "it is no JSON object";
}

interface Said {
  readonly json: string;
  readonly value: unknown;
  readonly problem: string | undefined;
  readonly isFenced: boolean;
}

function readAnswer(held: readonly RunEvent[]): Said {
  const text = held.map((event) => (event.type === "delta" ? event.text : "")).join("");
  const bare = text.trim();
  const isFenced = bare.length > 6 && bare.startsWith("```") && bare.endsWith("```");
  const json = isFenced ? bare.slice(bare.indexOf("\n") + 1, -3).trim() : text;
  try {
    return { json, value: JSON.parse(json), problem: undefined, isFenced };
  } catch {
    return { json, value: undefined, problem: "it is no JSON", isFenced };
  }
}

function asBlock(text: string): RunEvent[] {
  return [
    { type: "block-start", kind: "text" },
    { type: "delta", kind: "text", text },
    { type: "block-stop", kind: "text" },
  ];
}

function toMend(problem: string): ContentBlock[] {
  const text = `[structured-output-retry] Your answer can't be used: ${problem}. Answer again, with the valid JSON alone.`;
  return [{ type: "text", text }];
}

function missed(): CcapiError {
  return new CcapiError(
    "output_schema_missed",
    "The model was asked twice, and its answer is not of the form that was asked for.",
    {
      shouldRetry: false,
    },
  );
}
