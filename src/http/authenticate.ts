// Who asks: reads the key of a request, as `Authorization: Bearer` or as `x-api-key`. 401 is only ever about this key.
import type { Context, MiddlewareHandler } from "hono";
import { CcapiError } from "../auth/errors.ts";
import type { AppEnv } from "./app-env.ts";
import type { Keyring } from "./keyring.ts";

/** Recognises the client where a key is shown; demands nothing. */
export function recognise(keyring: Keyring): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    const key = presentedKey(context);
    context.set("client", key === undefined ? undefined : keyring(key));
    await next();
  };
}

/** Lets only clients pass. */
export const clientsOnly: MiddlewareHandler<AppEnv> = async (context, next) => {
  if (context.var.client !== undefined) return next();
  context.header("www-authenticate", "Bearer");
  throw new CcapiError(
    "invalid_api_key",
    presentedKey(context) === undefined
      ? "No API key was given. Send it as `Authorization: Bearer <key>` or as `x-api-key`."
      : "This API key is not one of this server's.",
  );
};

/** Lets clients pass, and whoever comes from one of these addresses. */
export function clientsOr(addresses: readonly string[]): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    // IPv4 on a socket for both kinds is written `::ffff:127.0.0.1`.
    const address = context.env?.incoming?.socket.remoteAddress?.replace(/^::ffff:/, "");
    if (address !== undefined && addresses.includes(address)) return next();
    return clientsOnly(context, next);
  };
}

/** Lets only administrators pass; put after {@link clientsOnly}. */
export const adminsOnly: MiddlewareHandler<AppEnv> = async (context, next) => {
  if (context.var.client?.isAdmin === true) return next();
  throw new CcapiError("admin_key_required", "This needs an admin key (CCAPI_ADMIN_KEYS).");
};

function presentedKey(context: Context<AppEnv>): string | undefined {
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(context.req.header("authorization") ?? "")?.[1];
  return bearer ?? (context.req.header("x-api-key")?.trim() || undefined);
}
