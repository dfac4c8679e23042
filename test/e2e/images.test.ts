// Images and PDFs on the real Claude CLI: what of them reaches the model API.
import { crc32, deflateSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { filesBelow, startServer, type TestServer } from "../helpers/server.ts";
import { upstreamBodies } from "../helpers/upstream.ts";

let simulator: Simulator;
let server: TestServer;

beforeAll(async () => {
  simulator = await startSimulator();
  server = await startServer({ upstream: simulator.url });
});
afterAll(async () => {
  await server.stop();
  await simulator.close();
});

/** A black picture. */
function png(width: number, height: number): string {
  const chunk = (type: string, data: Buffer) => {
    const typed = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(typed));
    return Buffer.concat([length, typed, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 0, 0, 0, 0], 8);
  const rows = deflateSync(Buffer.alloc((width + 1) * height));
  const signature = Buffer.from("89504e470d0a1a0a", "hex");
  return Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", rows), chunk("IEND", Buffer.alloc(0))]).toString(
    "base64",
  );
}
const small = png(4, 4);
const pdf = Buffer.from("%PDF-1.4\n%%EOF\n").toString("base64");
const see = { type: "text", text: "What is it?" };
const picture = (data: string) => ({ type: "image_url", image_url: { url: `data:image/png;base64,${data}` } });

type Block = Readonly<Record<string, unknown>>;

async function ask(messages: readonly object[], more: object = {}): Promise<Response> {
  return server.post("/v1/chat/completions", { model: "sonnet", messages, ...more });
}

/** The blocks of the conversation that the model API got last. */
function sentBlocks(): Block[] {
  const { messages } = upstreamBodies(simulator).at(-1) ?? { messages: [] };
  return messages
    .filter(({ role }) => role !== "system")
    .flatMap(({ content }) => (typeof content === "string" ? [{ type: "text", text: content }] : [...content]))
    .filter((block) => !("text" in block && block.text?.startsWith("<system-reminder>")))
    .map((block): Block => {
      const { cache_control: _cached, ...sent } = { cache_control: undefined, ...block };
      return sent;
    });
}

const image = { type: "image", source: { type: "base64", media_type: "image/png", data: small } };

it.each([{}, { session_id: "pictures" }])(
  "an image reaches a chat's model as it was sent, in its place, and no word of this host with it: %j (B1, B2)",
  async (more) => {
    const messages = [{ role: "user", content: [see, picture(small), see] }];
    expect((await ask(messages, more)).status).toBe(200);
    expect(sentBlocks()).toEqual([see, image, see]);
    expect(await filesBelow(server.home, ".png")).toEqual([]);
    const next = [...messages, { role: "assistant", content: "Black." }, { role: "user", content: [picture(small)] }];
    expect((await ask(next, more)).status).toBe(200);
    expect(sentBlocks().filter(({ type }) => type === "image")).toEqual([image, image]);
    expect(JSON.stringify(sentBlocks())).not.toContain("[Image");
  },
);

it("an agent is also told where it finds the file (B1)", async () => {
  expect((await ask([{ role: "user", content: [picture(small), see] }], { model: "claude-code" })).status).toBe(200);
  const sent = sentBlocks();
  expect(sent[0]).toEqual(image);
  expect(JSON.stringify(sent.slice(1))).toContain("[Image: source: ");
});

it("a large image is made smaller by Claude Code, which says so to the model (B1)", async () => {
  expect((await ask([{ role: "user", content: [see, picture(png(2_400, 1_200))] }])).status).toBe(200);
  const [, smaller, note] = sentBlocks();
  expect(smaller?.["type"]).toBe("image");
  expect(note?.["text"]).toMatch(/^\[Image: original 2400x1200, displayed at /);
});

it("a PDF reaches the model as a document (B1)", async () => {
  const file = { type: "file", file: { filename: "a.pdf", file_data: `data:application/pdf;base64,${pdf}` } };
  expect((await ask([{ role: "user", content: [see, file] }])).status).toBe(200);
  const source = { type: "base64", media_type: "application/pdf", data: pdf };
  expect(sentBlocks()).toEqual([see, { type: "document", source, title: "a.pdf" }]);
});

it("an image that a tool answered with reaches the model within its result (B1)", async () => {
  const call = { id: "call_1", type: "function", function: { name: "look", arguments: "{}" } };
  const messages = [
    { role: "user", content: "Look." },
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "call_1", content: [picture(small)] },
    { role: "assistant", content: "It is black." },
    { role: "user", content: "Sure?" },
  ];
  expect((await ask(messages)).status).toBe(200);
  expect(sentBlocks()).toContainEqual({
    type: "tool_result",
    tool_use_id: "call_1",
    content: [image],
  });
});

it("what is no image, or lies elsewhere, is refused before anything is asked (B1, C4)", async () => {
  const before = upstreamBodies(simulator).length;
  const broken = await ask([{ role: "user", content: [picture("AAAA")] }]);
  expect(broken.status).toBe(400);
  expect(await broken.json()).toMatchObject({ error: { param: "messages[0].content[0].image_url.url" } });
  const elsewhere = await ask([
    { role: "user", content: [{ type: "image_url", image_url: { url: "https://127.0.0.1/a.png" } }] },
  ]);
  expect(elsewhere.status).toBe(400);
  expect(await elsewhere.json()).toMatchObject({ error: { code: "unsupported_parameter" } });
  expect(upstreamBodies(simulator)).toHaveLength(before);
});

it("an image on this host is not fetched, though the operator lets images be fetched (C4)", async () => {
  await using fetching = await startServer({ upstream: simulator.url, environment: { CCAPI_FETCH_IMAGES: "1" } });
  const content = [{ type: "image_url", image_url: { url: "https://localhost:1/a.png" } }];
  const response = await fetching.post("/v1/chat/completions", {
    model: "sonnet",
    messages: [{ role: "user", content }],
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: { code: "invalid_request", message: expect.stringContaining("public internet") },
  });
});
