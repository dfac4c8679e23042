// GET /v1/sessions, GET and DELETE /v1/sessions/:id: a client's own sessions, and nobody else's.
import type { Context } from "hono";
import { CcapiError } from "../auth/errors.ts";
import type { SessionCare } from "../turn/session-care.ts";
import type { SessionRecord } from "../turn/sessions.ts";
import type { Client } from "../turn/turn.ts";
import type { AppEnv } from "./app-env.ts";
import { toTimestamp } from "./timestamp.ts";

/** What these routes need. */
export interface SessionPorts {
  readonly sessions: Pick<SessionCare, "list" | "get" | "delete">;
  readonly sessionTtlMs: number;
}

/** Makes the handlers. */
export function sessionHandlers({ sessions, sessionTtlMs }: SessionPorts) {
  const toObject = (record: SessionRecord) => ({
    id: record.id,
    object: "session",
    model: record.model,
    turns: record.turns,
    cost_usd: Number(record.costUsd.toFixed(6)),
    created_at: toTimestamp(record.createdAtMs),
    last_used_at: toTimestamp(record.lastUsedAtMs),
    expires_at: toTimestamp(record.lastUsedAtMs + sessionTtlMs),
  });
  return {
    list: async (context: Context<AppEnv>) =>
      context.json({ object: "list", data: (await sessions.list(owner(context))).map(toObject) }),
    get: async (context: Context<AppEnv>, id: string) => context.json(toObject(await sessions.get(owner(context), id))),
    delete: async (context: Context<AppEnv>, id: string) => {
      await sessions.delete(owner(context), id);
      return context.json({ id, object: "session.deleted", deleted: true });
    },
  };
}

function owner(context: Context<AppEnv>): Client {
  if (context.var.client !== undefined) return context.var.client;
  throw new CcapiError("invalid_api_key", "No API key was given."); // The routes demand one.
}
