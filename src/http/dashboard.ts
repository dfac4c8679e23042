// The dashboard's paths: the page at /, its files, and what it asks for below /dashboard. Nothing here is part of the API.
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { CcapiError } from "../auth/errors.ts";
import { loadAssets, pagePolicy } from "../dashboard/assets.ts";
import type { History } from "../observe/history.ts";
import { chatRequest } from "../openai/chat/request.ts";
import type { AnswerPorts } from "./answer.ts";
import type { AppEnv } from "./app-env.ts";
import { authHandlers } from "./auth.ts";
import { chatCompletions } from "./chat-completions.ts";
import { createEntrance, ownPageOnly } from "./dashboard/entrance.ts";
import { liveEvents } from "./dashboard/live.ts";
import { readJson } from "./dashboard/json-body.ts";
import { overviewHandlers, type OverviewPorts } from "./dashboard/overview.ts";
import { createSeats } from "./dashboard/seats.ts";
import type { RateCounter } from "./rate-counter.ts";
import { acceptWhile, jsonOnly, rateLimit } from "./guards.ts";
import type { Keyring } from "./keyring.ts";
import { toInvalidRequest } from "./validation.ts";

/** What it needs. */
export interface DashboardPorts extends OverviewPorts, AnswerPorts {
  readonly keyring: Keyring;
  readonly history: History;
  readonly isServing: () => boolean;
  readonly rates: RateCounter;
  readonly limits: { readonly maxBodyBytes: number; readonly requestsPerMinutePerKey: number | undefined };
}

const maxLoginBytes = 4_096;

/** Adds the paths to the app. */
export function addDashboard(app: OpenAPIHono<AppEnv>, ports: DashboardPorts): void {
  const assets = loadAssets();
  const seats = createSeats(ports.now);
  const { logIn, logOut, seated, seatOf } = createEntrance({ keyring: ports.keyring, seats });
  const overview = overviewHandlers(ports);
  const live = liveEvents(ports.history, ports.timing.heartbeatMs);
  const auth = authHandlers(ports);
  const chat = chatCompletions(ports);

  function asset(context: Context<AppEnv>, name: string): Response | Promise<Response> {
    const found = assets.get(name);
    if (found === undefined) return context.notFound();
    const headers = { etag: found.etag, "cache-control": "no-cache" };
    if (context.req.header("if-none-match") === found.etag) return context.body(null, 304, headers);
    return context.body(found.body, 200, {
      ...headers,
      "content-type": found.type,
      "content-security-policy": pagePolicy,
    });
  }

  app.get("/", (context) =>
    // Claude Code asks so, without a key, whether the server is there.
    context.req.method === "HEAD" ? context.body(null, 200) : asset(context, "index.html"),
  );
  app.use("/dashboard/*", ownPageOnly);
  app.on("POST", ["/dashboard/login"], ...jsonOnly(maxLoginBytes), logIn);
  app.post("/dashboard/logout", logOut);
  app.get("/dashboard/files/:name", (context) => asset(context, context.req.param("name")));

  app.use("/dashboard/*", seated);
  app.get("/dashboard/overview", overview.overview);
  app.get("/dashboard/sessions", overview.sessions);
  app.delete("/dashboard/sessions", overview.endSession);
  app.post("/dashboard/refresh", (context) => auth.refresh(context));
  app.get("/dashboard/events", (context) => {
    const seat = seatOf(context);
    if (seat === undefined) throw new CcapiError("invalid_api_key", "Log in to the dashboard with an admin key.");
    return live(context, seat, () => ports.isServing() && seatOf(context) !== undefined);
  });
  app.on(
    "POST",
    ["/dashboard/chat"],
    acceptWhile(ports.isServing),
    rateLimit(ports.limits.requestsPerMinutePerKey, ports.rates),
    ...jsonOnly(ports.limits.maxBodyBytes),
    async (context) => {
      const body = chatRequest.safeParse(await readJson(context));
      if (!body.success) throw toInvalidRequest(body.error.issues);
      return chat(context, body.data);
    },
  );
}
