// The table of parameters knows every one that OpenAI's SDK does, and no other but our own.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";
import { describe, expect, it } from "vitest";
import { harmlessValues, parameters } from "../../../src/openai/chat/parameters.ts";

/** The fields of an interface in a file of type declarations. */
function fieldsOf(file: string, name: string): string[] {
  const { program } = parseSync(file, readFileSync(file, "utf8"));
  for (const statement of program.body) {
    const declared = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (declared?.type !== "TSInterfaceDeclaration" || declared.id.name !== name) continue;
    return declared.body.body.flatMap((member) =>
      member.type === "TSPropertySignature" && member.key.type === "Identifier" ? [member.key.name] : [],
    );
  }
  throw new Error(`${file} has no interface ${name}.`);
}

const sdk = fileURLToPath(import.meta.resolve("openai/resources/chat/completions/completions")).replace(
  /\.m?js$/,
  ".d.ts",
);
const openaiNames = fieldsOf(sdk, "ChatCompletionCreateParamsBase");

describe("the table of parameters", () => {
  it("names every parameter of OpenAI's, and session_id, each once (B1)", () => {
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
