// Alerts of a real server whose credential dies and is mended: by webhook and by a program.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { chat, makeHome, startServer, type TestServer, until } from "../helpers/server.ts";

const good = "sk-ant-test-good-0001";
const dead = "sk-ant-test-dead-0001";
const secret = "a made-up secret of the tests";

interface Told {
  readonly incident: string;
  readonly kind: string;
  readonly status: string;
  readonly action: string | null;
}

let simulator: Simulator;
let server: TestServer | undefined;
let receiver: Server;
let told: { readonly headers: Record<string, string>; readonly body: string }[];
beforeEach(async () => {
  simulator = await startSimulator({ credentials: [{ value: good, name: "good" }] });
  told = [];
  receiver = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      told.push({ headers: request.headers as Record<string, string>, body });
      // The first attempt of all fails: it has to be made again.
      response.writeHead(told.length === 1 ? 503 : 204).end();
    });
  });
  await new Promise<void>((resolve) => void receiver.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  receiver.closeAllConnections();
  receiver.close();
  await simulator.close();
});

describe("an operator", () => {
  it("is told once that a person must act, by webhook and by program, and once that it works again (A7, D2)", async () => {
    const home = await makeHome({ key: dead, "tell.sh": '#!/bin/sh\ncat >> "$HOME/told.jsonl"\n' });
    await chmod(join(home, "tell.sh"), 0o700);
    const { port } = receiver.address() as AddressInfo;
    server = await startServer({
      upstream: simulator.url,
      home,
      environment: {
        ANTHROPIC_API_KEY: undefined,
        ANTHROPIC_API_KEY_FILE: join(home, "key"),
        CCAPI_AUTH_COOLDOWN_MS: "100",
        CCAPI_AUTH_MAX_FAILURES: "1",
        CCAPI_ALERT_WEBHOOK_URL: `http://127.0.0.1:${port}/in?token=marked-token`,
        CCAPI_ALERT_WEBHOOK_SECRET: secret,
        CCAPI_ALERT_COMMAND: join(home, "tell.sh"),
      },
    });
    expect((await server.post("/v1/chat/completions", chat("Hello"))).status).toBe(503);
    const byProgram = async (): Promise<Told[]> => {
      const text = await readFile(join(home, "told.jsonl"), "utf8").catch(() => "");
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Told);
    };
    await until("the program is told", async () => (await byProgram()).length > 0, 30_000);
    await until("the webhook is told at its second attempt", () => told.length >= 2, 30_000);

    await writeFile(join(home, "key"), good);
    const isOver = async () => (await byProgram()).some(({ status }) => status === "resolved");
    await until(
      "the program is told of the end",
      async () => {
        if (await isOver()) return true;
        await server?.post("/v1/chat/completions", chat("Hello"));
        return isOver();
      },
      60_000,
    );
    const accepted = () => told.slice(1).map(({ body }) => JSON.parse(body) as Told);
    await until("the webhook is told of the end", () => accepted().some(({ status }) => status === "resolved"), 30_000);

    const [begun] = await byProgram();
    expect(begun?.kind).toMatch(/^(?:locked_out|login_needed)$/);
    expect(begun?.action).toBeTruthy();
    // One notice for each beginning and each end: no pair of incident and status comes twice.
    for (const notices of [await byProgram(), accepted()]) {
      const names = notices.map(({ incident, status }) => `${incident} ${status}`);
      expect(new Set(names).size).toBe(names.length);
    }
    for (const { body, headers } of told) {
      const signed = new Webhook(Buffer.from(secret).toString("base64"));
      expect(signed.verify(body, headers)).toMatchObject({ type: "ccapi.alert" });
      expect(body).not.toContain(dead);
      expect(body).not.toContain(good);
    }
    expect(server.log()).not.toContain("marked-token");
  });
});
