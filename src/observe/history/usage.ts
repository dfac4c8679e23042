// Tokens and cost of the last day, by the hour, the key and the model. Bounded: beyond so many rows of an hour all else is one row.
import type { Usage } from "../../turn/turn.ts";

const hourMs = 60 * 60_000;
const keptHours = 24;
const maxRowsOfHour = 100;
const rest = { client: "(others)", model: "(others)" };

/** What one key used of one model in one hour. */
export interface UsageRow {
  /** When the hour began, milliseconds since the epoch. */
  readonly atMs: number;
  readonly client: string;
  readonly model: string;
  readonly turns: number;
  /** All that the model read, from the cache too. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number;
}

/** The account. */
export interface UsageAccount {
  add(client: string, model: string, usage: Usage, costUsd: number): void;
  rows(): readonly UsageRow[];
}

/** Begins with nothing. `now`: milliseconds since the epoch. */
export function createUsageAccount(now: () => number): UsageAccount {
  const hours = new Map<number, Map<string, UsageRow>>();

  function present(): Map<string, UsageRow> {
    const atMs = Math.floor(now() / hourMs) * hourMs;
    const known = hours.get(atMs);
    if (known !== undefined) return known;
    const begun = new Map<string, UsageRow>();
    hours.set(atMs, begun);
    for (const each of hours.keys()) if (Math.abs(atMs - each) > keptHours * hourMs) hours.delete(each);
    return begun;
  }

  return {
    add(client, model, usage, costUsd) {
      const rows = present();
      const own = JSON.stringify([client, model]);
      const isRest = !rows.has(own) && rows.size >= maxRowsOfHour;
      const name = isRest ? "" : own;
      const before = rows.get(name);
      rows.set(name, {
        atMs: Math.floor(now() / hourMs) * hourMs,
        ...(isRest ? rest : { client, model }),
        turns: (before?.turns ?? 0) + 1,
        inputTokens: (before?.inputTokens ?? 0) + usage.inputTokens + usage.cacheReadTokens + usage.cacheCreationTokens,
        outputTokens: (before?.outputTokens ?? 0) + usage.outputTokens,
        costUsd: (before?.costUsd ?? 0) + costUsd,
      });
    },
    rows: () => [...hours.entries()].toSorted(([a], [b]) => a - b).flatMap(([, rows]) => [...rows.values()]),
  };
}
