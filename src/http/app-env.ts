// What travels with a request through the middleware.
import type { HttpBindings } from "@hono/node-server";
import type { Client } from "../turn/turn.ts";

/** The types of hono's context here. */
export interface AppEnv {
  readonly Bindings: Partial<HttpBindings>;
  readonly Variables: {
    requestId: string;
    /** Set once a key has been shown that opens the server. */
    client: Client | undefined;
    /** Ends the request's run, where that is not for the client's leaving to do. */
    runSignal: AbortSignal | undefined;
    /** What became of the request, where its status alone doesn't say it. */
    errorCode: string | undefined;
  };
}
