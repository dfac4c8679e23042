// Every path of the server, and what a request passes on its way to it.
import { OpenAPIHono } from "@hono/zod-openapi";
import { cors } from "hono/cors";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { CcapiError } from "../auth/errors.ts";
import type { Logger } from "../observe/log.ts";
import { accessLog } from "./access-log.ts";
import type { AppEnv } from "./app-env.ts";
import { authHandlers, type AuthPorts } from "./auth.ts";
import { adminsOnly, clientsOnly, clientsOr, recognise } from "./authenticate.ts";
import { chatCompletions } from "./chat-completions.ts";
import { addDashboard, type DashboardPorts } from "./dashboard.ts";
import { anthropicRequestId } from "./dialect.ts";
import { docsHandlers } from "./docs.ts";
import { errorHandler, errorResponse } from "./errors.ts";
import { acceptWhile, jsonOnly, rateLimit } from "./guards.ts";
import { healthHandlers, type HealthPorts } from "./health.ts";
import { idempotency } from "./idempotency.ts";
import type { Keyring } from "./keyring.ts";
import { messageHandlers } from "./messages.ts";
import { countRequests, metricsHandler, type MetricsPorts } from "./metrics.ts";
import { modelHandlers } from "./models.ts";
import { makeRequestId } from "./request-id.ts";
import {
  authRoutes,
  chatRoute,
  docsRoutes,
  healthRoutes,
  messageRoutes,
  metricsRoute,
  modelRoutes,
  responseRoutes,
  sessionRoutes,
} from "./routes.ts";
import { responseHandlers, type ResponsePorts } from "./responses.ts";
import type { SharedRuns } from "./run-claims.ts";
import { sessionHandlers, type SessionPorts } from "./sessions.ts";
import { isPlainChat } from "./repeatable.ts";
import { toInvalidRequest } from "./validation.ts";

/** All that the app is made of. */
export interface AppPorts
  extends ResponsePorts, Omit<HealthPorts, "auth">, AuthPorts, SessionPorts, MetricsPorts, DashboardPorts {
  readonly log: Logger;
  readonly keyring: Keyring;
  readonly limits: { readonly maxBodyBytes: number; readonly requestsPerMinutePerKey: number | undefined };
  readonly corsOrigins: readonly string[];
  readonly metricsAllow: readonly string[];
  /** Requests with an Idempotency-Key that other servers know of. */
  readonly sharedRuns?: SharedRuns | undefined;
}

/** Makes the app. It listens to nothing: `app.request()` tries it without a port. */
export function createApp(ports: AppPorts) {
  const app = new OpenAPIHono<AppEnv>({
    defaultHook(result) {
      if (!result.success) throw toInvalidRequest(result.error.issues);
    },
  });

  app.onError(errorHandler(ports.log));
  app.notFound((context) =>
    errorResponse(
      new CcapiError(
        "not_found",
        "There is nothing at this path. GET /docs lists what there is; the base URL of OpenAI's clients ends in /v1.",
      ),
      context,
    ),
  );

  app.use(requestId({ limitLength: 128, generator: makeRequestId }));
  app.use(anthropicRequestId);
  app.use(accessLog(ports.log));
  app.use(countRequests(ports));
  // Whether a name is to be had by TLS alone is for the proxy before this server to say.
  app.use(secureHeaders({ strictTransportSecurity: false }));
  if (ports.corsOrigins.length > 0) {
    app.use(
      cors({
        // In a list, hono takes "*" for an origin of that name.
        origin: ports.corsOrigins.includes("*") ? "*" : [...ports.corsOrigins],
        exposeHeaders: [
          "x-request-id",
          "request-id",
          "x-session-id",
          "x-ignored-parameters",
          "x-token-count",
          "idempotency-replayed",
          "retry-after",
          "retry-after-ms",
          "x-should-retry",
        ],
      }),
    );
  }
  app.use(recognise(ports.keyring));
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (context, methods) => {
        context.header("allow", methods.join(", "));
        return errorResponse(new CcapiError("method_not_allowed", `This path takes ${methods.join(", ")}.`), context);
      },
    }),
  );
  app.use("/v1/*", clientsOnly);
  app.use("/health/auth/*", clientsOnly);
  app.use("/metrics", clientsOr(ports.metricsAllow));
  app.use("/health/auth/refresh", adminsOnly);

  const health = healthHandlers(ports);
  app.openapi(healthRoutes.health, (context) => health.health(context));
  app.openapi(healthRoutes.live, (context) => health.live(context));
  app.openapi(healthRoutes.ready, (context) => health.ready(context));

  app.openapi(metricsRoute, metricsHandler(ports));

  const auth = authHandlers(ports);
  app.openapi(authRoutes.status, (context) => auth.status(context));
  app.openapi(authRoutes.refresh, (context) => auth.refresh(context));

  const models = modelHandlers(ports);
  app.openapi(modelRoutes.list, (context) => models.list(context));
  app.openapi(modelRoutes.get, (context) => models.get(context, context.req.valid("param").id));
  // claude-code/opus, by clients that leave the slash as it is.
  app.get("/v1/models/:kind/:name", (context) =>
    models.get(context, `${context.req.param("kind")}/${context.req.param("name")}`),
  );

  const sessions = sessionHandlers(ports);
  app.openapi(sessionRoutes.list, (context) => sessions.list(context));
  app.openapi(sessionRoutes.get, (context) => sessions.get(context, context.req.valid("param").id));
  app.openapi(sessionRoutes.delete, (context) => sessions.delete(context, context.req.valid("param").id));

  const chat = chatCompletions(ports);
  app.on(
    "POST",
    [chatRoute.path, responseRoutes.create.path, messageRoutes.create.path, messageRoutes.countTokens.path],
    acceptWhile(ports.isServing),
    rateLimit(ports.limits.requestsPerMinutePerKey, ports.rates),
    ...jsonOnly(ports.limits.maxBodyBytes),
    idempotency({
      now: ports.now,
      shared: ports.sharedRuns,
      isRepeatable: (body) => isPlainChat(body, ports.modelAliases),
    }),
  );
  app.openapi(chatRoute, (context) => chat(context, context.req.valid("json")));

  const responses = responseHandlers(ports);
  app.openapi(responseRoutes.create, (context) => responses.create(context, context.req.valid("json")));
  app.openapi(responseRoutes.get, (context) => responses.get(context, context.req.valid("param").id));
  app.openapi(responseRoutes.delete, (context) => responses.delete(context, context.req.valid("param").id));
  app.openapi(responseRoutes.cancel, (context) => responses.cancel(context, context.req.valid("param").id));
  app.openapi(responseRoutes.inputItems, (context) => {
    const { limit, order, after } = context.req.valid("query");
    return responses.inputItems(context, context.req.valid("param").id, { limit, order, after });
  });

  const messages = messageHandlers(ports);
  app.openapi(messageRoutes.create, (context) => messages.create(context, context.req.valid("json")));
  app.openapi(messageRoutes.countTokens, (context) => messages.countTokens(context, context.req.valid("json")));

  const docs = docsHandlers(app);
  app.openapi(docsRoutes.document, (context) => docs.document(context));
  app.openapi(docsRoutes.page, (context) => docs.page(context));

  addDashboard(app, ports);

  return app;
}
