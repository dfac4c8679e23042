// What a server keeps beside the credential's state: in its own files and memory, joined with the other instances' where there are any.
import { join } from "node:path";
import type { Cluster, OwnState } from "../cluster/open.ts";
import { createRateCounter } from "../http/rate-counter.ts";
import { createKeyedLock } from "../turn/lock.ts";
import { createResponseStore } from "../turn/responses.ts";
import { createSessionStore } from "../turn/sessions.ts";

type Sharing = Parameters<Cluster["share"]>[1];

/** Opens it below the state folder. */
export function openState(stateDir: string, cluster: Cluster | undefined, sharing: Sharing): OwnState {
  const own: OwnState = {
    sessions: createSessionStore({ ...sharing, dir: join(stateDir, "sessions") }),
    responses: createResponseStore({ ...sharing, dir: join(stateDir, "responses") }),
    sessionLock: createKeyedLock(),
    rates: createRateCounter(),
  };
  return cluster?.share(own, sharing) ?? own;
}
