import { expect, it } from "vitest";
import { closeAll } from "../../src/server/closing.ts";

it("a part that can't be closed keeps none of those after it open, and is logged without its words", async () => {
  const closed: string[] = [];
  const logged: object[] = [];
  const part = (name: string, close = () => Promise.resolve()) => ({
    name,
    close: () => closed.push(name) && close(),
  });
  await closeAll(
    [part("runs", () => Promise.reject(new TypeError("marked words"))), part("processes"), part("cluster")],
    { error: (fields: object) => void logged.push(fields) },
  );
  expect(closed).toEqual(["runs", "processes", "cluster"]);
  expect(logged).toEqual([{ part: "runs", reason: "TypeError" }]);
});
