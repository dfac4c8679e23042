// Which client a key belongs to. Compared in constant time, over all keys, so that timing tells nothing of them.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { NamedKey } from "../config/kinds.ts";
import type { Client } from "../turn/turn.ts";

/** Tells whose a key is; `undefined`: nobody's. */
export type Keyring = (presented: string) => Client | undefined;

/** Makes a keyring. A key that is both a client's and an administrator's is an administrator's. */
export function createKeyring(apiKeys: readonly NamedKey[], adminKeys: readonly NamedKey[]): Keyring {
  const secret = randomBytes(32);
  const digest = (key: string) => createHmac("sha256", secret).update(key).digest();
  const entries = [
    ...apiKeys.map(({ name, key }) => ({ digest: digest(key), client: { name, isAdmin: false } })),
    ...adminKeys.map(({ name, key }) => ({ digest: digest(key), client: { name, isAdmin: true } })),
  ];
  return (presented) => {
    const shown = digest(presented);
    let client: Client | undefined;
    for (const entry of entries) if (timingSafeEqual(entry.digest, shown)) client = entry.client;
    return client;
  };
}
