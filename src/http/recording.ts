// A response that several clients read: recorded once as it is made, replayed to each from its beginning and then as it goes on.

/** What is recorded. */
export interface Recording {
  readonly status: number;
  readonly headers: Headers;
  /** So far. */
  readonly bytes: number;
  /** Resolves when all of it is there. Never rejects: a body that broke off counts as ended there. */
  readonly ended: Promise<void>;
  /** The whole body, for one more reader. A reader that leaves disturbs nobody. */
  replay(): ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** Records a response. Its body is read to the end, however slowly its readers read. */
export function record(response: Response): Recording {
  const { status } = response;
  const headers = new Headers(response.headers);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  let hasEnded = false;
  let failure: unknown;
  let more = Promise.withResolvers<void>();

  async function read(): Promise<void> {
    try {
      for await (const chunk of response.body ?? []) {
        chunks.push(new Uint8Array(chunk));
        bytes += chunk.byteLength;
        more.resolve();
        more = Promise.withResolvers();
      }
    } catch (error) {
      failure = error; // Its readers are told.
    }
    hasEnded = true;
    more.resolve();
  }

  const ended = read();
  return {
    status,
    headers,
    ended,
    get bytes() {
      return bytes;
    },
    replay() {
      let next = 0;
      return new ReadableStream({
        async pull(controller) {
          while (next === chunks.length && !hasEnded) await more.promise;
          const chunk = chunks[next];
          if (chunk !== undefined) {
            next += 1;
            controller.enqueue(chunk);
          } else if (failure === undefined) controller.close();
          else controller.error(failure);
        },
      });
    },
  };
}
