// What the model says in each case of the matrix, and at which of its calls the credential dies.
import type { AnswerBlock, Rule } from "../../src/simulator/index.ts";
import type { Cell } from "./cells.ts";

/** A call of the model API, as far as scripts look. */
export interface Call {
  readonly body: unknown;
}

/** One run of the model. */
export interface Script {
  readonly rules: readonly Rule[];
  /** Whether the credential dies with this call. */
  readonly breaksAt: (call: Call) => boolean;
  /** It dies in the middle of the call's words instead of before them. */
  readonly isMidText?: true;
  /** How many credentials die, one after the other. */
  readonly deaths: 1 | 2;
  /** What the tools leave in the file when each has run once. */
  readonly notes: string;
}

const text = (words: string): AnswerBlock => ({ type: "text", text: words });
const bash = (id: string): AnswerBlock => ({
  type: "tool_use",
  id: `toolu_${id}`,
  name: "Bash",
  input: { command: `echo ${id} >> notes.txt`, description: "note" },
});

const threeRounds: readonly Rule[] = calls([
  { answered: 0, answer: [text("One."), bash("a")] },
  { answered: 1, answer: [bash("b")] },
  { answered: 2, answer: [text("Three."), bash("c")] },
  { answered: 3, answer: [text("All noted.")] },
]);

/** What the client asks. */
export const question = "Note it, please";

const subagentTask = "take the note of the subagent";

/** The script of each moment. */
export const scripts: Readonly<Record<Cell["moment"], Script>> = {
  "before the first byte": {
    rules: threeRounds,
    breaksAt: afterResults(0),
    deaths: 1,
    notes: "a\nb\nc\n",
  },
  "after thinking": {
    rules: calls([
      { answered: 0, answer: [{ type: "thinking", thinking: "A note is wanted." }, bash("a")] },
      { answered: 1, answer: [{ type: "thinking", thinking: "It is there." }, text("Done.")] },
    ]),
    breaksAt: afterResults(1),
    deaths: 1,
    notes: "a\n",
  },
  "after text, before a tool": {
    rules: calls([
      { answered: 0, answer: [text("I look first."), bash("a")] },
      { answered: 1, answer: [bash("b")] },
      { answered: 2, answer: [text("Done.")] },
    ]),
    breaksAt: afterResults(1),
    deaths: 1,
    notes: "a\nb\n",
  },
  "after tool 1 of 3": { rules: threeRounds, breaksAt: afterResults(1), deaths: 1, notes: "a\nb\nc\n" },
  "between parallel tools": {
    rules: calls([
      { answered: 0, answer: [text("Both."), bash("a"), bash("b")] },
      { answered: 2, answer: [text("Both noted.")] },
    ]),
    breaksAt: afterResults(2),
    deaths: 1,
    notes: "a\nb\n",
  },
  "after the last tool": { rules: threeRounds, breaksAt: afterResults(3), deaths: 1, notes: "a\nb\nc\n" },
  "during a subagent": {
    rules: [
      { when: (call) => isSubagent(call) && countResults(call) === 0, answer: [bash("s")] },
      { when: isSubagent, answer: [text("Noted by the subagent.")] },
      ...calls([
        {
          answered: 0,
          answer: [
            text("I delegate."),
            {
              type: "tool_use",
              id: "toolu_agent",
              name: "Agent",
              input: {
                description: "note",
                prompt: subagentTask,
                subagent_type: "general-purpose",
                run_in_background: false,
              },
            },
          ],
        },
        { answered: 1, answer: [text("Done.")] },
      ]),
    ],
    breaksAt: (call) => isSubagent(call) && countResults(call) === 1,
    deaths: 1,
    notes: "s\n",
  },
  "on resume": { rules: threeRounds, breaksAt: afterResults(1), deaths: 2, notes: "a\nb\nc\n" },
  "in the middle of a text": {
    rules: calls([
      { answered: 0, answer: [text("I note it."), bash("a")] },
      { answered: 1, answer: [text("It is noted, and this is told at some length, word by word.")] },
    ]),
    breaksAt: afterResults(1),
    isMidText: true,
    deaths: 1,
    notes: "a\n",
  },
};

/** The run's own call: not the turn before it, and not its subagent's. */
function isAsked(call: Call): boolean {
  return isAgent(call) && JSON.stringify(call.body).includes(question);
}

/** Tool results in a call's conversation. The turn before has none. */
function countResults({ body }: Call): number {
  return JSON.stringify(body).split('"type":"tool_result"').length - 1;
}

function calls(said: readonly { readonly answered: number; readonly answer: readonly AnswerBlock[] }[]): Rule[] {
  return said.map(({ answered, answer }) => ({
    when: (call) => isAsked(call) && countResults(call) === answered,
    answer,
  }));
}

function afterResults(answered: number): (call: Call) => boolean {
  return (call) => isAsked(call) && countResults(call) === answered;
}

/** Not the question by which the server proves a renewed credential: that one has no tools. */
export function isAgent({ body }: Call): boolean {
  return ((body as { tools?: unknown[] } | null)?.tools ?? []).length > 0;
}

/** The subagent's own conversation begins with its task. */
function isSubagent(call: Call): boolean {
  const { messages } = call.body as { messages?: readonly unknown[] };
  return isAgent(call) && JSON.stringify(messages?.[0] ?? "").includes(subagentTask);
}
