// For every test file, by vitest's configuration: what `fetch` gets of a test server is watched, whoever calls it, and a test in
// which an answer was not true to its schema fails.
import { afterEach } from "vitest";
import { isWatched, takeFaults, watched } from "./watched-answers.ts";

const plainFetch = globalThis.fetch;

globalThis.fetch = async (input, init) => {
  const { origin, pathname } = new URL(input instanceof Request ? input.url : input);
  const response = await plainFetch(input, init);
  const method = init?.method ?? (input instanceof Request ? input.method : "GET");
  return isWatched(origin) ? watched(method, pathname, response) : response;
};

afterEach(() => {
  const faults = takeFaults();
  if (faults.length > 0) throw new Error(`Answers that are not true to their schema:\n${faults.join("\n")}`);
});
