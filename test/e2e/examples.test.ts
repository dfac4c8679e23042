// The examples are programs: each runs by itself, does what it shows, and ends. So does the measurement of the auth check.
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { secretManagerStrategy } from "../../examples/secret-manager-strategy.ts";
import { strategyContract } from "../auth/strategy-contract.ts";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readFile } from "node:fs/promises";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));

/** Runs a program with an environment of its own. Rejects where its exit code is not 0. */
async function runProgram(path: string): Promise<string> {
  const { stdout } = await run(process.execPath, [root + path], { env: {}, timeout: 30_000 });
  return stdout;
}

const endings: Readonly<Record<string, string>> = {
  "self-healing.ts": "answered to token-2\nisAuthenticated: true\n",
  "self-healing-agent.ts": "One.\nTwo.\nBoth have run, each of them once.\ncalls turned down: true\n",
  "secret-manager-strategy.ts": "answered\nrefreshes: 1\n",
};

describe("an example", () => {
  it.each(readdirSync(`${root}examples`).filter((name) => name in endings))(
    "%s runs, does its work and ends (F)",
    async (name) => {
      const printed = (await runProgram(`examples/${name}`)).split("\n").filter((line) => !line.startsWith("- "));
      expect(printed.join("\n")).toBe(endings[name]);
    },
  );

  it("of a self-healing operation is at most 30 lines, without HTTP and SDK (F)", async () => {
    const text = await readFile(`${root}examples/self-healing.ts`, "utf8");
    expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(30);
    expect(text.match(/from "(.+?)"/g)).toEqual(['from "../src/index.ts"', 'from "ccapi"']);
  });
});

it("the example of a self-healing agent is at most 40 lines, on the SDK's own arguments (F)", async () => {
  const source = await readFile(`${root}examples/self-healing-agent.ts`, "utf8");
  expect(source.trimEnd().split("\n").length).toBeLessThanOrEqual(40);
  expect(source).toContain("query({ prompt:");
});

/** A secret manager on loopback. */
async function vault(answer: (respond: (status: number, body: string) => void) => void) {
  const server = createServer((_request, response) =>
    answer((status, body) => void response.writeHead(status).end(body)),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // It listens on a port, not on a pipe.
  const secret = "made-up-secret-0001";
  return {
    strategy: secretManagerStrategy({
      url: `http://127.0.0.1:${port}/`,
      accessToken: "made-up",
      current: () => "old",
      use: () => undefined,
    }),
    secret,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

strategyContract("secret-manager of the examples", {
  works: () => vault((respond) => respond(200, '{"secret":"made-up-secret-0001"}')),
  fails: () => vault((respond) => respond(403, "made-up-secret-0001 is not for you")),
  hangs: () => vault(() => undefined),
});

describe("the auth check of a healthy request", () => {
  it("costs less than 5 µs, and says so (G7)", async () => {
    expect(await runProgram("bench/auth-gate.ts")).toMatch(/^auth check of a healthy request: [0-4]\.\d{3} µs/);
  });
});
