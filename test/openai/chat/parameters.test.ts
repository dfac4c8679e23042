// The table of parameters knows every one that OpenAI's document has, and no other but our own.
import { describe, expect, it } from "vitest";
import { harmlessValues, parameters } from "../../../src/openai/chat/parameters.ts";
import { requestFields } from "../../helpers/openai-schema.ts";

describe("the table of parameters", () => {
  it("names every parameter of OpenAI's, and session_id, each once (B1)", () => {
    const openaiNames = requestFields("CreateChatCompletionRequest");
    expect(openaiNames.length).toBeGreaterThan(30);
    expect(parameters.map(({ name }) => name).toSorted()).toEqual([...openaiNames, "session_id"].toSorted());
  });

  it("says why where it refuses, and knows harmless values of refused ones alone (B1)", () => {
    const refused = parameters.filter(({ fate }) => fate === "refused");
    expect(refused.filter(({ note }) => note === "")).toEqual([]);
    const names = refused.map(({ name }) => name);
    expect(Object.keys(harmlessValues).filter((name) => !names.includes(name))).toEqual([]);
  });
});
