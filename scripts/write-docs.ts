// Writes the generated parts of the documents: the settings table from src/config/settings.ts, the parameter tables from
// each API's parameters.ts and src/anthropic/parameters.ts, the recovery table from test/matrix/cells.ts. With --check nothing is written, and a difference is a failure.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { flagName, groups, type Setting, settings } from "../src/config/settings.ts";
import * as messages from "../src/anthropic/parameters.ts";
import * as chat from "../src/openai/chat/parameters.ts";
import * as responses from "../src/openai/responses/parameters.ts";
import { credentials, type Ending, endingOf, isPossible, mendings, moments } from "../test/matrix/cells.ts";

interface Part {
  readonly file: string;
  readonly name: string;
  readonly text: string;
}

/** Every generated part, with the text that it should have. */
export function generatedParts(): Part[] {
  return [
    { file: "docs/configuration.md", name: "settings", text: settingsTable() },
    { file: "docs/api.md", name: "chat-parameters", text: parameterTable(chat.parameters) },
    { file: "docs/api.md", name: "responses-parameters", text: parameterTable(responses.parameters) },
    { file: "docs/api.md", name: "responses-tools", text: toolTable() },
    { file: "docs/api.md", name: "messages-parameters", text: parameterTable(messages.parameters) },
    { file: "docs/recovery.md", name: "cells", text: recoveryTable() },
  ];
}

/** A document with one of its parts replaced. @throws Error where its markers are missing. */
export function withPart(document: string, { file, name, text }: Part): string {
  const [begin, end] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`];
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no part "${name}".`);
  return `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`;
}

function settingsTable(): string {
  const all: Setting<unknown>[] = Object.values(settings);
  return groups
    .map((group) => {
      const rows = all
        .filter((setting) => setting.group === group)
        .map((setting) => {
          const fallback = setting.fallbackText ?? `\`${String(setting.fallback)}\``;
          const variable = setting.isFlagOnly === true ? "–" : `\`${setting.variable}\``;
          return `| ${variable} | \`--${flagName(setting)}\` | ${fallback} | ${setting.kind.range} | ${setting.help} |`;
        });
      return `### ${group}\n\n| variable | flag | default | allowed | what it is |\n| --- | --- | --- | --- | --- |\n${rows.join("\n")}`;
    })
    .join("\n\n");
}

function parameterTable(parameters: typeof messages.parameters): string {
  const rows = parameters.map(({ name, fate, note }) => `| \`${name}\` | ${fate} | ${note} |`);
  return `| parameter | fate | note |\n| --- | --- | --- |\n${rows.join("\n")}`;
}

function toolTable(): string {
  const rows = responses.toolKinds.map(({ type, fate, note }) => `| \`${type}\` | ${fate} | ${note} |`);
  return ["| kind | fate | note |", "| --- | --- | --- |", "| `function` | used | |", ...rows].join("\n");
}

/** A row for each moment and way of keeping the credential, a column for each mending. Where it matters how the client gets its answer, or whose tools run, each ending. */
function recoveryTable(): string {
  const rows = moments.flatMap((moment) =>
    credentials.map((credential) => {
      const endings = mendings.map((mended) => {
        const streamed = inWords(endingOf({ client: "stream", moment, credential, mended }));
        const whole = inWords(endingOf({ client: "whole answer", moment, credential, mended }));
        const run = streamed === whole ? streamed : `a whole answer: ${whole}; a stream: ${streamed}`;
        const client = "chat with client tools";
        const tools = isPossible({ client, moment })
          ? inWords(endingOf({ client, moment, credential, mended }))
          : whole;
        return tools === whole ? run : `${run}; with a client's tools: ${tools}`;
      });
      return `| ${[moment, credential, ...endings].join(" | ")} |`;
    }),
  );
  const heads = ["it dies", "kept as", ...mendings.map((mended) => `mended ${mended}`)];
  return [`| ${heads.join(" | ")} |`, `| ${heads.map(() => "---").join(" | ")} |`, ...rows].join("\n");
}

function inWords(ending: Ending): string {
  if (ending.is === "carried on") return "carried on";
  return `${ending.is === "either" ? "carried on, or " : ""}\`${ending.code}\`: ${ending.why}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const isCheck = process.argv.includes("--check");
  for (const part of generatedParts()) {
    const path = fileURLToPath(new URL(`../${part.file}`, import.meta.url));
    const before = readFileSync(path, "utf8");
    const after = withPart(before, part);
    if (after === before) continue;
    if (!isCheck) writeFileSync(path, after);
    else {
      console.error(`${part.file} is behind the code: run npm run docs`);
      process.exitCode = 1;
    }
  }
}
