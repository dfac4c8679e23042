// What a request goes on from: the chain of stored responses before it, and items that it refers to. Of one client's own alone.
import { CcapiError } from "../auth/errors.ts";
import type { PlacedItem } from "../openai/responses/conversation.ts";
import { responseIdPattern } from "../openai/responses/items.ts";
import type { ResponseRequest } from "../openai/responses/request.ts";
import { followReferences, itemsOf, referencedResponses, toInputItems } from "../openai/responses/stored.ts";
import type { ResponseStore, StoredResponse } from "../turn/responses.ts";

/** A conversation of more responses is begun anew by its client. */
const maxChain = 1_000;

/** What a request goes on from, and its own items with references followed. */
export interface Past {
  readonly past: readonly PlacedItem[];
  readonly input: readonly PlacedItem[];
}

/**
 * Loads it. All that is used is kept for another while.
 *
 * @throws CcapiError `previous_response_not_found`
 */
export async function loadPast(body: ResponseRequest, clientName: string, store: ResponseStore): Promise<Past> {
  const chain = await loadChain(body.previous_response_id, clientName, store);
  const items = toInputItems(body);
  const referred: StoredResponse[] = [];
  for (const id of referencedResponses(items)) {
    const record = chain.find((each) => each.id === id) ?? (await store.get(clientName, id));
    if (record !== undefined) referred.push(record);
  }
  await store.touch(
    clientName,
    [...chain, ...referred].map(({ id }) => id),
  );
  return {
    past: chain.flatMap(itemsOf).map((item) => ({ item, at: "previous_response_id" })),
    input: followReferences(items, referred),
  };
}

async function loadChain(
  lastId: string | null | undefined,
  clientName: string,
  store: ResponseStore,
): Promise<StoredResponse[]> {
  const chain: StoredResponse[] = [];
  for (let id = lastId ?? undefined; id !== undefined; id = chain[0]?.previousId) {
    const record = responseIdPattern.test(id) ? await store.get(clientName, id) : undefined;
    if (record === undefined) {
      const message =
        chain.length === 0
          ? "The previous response was not found: it was deleted, it has expired, or it was never stored."
          : "A response before the previous one is gone: the conversation can't be put together any more.";
      throw new CcapiError("previous_response_not_found", message, { param: "previous_response_id" });
    }
    if (chain.length === maxChain) {
      throw new CcapiError("invalid_request", `A conversation may have at most ${maxChain} stored responses.`, {
        param: "previous_response_id",
      });
    }
    chain.unshift(record);
  }
  return chain;
}
