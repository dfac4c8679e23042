// A refresh strategy of one's own: gets the newest secret from a secret manager over HTTP. Run it: npx node examples/secret-manager-strategy.ts
// The secret manager here is a small server on loopback that stands in for Vault, AWS Secrets Manager and their like.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { createAuthManager, type Strategy } from "../src/index.ts"; // In your project: from "ccapi".

/** Where the secret is, and what is done with a new one. */
export interface SecretManagerOptions {
  readonly url: string;
  /** What the secret manager asks of this program. */
  readonly accessToken: string;
  /** The secret in use. */
  readonly current: () => string;
  readonly use: (secret: string) => void;
}

/** Makes the strategy. It claims a change only where the secret differs; whether it works is for the proof to say. */
export function secretManagerStrategy({ url, accessToken, current, use }: SecretManagerOptions): Strategy {
  return {
    name: "secret-manager",
    async run({ signal }) {
      const response = await fetch(url, {
        headers: { authorization: `Bearer ${accessToken}` },
        signal,
        redirect: "error",
      });
      // The status says enough: a body may hold anything, and reasons go to logs.
      if (!response.ok) return { outcome: "failed", reason: `HTTP ${response.status}` };
      const body: unknown = await response.json();
      const secret = typeof body === "object" && body !== null && "secret" in body ? body.secret : undefined;
      if (typeof secret !== "string") return { outcome: "failed", reason: "the answer holds no secret" };
      if (secret === current()) return { outcome: "unchanged" };
      use(secret);
      return { outcome: "changed" };
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const vault = createServer((_request, response) => response.end(JSON.stringify({ secret: "made-up-2" })));
  await new Promise<void>((resolve) => vault.listen(0, "127.0.0.1", resolve));
  const { port } = vault.address() as AddressInfo; // It listens on a port, not on a pipe.
  let key = "made-up-1"; // No longer accepted.

  await using manager = createAuthManager({
    credential: {
      read: async () => ({
        kind: "secret",
        fingerprint: key, // Of a real secret: a keyed hash.
        present: true,
        renewable: true,
        watchMode: "cheap",
        action: "store a valid secret in the secret manager",
      }),
    },
    prove: async () => (key === "made-up-2" ? { outcome: "answered" } : { outcome: "inconclusive", reason: "not yet" }),
    strategies: [
      secretManagerStrategy({
        url: `http://127.0.0.1:${port}/v1/secret`,
        accessToken: "made-up",
        current: () => key,
        use: (secret) => (key = secret),
      }),
    ],
  });
  const callModel = async (): Promise<string> => {
    if (key !== "made-up-2") throw Object.assign(new Error("authentication_error: invalid x-api-key"), { status: 401 });
    return "answered";
  };
  console.log(await manager.handleAuthError(callModel, { operation: "callModel" }));
  console.log(`refreshes: ${manager.status().refreshCount}`);
  vault.close();
}
