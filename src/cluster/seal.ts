// How what clients say lies in Redis: names as keyed hashes, values encrypted. A dump of Redis holds neither.
// Knows no Redis. Whoever has the cluster's secret reads everything: see docs/security.md.
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

/** Names and values of one cluster. */
export interface Seal {
  /** A key of Redis's: always the same for the same parts, and it tells nothing of them. */
  name(kind: string, ...parts: readonly string[]): string;
  /** A value for one place alone. */
  close(place: string, text: string): string;
  /** `undefined` where it is not this cluster's, or was written for another place. */
  open(place: string, sealed: string): string | undefined;
}

const ivBytes = 12;
const tagBytes = 16;

/** Makes the seal of a cluster; what it needs is derived from the secret that all instances share. */
export function createSeal(secret: string): Seal {
  const derive = (purpose: string) => Buffer.from(hkdfSync("sha256", secret, "", `ccapi ${purpose}`, 32));
  const nameKey = derive("names");
  const valueKey = derive("values");
  return {
    name(kind, ...parts) {
      const text = JSON.stringify([kind, ...parts]);
      return `ccapi:${kind}:${createHmac("sha256", nameKey).update(text).digest("base64url")}`;
    },
    close(place, text) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv("aes-256-gcm", valueKey, iv).setAAD(Buffer.from(place));
      const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString("base64");
    },
    open(place, sealed) {
      try {
        const bytes = Buffer.from(sealed, "base64");
        const decipher = createDecipheriv("aes-256-gcm", valueKey, bytes.subarray(0, ivBytes), {
          authTagLength: tagBytes,
        }).setAAD(Buffer.from(place));
        decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
        return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]).toString("utf8");
      } catch {
        return undefined; // Another secret's, or changed by somebody.
      }
    },
  };
}
