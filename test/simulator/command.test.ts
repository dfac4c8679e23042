// `ccapi simulate` without its flags: what it starts and what it tells.
import { expect, it } from "vitest";
import { simulateCommand } from "../../src/simulator/command.ts";

it("tells how to point Claude at it and how to control it, never a credential (E1)", async () => {
  const lines: string[] = [];
  await using simulator = await simulateCommand({ port: 0, credentials: ["alice=MARKED-1", "MARKED-2"] }, (line) =>
    lines.push(line),
  );
  const text = lines.join("\n");
  expect(text).toContain(`ANTHROPIC_BASE_URL=${simulator.url}`);
  expect(text).toContain(`curl ${simulator.url}/_simulator/state`);
  expect(text).toContain("alice, key-2");
  expect(text).not.toContain("MARKED");
  const names = simulator.credentials.list().map(({ name }) => name);
  expect(names).toEqual(["alice", "key-2"]);
});

it("every curl line it prints works (E1)", async () => {
  const lines: string[] = [];
  await using simulator = await simulateCommand({ port: 0 }, (line) => lines.push(line));
  const commands = lines.map((line) => /^ {2}curl (\S+)(?: -d '(.*)')?$/.exec(line)).filter((match) => match !== null);
  expect(commands.length).toBeGreaterThan(5);
  for (const [, url = "", body] of commands) {
    const response = await fetch(url, body === undefined ? {} : { method: "POST", body });
    expect([url, response.status]).toEqual([url, 200]);
  }
  expect(simulator.credentials.list().length).toBeGreaterThan(0);
});

it("follows a script, and refuses one that it can't read (E1)", async () => {
  await using simulator = await simulateCommand({ port: 0, script: [{ atMs: 0, expire: "key-a" }] }, () => {});
  const response = await fetch(`${simulator.url}/v1/models`, { headers: { "x-api-key": "key-a" } });
  expect(response.status).toBe(401);
  await expect(simulateCommand({ port: 0, script: { expire: "a" } }, () => {})).rejects.toThrow(TypeError);
});
