// What several instances share through Redis, opened as one: without an address there is nothing to share, and nothing here.
// Decides nothing about turns or credentials.
import { createRedisLink, type RedisLink } from "../auth/store/redis-link.ts";
import { createRedisStore } from "../auth/store/redis.ts";
import type { AuthStore } from "../auth/store/port.ts";
import type { RateCounter } from "../http/rate-counter.ts";
import type { SharedRuns } from "../http/run-claims.ts";
import type { KeyedLock } from "../turn/lock.ts";
import type { ResponseStore } from "../turn/responses.ts";
import type { SessionStore } from "../turn/sessions.ts";
import { shareLock } from "./lock.ts";
import { shareRates } from "./rates.ts";
import { shareResponses } from "./responses.ts";
import { createSharedRuns } from "./runs.ts";
import { createSeal } from "./seal.ts";
import { type SharedSessionPorts, shareSessions } from "./sessions.ts";
import { createTranscriptCarrier } from "./transcripts.ts";

/** What an instance has of its own, in its files and its memory. */
export interface OwnState {
  readonly sessions: SessionStore;
  readonly responses: ResponseStore;
  readonly sessionLock: KeyedLock;
  readonly rates: RateCounter;
}

/** What is shared. */
export interface Cluster {
  readonly authStore: AuthStore;
  readonly link: RedisLink;
  readonly runs: SharedRuns;
  /** Joins an instance's state with that of the others. */
  share(own: OwnState, ports: Pick<SharedSessionPorts, "timeToLiveMs" | "placeOf" | "endSession" | "now">): OwnState;
  /** Call when all that uses it is closed. */
  close(): Promise<void>;
}

/** What opening needs. */
export interface ClusterOptions {
  readonly redisUrl: string | undefined;
  /** The configuration sees to it that it is there with the address. */
  readonly clusterSecret: string | undefined;
  readonly log: {
    info(message: string): void;
    warn(message: string): void;
  };
}

/** Opens it; takes a second at most where Redis does not answer, and goes on without it until it does. */
export async function openCluster({ redisUrl, clusterSecret, log }: ClusterOptions): Promise<Cluster | undefined> {
  if (redisUrl === undefined || clusterSecret === undefined) return undefined;
  const link = await createRedisLink({ url: redisUrl });
  const tell = (isUp: boolean) => {
    if (isUp) log.info("Redis is reachable: state is shared with the other instances");
    else log.warn("Redis can't be reached: this instance goes on alone until it can");
  };
  tell(link.isUp);
  const stopTelling = link.onChange(tell);
  const authStore = await createRedisStore({ link });
  const way = { link, seal: createSeal(clusterSecret) };
  return {
    authStore,
    link,
    runs: createSharedRuns(way),
    share: (own, ports) => ({
      sessions: shareSessions(own.sessions, {
        ...way,
        ...ports,
        transcripts: createTranscriptCarrier(way, ports.timeToLiveMs),
      }),
      responses: shareResponses(own.responses, way, ports),
      sessionLock: shareLock(own.sessionLock, way),
      rates: shareRates(own.rates, way),
    }),
    async close() {
      stopTelling();
      await authStore.close();
      await link.close();
    },
  };
}
