// What is shipped for production, as far as it can be tried without a container engine or a system manager: linted, and its
// command line and environment run.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { validate } from "dockerfile-utils";
import { afterEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { chat, clientKey, makeHome, until } from "../helpers/server.ts";
import { root } from "../helpers/tracked-files.ts";

const dockerfile = readFileSync(join(root, "deploy/Dockerfile"), "utf8");
const unit = readFileSync(join(root, "deploy/systemd/ccapi.service"), "utf8");
const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;

let simulator: Simulator | undefined;
let home: string | undefined;
afterEach(async () => {
  await simulator?.close();
  if (home !== undefined) await rm(home, { recursive: true, force: true, maxRetries: 3 });
});

/** Runs the server as it is told to, in the folders of a test; resolves to its exit code after one answer and SIGTERM. */
async function answersOnce(args: readonly string[], environment: Readonly<Record<string, string>>, folder: string) {
  home = await makeHome();
  await mkdir(join(home, "state"), { mode: 0o700 });
  simulator = await startSimulator();
  const here = Object.entries(environment).map(([name, value]) => [name, value.replaceAll(folder, home ?? "")]);
  const child = spawn(process.execPath, [join(root, "bin/ccapi.js"), ...args], {
    env: {
      PATH: process.env["PATH"],
      ...Object.fromEntries(here),
      CCAPI_PORT: "0",
      CCAPI_API_KEYS: `client=${clientKey}`,
      ANTHROPIC_API_KEY: "sk-ant-test-0001",
      ANTHROPIC_BASE_URL: simulator.url,
      IS_SANDBOX: "1",
    } as Record<string, string>,
    cwd: home,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  try {
    await until("it listens", () => log.includes('"msg":"Listening"'), 30_000);
    const port = /"url":"http:\/\/[^"]*:(\d+)"/.exec(log)?.[1] ?? "";
    expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
    const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${clientKey}` },
      body: JSON.stringify(chat("Hello")),
    });
    expect(answer.status).toBe(200);
    await answer.text();
    return { port, log: () => log };
  } finally {
    child.kill("SIGTERM");
    expect((await exited)[0]).toBe(0);
  }
}

describe("the Dockerfile", () => {
  const instruction = (name: string) =>
    new RegExp(`^${name} ((?:.*\\\\\\n)*.*)$`, "gm").exec(dockerfile.slice(dockerfile.lastIndexOf("FROM ")))?.[1] ?? "";

  it("has no fault that a linter finds, and copies only what is there (D2)", () => {
    expect(validate(dockerfile)).toEqual([]);
    const copied = [...dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, names = ""]) => names.split(" "));
    expect(copied.length).toBeGreaterThan(5);
    const ignore = readFileSync(join(root, ".dockerignore"), "utf8").split("\n");
    for (const name of copied) {
      expect([name, existsSync(join(root, name)), ignore.includes(`!${name}`)]).toEqual([name, true, true]);
    }
  });

  it("ends by signals, runs as nobody special, and asks for no Claude process to be told healthy (B4, D2)", () => {
    expect(JSON.parse(instruction("ENTRYPOINT"))).toEqual(["tini", "--", "node", "/opt/ccapi/bin/ccapi.js"]);
    expect(instruction("USER")).toBe("ccapi");
    expect(instruction("HEALTHCHECK")).toContain("/health/live");
  });

  it("starts a server that answers with its environment, and ends with 0 (D2)", async () => {
    const pairs = instruction("ENV").replaceAll("\\\n", " ").trim().split(/\s+/);
    const environment = Object.fromEntries(pairs.map((pair) => pair.split("=") as [string, string]));
    expect(environment["CCAPI_HOST"]).toBe("0.0.0.0");
    const args = JSON.parse(instruction("CMD")) as string[];
    await answersOnce(args, { ...environment, CCAPI_HOST: "127.0.0.1", CCAPI_LOG_FORMAT: "json" }, "/var/lib/ccapi");
  });

  it("asks for health by a command that tells a living server from none (B4, D2)", async () => {
    const [command, ...args] = JSON.parse(/CMD (\[.*\])/.exec(instruction("HEALTHCHECK"))?.[1] ?? "[]") as string[];
    expect(command).toBe("node");
    const ask = async (port: number) => {
      const child = spawn(process.execPath, args, { env: { CCAPI_PORT: String(port) }, stdio: "ignore" });
      return (await once(child, "exit"))[0] as number | null;
    };
    const paths: string[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url ?? "");
      response.writeHead(paths.length === 1 ? 200 : 503).end();
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    expect([await ask(port), await ask(port)]).toEqual([0, 1]);
    expect(paths).toEqual(["/health/live", "/health/live"]);
    server.closeAllConnections();
    server.close();
    expect(await ask(port)).toBe(1);
  });
});

describe("the systemd unit", () => {
  const values = (name: string) =>
    [...unit.matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].map(([, value = ""]) => value);

  it.skipIf(!hasSystemd)("has no fault that systemd finds, and is hardened (D2)", async () => {
    home = await makeHome();
    await copyFile(join(root, "deploy/systemd/ccapi.service"), join(home, "ccapi.service"));
    const path = join(home, "ccapi.service");
    const verified = spawnSync("systemd-analyze", ["verify", path], { encoding: "utf8" });
    expect([verified.status, verified.stderr]).toEqual([0, ""]);
    const exposure = execFileSync("systemd-analyze", ["security", "--offline=true", path], { encoding: "utf8" });
    expect(Number(/Overall exposure level for \S+ (\d+\.\d+)/.exec(exposure)?.[1])).toBeLessThan(3);
  });

  it("starts a server that answers with its environment, and ends with 0 (D2)", async () => {
    const environment = Object.fromEntries(values("Environment").map((pair) => pair.split("=") as [string, string]));
    const [program, ...args] = (values("ExecStart")[0] ?? "").split(" ").slice(1);
    expect(program).toBe("ccapi");
    await answersOnce(args, environment, "/var/lib/ccapi");
  });
});
