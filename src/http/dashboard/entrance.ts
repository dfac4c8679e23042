// The way in to the dashboard: an admin key → a cookie; and what stands before every request that comes with one.
import type { Context, MiddlewareHandler } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { z } from "@hono/zod-openapi";
import { CcapiError } from "../../auth/errors.ts";
import type { AppEnv } from "../app-env.ts";
import type { Keyring } from "../keyring.ts";
import { readJson } from "./json-body.ts";
import type { Seats } from "./seats.ts";

const cookieName = "ccapi_dashboard";
const path = "/dashboard";
/** Wrong keys from one address in 15 minutes. */
const maxGuesses = 10;
const guessWindowSeconds = 15 * 60;
/** The header that only the page's own script sends: a form can't, and a script from elsewhere would have to be let by CORS. */
const markHeader = "x-ccapi-dashboard";

const loginBody = z.object({ key: z.string().min(1).max(1_000) });

/** Makes what lets in, and out. */
export function createEntrance({ keyring, seats }: { readonly keyring: Keyring; readonly seats: Seats }) {
  const guesses = new RateLimiterMemory({ points: maxGuesses, duration: guessWindowSeconds });

  return {
    async logIn(context: Context<AppEnv>): Promise<Response> {
      const address = context.env?.incoming?.socket.remoteAddress ?? "";
      await guesses.consume(address).catch((error: unknown) => {
        if (!(error instanceof RateLimiterRes)) throw error;
        throw new CcapiError("rate_limit_exceeded", "Too many wrong keys came from this address; try again later.", {
          retryAfterMs: error.msBeforeNext,
        });
      });
      const body = loginBody.safeParse(await readJson(context));
      if (!body.success) throw new CcapiError("invalid_request", "Send the admin key as `key`.", { param: "key" });
      const client = keyring(body.data.key.trim());
      if (client === undefined) throw new CcapiError("invalid_api_key", "This key is not one of this server's.");
      if (!client.isAdmin) {
        throw new CcapiError(
          "admin_key_required",
          "This is a client's key. The dashboard opens to an admin key (CCAPI_ADMIN_KEYS).",
        );
      }
      // Not for a client's key: whoever has one could go on guessing by it.
      await guesses.delete(address);
      seats.close(getCookie(context, cookieName));
      setCookie(context, cookieName, seats.open(client), {
        path,
        httpOnly: true,
        sameSite: "Strict",
        // The browser's own word on how it reached the page; what a proxy says would have to be believed.
        secure: context.req.header("origin")?.startsWith("https:") === true,
      });
      return context.body(null, 204);
    },
    logOut(context: Context<AppEnv>): Response {
      seats.close(getCookie(context, cookieName));
      deleteCookie(context, cookieName, { path });
      return context.body(null, 204);
    },
    /** Lets only those pass who are logged in; they are the client then, whatever key the request shows. */
    seated: (async (context, next) => {
      const seat = seats.find(getCookie(context, cookieName));
      if (seat === undefined) throw new CcapiError("invalid_api_key", "Log in to the dashboard with an admin key.");
      context.set("client", seat.client);
      context.header("cache-control", "no-store");
      await next();
    }) satisfies MiddlewareHandler<AppEnv>,
    /** The seat of a request that has passed `seated`. */
    seatOf: (context: Context<AppEnv>) => seats.find(getCookie(context, cookieName)),
  };
}

/** Refuses what a page from elsewhere could have a logged-in browser send. */
export const ownPageOnly: MiddlewareHandler<AppEnv> = async (context, next) => {
  if (["GET", "HEAD"].includes(context.req.method)) return next();
  if (context.req.header(markHeader) === undefined || !isSameOrigin(context)) {
    throw new CcapiError("cross_origin_refused", "Only the dashboard's own page may ask for this.");
  }
  await next();
};

/** By what the browser says of itself: one that says nothing of either is none, and has no cookie that others could use. */
function isSameOrigin(context: Context<AppEnv>): boolean {
  const site = context.req.header("sec-fetch-site");
  if (site !== undefined) return site === "same-origin";
  const origin = context.req.header("origin");
  return origin === undefined || URL.parse(origin)?.host === context.req.header("host");
}
