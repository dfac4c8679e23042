// What the dashboard's page is told when it asks: the state of the credential, the last day in numbers, every client's sessions.
import type { Context } from "hono";
import type { History } from "../../observe/history.ts";
import type { SessionCare } from "../../turn/session-care.ts";
import { listedModels } from "../../names/models.ts";
import { version } from "../../version.ts";
import type { AppEnv } from "../app-env.ts";
import { type AuthPorts, toDetails } from "../auth.ts";

/** Sessions that are shown. */
const maxSessions = 500;

/** What it is told from. */
export interface OverviewPorts extends AuthPorts {
  readonly history: Pick<History, "snapshot">;
  readonly allSessions: Pick<SessionCare, "overview" | "delete">;
  readonly modelAliases: ReadonlyMap<string, string>;
}

/** Makes the handlers. Times are milliseconds since the epoch, but for those in `authentication`, which are as in GET /health/auth. */
export function overviewHandlers({ history, allSessions, modelAliases, auth, now }: OverviewPorts) {
  return {
    overview: (context: Context<AppEnv>) =>
      context.json({
        version,
        nowMs: now(),
        user: context.var.client?.name,
        authentication: toDetails(auth.status()),
        models: listedModels(modelAliases),
        ...history.snapshot(),
      }),
    sessions: async (context: Context<AppEnv>) =>
      context.json({
        nowMs: now(),
        sessions: (await allSessions.overview(maxSessions)).map(({ record, process }) => ({
          client: record.clientName,
          id: record.id,
          profile: record.profile,
          model: record.model,
          turns: record.turns,
          costUsd: record.costUsd,
          createdAtMs: record.createdAtMs,
          lastUsedAtMs: record.lastUsedAtMs,
          process,
        })),
      }),
    /** Both names come as query parameters: an id may hold a dot segment, which no path would keep. */
    endSession: async (context: Context<AppEnv>) => {
      const { client = "", id = "" } = context.req.query();
      await allSessions.delete({ name: client, isAdmin: false }, id);
      return context.body(null, 204);
    },
  };
}
