// A client of a server under measurement.

/** What an answer was. */
export interface Asked {
  readonly status: number;
  /** State of the Claude credential, where the answer is an error about it. */
  readonly state: string | undefined;
  readonly ms: number;
}

/** Sends a request with a key. */
export function createRequest(url: string, key: string) {
  return (path: string, body?: unknown): Promise<Response> =>
    fetch(url + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
}

/** Asks for a completion, and takes the time. */
export function createAsk(url: string, key: string) {
  const request = createRequest(url, key);
  return async (text: string, model: string): Promise<Asked> => {
    const startedAt = performance.now();
    const response = await request("/v1/chat/completions", { model, messages: [{ role: "user", content: text }] });
    const body = (await response.json()) as { error?: { state?: string } };
    return { status: response.status, state: body.error?.state, ms: performance.now() - startedAt };
  };
}
