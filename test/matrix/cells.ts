// The recovery matrix: where a credential can die, who asks, how it is kept, when it is mended; and how each case has to end.
// docs/recovery.md is generated from it, matrix.test.ts proves it on the real CLI.

export const clients = [
  "whole answer",
  "stream",
  "session, turn 2",
  "agent() library",
  "chat with client tools",
  "messages API, stream",
  "responses API, stream",
] as const;
export const moments = [
  "before the first byte",
  "after thinking",
  "after text, before a tool",
  "after tool 1 of 3",
  "between parallel tools",
  "after the last tool",
  "during a subagent",
  "on resume",
  "in the middle of a text",
] as const;
export const credentials = ["key in a file", "apiKeyHelper", "stored login"] as const;
export const mendings = ["at once", "after 5 s", "never"] as const;

/** One case. */
export interface Cell {
  readonly client: (typeof clients)[number];
  readonly moment: (typeof moments)[number];
  readonly credential: (typeof credentials)[number];
  readonly mended: (typeof mendings)[number];
}

type ErrorCode = "upstream_auth_unavailable" | "upstream_auth_failed_after_side_effects";

/** How a case ends: as if nothing had happened, or in this error. */
export type Ending =
  | { readonly is: "carried on" }
  /** Carried on, or this error: it depends on whether the request served as a proof meanwhile. */
  | { readonly is: "either"; readonly code: ErrorCode; readonly why: string }
  | {
      readonly is: "error";
      readonly code: ErrorCode;
      readonly why: string;
    };

/** Every case. */
export function allCells(): Cell[] {
  const all = clients.flatMap((client) =>
    moments.flatMap((moment) =>
      credentials.flatMap((credential) => mendings.map((mended) => ({ client, moment, credential, mended }))),
    ),
  );
  return all.filter(isPossible);
}

/** A chat has no subagents. */
export function isPossible({ client, moment }: Pick<Cell, "client" | "moment">): boolean {
  return client !== "chat with client tools" || moment !== "during a subagent";
}

/** How a case has to end. */
export function endingOf({ client, moment, credential, mended }: Cell): Ending {
  // Who gets whole answers or messages has seen nothing of a text that broke off.
  if (moment === "in the middle of a text" && client.endsWith("stream")) {
    return {
      is: "error",
      code: "upstream_auth_failed_after_side_effects",
      why: "another answer would not begin with the words that were sent",
    };
  }
  if (moment === "during a subagent" && credential === "key in a file") {
    return {
      is: "error",
      code: "upstream_auth_failed_after_side_effects",
      why: "a process keeps the key that it was started with, and a subagent can't be carried over to another",
    };
  }
  if (moment === "during a subagent" && credential === "stored login" && mended === "after 5 s") {
    return {
      is: "error",
      code: "upstream_auth_failed_after_side_effects",
      why: "with a stored login Claude Code asks twice more within some 2 s, and gives the subagent up",
    };
  }
  if (moment === "on resume" && mended === "after 5 s") {
    return {
      is: "either",
      // What a client's own tools did is no work of the request that brings their results.
      code:
        client === "chat with client tools" ? "upstream_auth_unavailable" : "upstream_auth_failed_after_side_effects",
      why: "a request is carried over twice at most, and where it was the one that told that the old credential was still dead, that was once",
    };
  }
  if (mended === "never") {
    const isUntouched = moment === "before the first byte" || client === "chat with client tools";
    const code = isUntouched ? "upstream_auth_unavailable" : "upstream_auth_failed_after_side_effects";
    const why = "nobody renews the credential";
    return { is: "error", code, why };
  }
  return { is: "carried on" };
}

/** A few cases in which every pair of values of two axes occurs; always the same. */
export function pairwiseCells(): Cell[] {
  const all = allCells();
  const open = new Set(all.flatMap(pairsOf));
  const chosen: Cell[] = [];
  while (open.size > 0) {
    let best: { readonly cell: Cell; readonly news: string[] } | undefined;
    for (const cell of all) {
      const news = pairsOf(cell).filter((pair) => open.has(pair));
      if (news.length > (best?.news.length ?? 0)) best = { cell, news };
    }
    if (best === undefined) break;
    for (const pair of best.news) open.delete(pair);
    chosen.push(best.cell);
  }
  return chosen;
}

function pairsOf(cell: Cell): string[] {
  const values = Object.entries(cell).map(([axis, value]) => `${axis}: ${value}`);
  return values.flatMap((first, index) => values.slice(index + 1).map((second) => `${first}, ${second}`));
}
