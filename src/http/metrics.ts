// GET /metrics in Prometheus' text format, and the middleware that counts requests.
import type { Context, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { ResponseFacts } from "../observe/metrics.ts";
import type { AppEnv } from "./app-env.ts";
import { onceSent } from "./sent.ts";

/** What these need of the metrics. */
export interface MetricsPorts {
  readonly metrics: {
    readonly registry: { readonly contentType: string; metrics(): Promise<string> };
    onResponse(response: ResponseFacts): void;
  };
}

/** Counts each request when its answer has been sent in full. */
export function countRequests({ metrics }: MetricsPorts): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    const startedAt = performance.now();
    await next();
    const record = () =>
      metrics.onResponse({
        method: context.req.method,
        route: pattern(context),
        status: context.res.status,
        durationMs: performance.now() - startedAt,
        client: context.var.client?.name,
        error: context.var.errorCode,
      });
    onceSent(context, record);
  };
}

/** Makes the handler. */
export function metricsHandler({ metrics }: MetricsPorts): (context: Context<AppEnv>) => Promise<Response> {
  return async (context) =>
    context.body(await metrics.registry.metrics(), 200, { "content-type": metrics.registry.contentType });
}

/** The route's pattern, never the path itself: strangers would make as many series as they like. */
function pattern(context: Context<AppEnv>): string {
  const route = routePath(context, -1);
  return route.includes("*") ? "other" : route;
}
