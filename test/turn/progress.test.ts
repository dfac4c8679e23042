import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/claude/run.ts";
import { createProgress, type Standing } from "../../src/turn/progress.ts";

const words: RunEvent[] = [
  { type: "block-start", kind: "text" },
  { type: "delta", kind: "text", text: "Hm." },
];
const done = (uuid: string, messageId = uuid): RunEvent => ({ type: "checkpoint", uuid, messageId });
const ask = (messageId: string, ...ids: string[]): RunEvent => ({
  type: "tool-use",
  messageId,
  tools: ids.map((id) => ({ id, name: `tool-${id}` })),
});
const block = (id: string) => ({ type: "tool_result", tool_use_id: id, content: id }) as const;
const answer = (...ids: string[]): RunEvent => ({
  type: "tool-result",
  results: ids.map((id) => ({ id, block: block(id) })),
});

function standing(...events: RunEvent[]): Standing {
  const progress = createProgress("stream");
  for (const event of events) progress.note(event);
  return progress.standing;
}

/** For a client that gets the answer as a whole. */
function standingUnheard(...events: RunEvent[]): Standing {
  const progress = createProgress("whole");
  for (const event of events) progress.note(event);
  return progress.standing;
}

describe("a run that is broken off", () => {
  it("before it said anything can be run again (A5)", () => {
    expect(standing()).toEqual({ is: "untouched" });
    expect(standing({ type: "phase", phase: "working" })).toEqual({ is: "untouched" });
  });

  it("in the middle of its words can't go on (A5)", () => {
    expect(standing(...words)).toEqual({ is: "mid-answer" });
    expect(standing(...words, done("u1"))).toEqual({ is: "mid-answer" });
  });

  it("when every tool has answered goes on from there, with all answers in the order of the questions (A5)", () => {
    expect(
      standing(
        ...words,
        done("u1", "m1"),
        ask("m1", "a"),
        done("u2", "m1"),
        ask("m1", "b"),
        done("u3", "m1"),
        answer("b"),
        answer("a"),
      ),
    ).toEqual({
      is: "between-calls",
      resumeAt: "u3",
      results: [block("a"), block("b")],
    });
  });

  it("while a tool has not answered can't go on: it may have done its work (A5)", () => {
    expect(standing(ask("m1", "a"), done("u1", "m1"), ask("m1", "b"), done("u2", "m1"), answer("a"))).toEqual({
      is: "mid-tool",
    });
  });

  it("in a later round hands over that round's answers alone (A5)", () => {
    const round = [ask("m1", "a"), done("u1", "m1"), answer("a"), ask("m2", "b"), done("u2", "m2"), answer("b")];
    expect(standing(...round)).toEqual({ is: "between-calls", resumeAt: "u2", results: [block("b")] });
    expect(standing(...round, ...words)).toEqual({ is: "mid-answer" });
  });

  it("after a text of the next call, whose tool is still being written, can't go on from either (A5)", () => {
    const round = [ask("m1", "a"), done("u1", "m1"), answer("a")];
    expect(standing(...round, ...words, done("u2", "m2"))).toEqual({ is: "mid-answer" });
    expect(standing(...round, done("u2", "m2"))).toEqual({ is: "mid-answer" });
  });

  it("in the middle of words that nobody was sent goes on as if they had not been said (A5)", () => {
    expect(standingUnheard(...words)).toEqual({ is: "untouched" });
    expect(standingUnheard(...words, done("u1", "m1"))).toEqual({ is: "untouched" });
    const round = [...words, done("u1", "m1"), ask("m1", "a"), done("u2", "m1"), answer("a")];
    const between = { is: "between-calls", resumeAt: "u2", results: [block("a")] };
    expect(standingUnheard(...round, ...words)).toEqual(between);
    expect(standingUnheard(...round, ...words, done("u3", "m2"))).toEqual(between);
    expect(standingUnheard(...round, ...words, done("u3", "m2"), ask("m2", "b"))).toEqual({ is: "mid-tool" });
  });

  it("in the middle of an answer that is held back until it has its form goes on, but not once words were sent (A5)", () => {
    const round = [ask("m1", "a"), done("u1", "m1"), answer("a"), done("u2", "m2")];
    const heldBack = (...events: RunEvent[]) => {
      const progress = createProgress("stream", true);
      for (const event of events) progress.note(event);
      return progress.standing;
    };
    expect(heldBack(...round)).toEqual({ is: "between-calls", resumeAt: "u1", results: [block("a")] });
    expect(heldBack(...round, ...words)).toEqual({ is: "mid-answer" });
    expect(heldBack(done("u1", "m1"))).toEqual({ is: "untouched" });
    expect(heldBack(done("u1", "m1"), ...words)).toEqual({ is: "mid-answer" });
  });

  it("while a task in the background is open can't go on: it would end with its process (A5)", () => {
    const progress = createProgress();
    for (const event of [ask("m1", "a"), done("m1"), answer("a")]) progress.note(event);
    progress.note({ type: "task", id: "t", isOpen: true });
    expect(progress.standing.is).toBe("mid-tool");
    progress.note({ type: "task", id: "t", isOpen: false });
    expect(progress.standing.is).toBe("between-calls");
  });

  it("names the tools that ran, whatever came of them (A5)", () => {
    const progress = createProgress();
    for (const event of [ask("m1", "a"), answer("a"), ask("m2", "b")]) progress.note(event);
    expect(progress.tools).toEqual(["tool-a", "tool-b"]);
  });

  it("never is said to stand between two calls while a tool of the last one is open (A5)", () => {
    const events = fc.array(fc.tuple(fc.constantFrom("m1", "m2", "m3"), fc.constantFrom("a", "b", "c"), fc.boolean()));
    fc.assert(
      fc.property(events, (steps) => {
        const progress = createProgress();
        let open = new Set<string>();
        let last = "";
        for (const [message, id, isAnswer] of steps) {
          if (isAnswer) {
            progress.note(answer(id));
            open.delete(id);
            continue;
          }
          if (message !== last) open = new Set();
          last = message;
          progress.note(ask(message, id));
          progress.note(done(`${message}-${id}`, message));
          open.add(id);
        }
        const { is } = progress.standing;
        expect(is === "between-calls").toBe(last !== "" && open.size === 0);
      }),
    );
  });
});
