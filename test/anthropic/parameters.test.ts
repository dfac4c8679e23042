// The table of parameters knows every one that Anthropic's SDK does, beta ones included, and no other but our own.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";
import { describe, expect, it } from "vitest";
import { harmlessValues, parameters } from "../../src/anthropic/parameters.ts";

/** The fields of an interface in a file of the SDK's type declarations. */
function fieldsOf(module: string, name: string): string[] {
  const file = fileURLToPath(import.meta.resolve(module)).replace(/\.m?js$/, ".d.ts");
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

const stable = fieldsOf("@anthropic-ai/sdk/resources/messages/messages", "MessageCreateParamsBase");
const beta = fieldsOf("@anthropic-ai/sdk/resources/beta/messages/messages", "MessageCreateParamsBase");

describe("the table of parameters", () => {
  it("names every parameter of Anthropic's, and session_id, each once (B7)", () => {
    expect(stable.length).toBeGreaterThan(15);
    // `betas` goes into a header; of sampling the SDK's types say no more, though older models take it.
    const named = [...stable, ...beta.filter((name) => name !== "betas"), "temperature", "top_p", "top_k"];
    const names = new Set([...named, "session_id"]);
    expect(parameters.map(({ name }) => name).toSorted()).toEqual([...names].toSorted());
  });

  it("says why where it refuses, and knows harmless values of refused ones alone (B7)", () => {
    const refused = parameters.filter(({ fate }) => fate === "refused");
    expect(refused.filter(({ note }) => note === "")).toEqual([]);
    const names = refused.map(({ name }) => name);
    expect(Object.keys(harmlessValues).filter((name) => !names.includes(name))).toEqual([]);
  });
});
