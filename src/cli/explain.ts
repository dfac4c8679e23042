// `ccapi explain`: says what an error means for the Claude credential and what to do about it. Pasted texts, or records by the line.
import { z } from "zod";
import { classify } from "../auth/classify.ts";
import { needsPerson } from "../auth/remedy.ts";
import { sourceOf } from "../auth/rules/source-of.ts";
import type { Classification, Signal } from "../auth/signal.ts";
import type { Output } from "./output.ts";

/** One record: a text with where it stood. Only the text has to be there; what else can't be understood is as if it were missing. */
const record = z.object({
  id: z.union([z.string(), z.number()]).optional().catch(undefined),
  text: z.string(),
  /** Where the text stood: error_message, assistant_text, result_text, stderr, http_body, tool_output, model_text. */
  shape: z.string().optional().catch(undefined),
  http_status: z.number().int().nullish().catch(null),
});
type ErrorRecord = z.infer<typeof record>;

/** What a verdict means and what to do, for people. */
const advice = {
  auth_refreshable: {
    meaning: "The Claude credential was rejected, and renewing it may mend that.",
    todo: "Nothing, where the server can renew it: it tries by itself. `ccapi status` shows how it goes.",
  },
  renewable_permanent: {
    meaning: "The Claude credential is not accepted. It may have been rotated: a renewable one is renewed once.",
    todo: "Put a valid credential where Claude looks for it. `ccapi status` shows when it works again.",
  },
  auth_permanent: {
    meaning: "The Claude credential is missing or dead; only a person can mend it.",
    todo: "Log in, or give a new key. `ccapi status` says which credential is used; no restart is needed.",
  },
  not_auth: {
    meaning: "This is not about the Claude credential.",
    todo: "Look at what the message itself names.",
  },
} as const;

/** Explains one text to a person. */
export function explainText(text: string, output: Output): number {
  const found = classify({ source: "text", text, status: null });
  const { meaning, todo } = advice[adviceFor(found)];
  output.line(`verdict  ${found.verdict}`);
  output.line(`meaning  ${meaning}`);
  output.line(`why      ${found.reason}`);
  output.line(`to do    ${todo}`);
  const source = sourceOf(found.rule);
  output.line(`rule     ${found.rule}${source === undefined ? "" : ` (${source})`}`);
  return 0;
}

/**
 * Judges records, one JSON object a line, one line out for each line in.
 *
 * @returns the exit code: 2 where a line could not be read.
 */
export async function explainLines(lines: AsyncIterable<string> | Iterable<string>, output: Output): Promise<number> {
  let code = 0;
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (line.trim() === "") continue;
    const parsed = record.safeParse(parseJson(line.replace(/^\uFEFF/, "")));
    if (!parsed.success) {
      code = 2;
      output.error(`Line ${number} is no record: it has to be a JSON object with a "text".`);
      output.line(JSON.stringify({ id: null, error: `line ${number} is no record` }));
      continue;
    }
    const { verdict, reason, rule } = classify(toSignal(parsed.data));
    output.line(JSON.stringify({ id: parsed.data.id ?? number, verdict, reason, rule }));
  }
  return code;
}

/** A record's shape → the provenance that the classifier knows. */
export function toSignal({ text, shape, http_status: status = null }: ErrorRecord): Signal {
  switch (shape) {
    case "tool_output":
      return { source: "tool_output", text };
    case "model_text":
      return { source: "model_text", text };
    case "stderr":
      return { source: "stderr", text };
    case "http_body":
      return status === null ? { source: "text", text, status } : { source: "http", status, body: text };
    default:
      return { source: "text", text, status };
  }
}

function adviceFor(found: Classification): keyof typeof advice {
  if (found.verdict === "auth_permanent" && !needsPerson(found)) return "renewable_permanent";
  return found.verdict;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // Said by the caller.
  }
}
