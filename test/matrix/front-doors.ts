// How the clients of the two other APIs ask in the matrix: one streamed run, from the question to its text or its error. That every
// event is whole and at its place is looked at by test/helpers/watch.ts.
import type { TestServer } from "../helpers/server.ts";
import { question } from "./scripts.ts";

/** What a client has got. */
interface Got {
  readonly text: string;
  readonly error: string | undefined;
}

interface Frame {
  readonly type: string;
  readonly index?: number;
  readonly item_id?: string;
  readonly content_index?: number;
  readonly delta?: string | { readonly type: string; readonly text?: string };
  readonly error?: { readonly code?: string };
  readonly code?: string;
}

/** By `POST /v1/messages`. */
export async function askByMessages(server: TestServer): Promise<Got> {
  const messages = [{ role: "user", content: question }];
  const body = { model: "claude-code", max_tokens: 8_000, stream: true, thinking: { type: "adaptive" }, messages };
  const frames = await framesOf(await server.post("/v1/messages", body));
  return {
    text: inBlocks(frames, ({ type, index, delta }) =>
      type === "content_block_delta" && typeof delta === "object" && delta.type === "text_delta"
        ? { block: String(index), text: delta.text ?? "" }
        : undefined,
    ),
    error: errorOf(frames, "message_stop"),
  };
}

/** By `POST /v1/responses`. */
export async function askByResponses(server: TestServer): Promise<Got> {
  const frames = await framesOf(
    await server.post("/v1/responses", { model: "claude-code", stream: true, store: false, input: question }),
  );
  return {
    text: inBlocks(frames, ({ type, item_id, content_index, delta }) =>
      type === "response.output_text.delta" && typeof delta === "string"
        ? { block: `${item_id} ${content_index}`, text: delta }
        : undefined,
    ),
    error: errorOf(frames, "response.completed"),
  };
}

/** A failure before the first word has a body of its own. */
async function framesOf(response: Response): Promise<Frame[]> {
  const text = await response.text();
  if (!response.ok) return [JSON.parse(text) as Frame];
  return text
    .split("\n\n")
    .filter((block) => block.startsWith("event: "))
    .map((block) => JSON.parse(block.slice(block.indexOf("data: ") + "data: ".length)) as Frame);
}

function inBlocks(
  frames: readonly Frame[],
  read: (frame: Frame) => { block: string; text: string } | undefined,
): string {
  const blocks = new Map<string, string>();
  for (const said of frames.map((frame) => read(frame))) {
    if (said !== undefined) blocks.set(said.block, (blocks.get(said.block) ?? "") + said.text);
  }
  return [...blocks.values()].join("\n\n");
}

function errorOf(frames: readonly Frame[], end: string): string | undefined {
  const failed = frames.find(({ type, error }) => type === "error" || error !== undefined);
  const ends = frames.filter(({ type }) => type === end).length;
  if (ends !== (failed === undefined ? 1 : 0)) throw new Error(`${ends} times ${end}, error: ${failed?.type}`);
  return failed === undefined ? undefined : (failed.error?.code ?? failed.code);
}
