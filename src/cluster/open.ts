// What several instances share through Redis, opened as one: without an address there is nothing to share, and nothing here.
// Decides nothing about turns or credentials.
import { createRedisLink, type RedisLink } from "../auth/store/redis-link.ts";
import { createRedisStore } from "../auth/store/redis.ts";
import type { AuthStore } from "../auth/store/port.ts";

/** What is shared. */
export interface Cluster {
  readonly authStore: AuthStore;
  readonly link: RedisLink;
  /** Call when all that uses it is closed. */
  close(): Promise<void>;
}

/** What opening needs. */
export interface ClusterOptions {
  readonly redisUrl: string | undefined;
  readonly log: {
    info(message: string): void;
    warn(message: string): void;
  };
}

/** Opens it; takes a second at most where Redis does not answer, and goes on without it until it does. */
export async function openCluster({ redisUrl, log }: ClusterOptions): Promise<Cluster | undefined> {
  if (redisUrl === undefined) return undefined;
  const link = await createRedisLink({ url: redisUrl });
  const tell = (isUp: boolean) => {
    if (isUp) log.info("Redis is reachable: state is shared with the other instances");
    else log.warn("Redis can't be reached: this instance goes on alone until it can");
  };
  tell(link.isUp);
  const stopTelling = link.onChange(tell);
  const authStore = await createRedisStore({ link });
  return {
    authStore,
    link,
    async close() {
      stopTelling();
      await authStore.close();
      await link.close();
    },
  };
}
