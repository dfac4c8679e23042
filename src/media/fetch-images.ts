// Puts images in the place of their URLs in a turn, before anything of the turn begins; or refuses them, where the operator has not
// allowed it.
import { CcapiError } from "../auth/errors.ts";
import { untilAborted } from "../auth/until-aborted.ts";
import type { ContentBlock, Turn } from "../turn/turn.ts";
import { type Downloaded, DownloadError } from "./download.ts";

/** Gives a turn all of whose images are there. @throws CcapiError where one can't be had. */
export type FetchImages = (turn: Turn, signal: AbortSignal) => Promise<Turn>;

/** What fetching takes. */
export interface FetchImagesPorts {
  /** Whether the operator has allowed it. */
  readonly isAllowed: boolean;
  readonly download: (url: string, signal: AbortSignal) => Promise<Downloaded>;
}

/** Images of one request. */
const maxImages = 20;
/** Of one request, all together. */
const maxBytes = 24 * 1024 * 1024;
/** Downloads at once, of all requests together; others wait. */
const maxAtOnce = 8;

/** Makes the fetching. */
export function createFetchImages({ isAllowed, download }: FetchImagesPorts): FetchImages {
  const take = createSlots(maxAtOnce);

  async function fetchAll(urls: readonly string[], signal: AbortSignal): Promise<Map<string, Downloaded>> {
    const failed = new AbortController(); // One that can't be had ends the others.
    const each = AbortSignal.any([signal, failed.signal]);
    const images = new Map<string, Downloaded>();
    let left = maxBytes;
    const fetchOne = async (url: string) => {
      const release = await take(each);
      try {
        const image = await download(url, each);
        left -= image.bytes.length;
        if (left < 0) throw new DownloadError(`the images together are larger than ${maxBytes / 1024 / 1024} MiB`);
        images.set(url, image);
      } catch (error) {
        failed.abort(error);
        throw error;
      } finally {
        release();
      }
    };
    await Promise.all(urls.map(fetchOne));
    return images;
  }

  return async (turn, signal) => {
    const urls = new Set<string>();
    const note = (block: ContentBlock) => {
      if (block.type === "image" && block.source.type === "url") urls.add(block.source.url);
      return block;
    };
    mapBlocks(turn, note);
    if (urls.size === 0) return turn;
    const details = { param: "messages", shouldRetry: false };
    if (!isAllowed) {
      throw new CcapiError(
        "unsupported_parameter",
        "Images by URL are not fetched here: send data URLs. The operator can allow it with CCAPI_FETCH_IMAGES.",
        details,
      );
    }
    if (urls.size > maxImages)
      throw new CcapiError("invalid_request", `At most ${maxImages} images by URL in a request.`, details);
    try {
      const images = await fetchAll([...urls], signal);
      return mapBlocks(turn, (block) => withImage(block, images));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof DownloadError)) throw error;
      throw new CcapiError("invalid_request", `An image can't be fetched: ${error.message}.`, details);
    }
  };
}

/** Of a session only what is new is looked at: its past is the server's own. */
function mapBlocks(turn: Turn, map: (block: ContentBlock) => ContentBlock): Turn {
  const from = turn.sessionId === undefined ? 0 : turn.messages.findLastIndex(({ role }) => role === "assistant") + 1;
  const inResult = (block: ContentBlock): ContentBlock =>
    block.type === "tool_result" && typeof block.content !== "string"
      ? { ...block, content: block.content.map(map) }
      : map(block);
  const messages = turn.messages.map((message, index) =>
    index < from ? message : { ...message, content: message.content.map(inResult) },
  );
  return { ...turn, messages };
}

function withImage(block: ContentBlock, images: ReadonlyMap<string, Downloaded>): ContentBlock {
  if (block.type !== "image" || block.source.type !== "url") return block;
  const image = images.get(block.source.url);
  if (image === undefined) return block;
  const data = image.bytes.toString("base64");
  return { type: "image", source: { type: "base64", media_type: image.mediaType, data } };
}

/** So many at once; the others wait in line. */
function createSlots(count: number): (signal: AbortSignal) => Promise<() => void> {
  let free = count;
  const waiting: (() => void)[] = [];
  const release = () => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return async (signal) => {
    signal.throwIfAborted();
    if (free > 0) free -= 1;
    else {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      try {
        await untilAborted(promise, signal);
      } catch (error) {
        const at = waiting.indexOf(resolve);
        if (at < 0) release(); // It was given the slot at that very moment.
        else waiting.splice(at, 1);
        throw error;
      }
    }
    return release;
  };
}
