// What tests of the refresh system look at: the credential's state as the server tells it, and what the upstream counted.
import type { Simulator } from "../../src/simulator/index.ts";
import { adminKey, type TestServer, until } from "./server.ts";

export interface AuthHealth {
  readonly status: "authenticated" | "unauthenticated" | "unknown";
  readonly authentication: {
    readonly isAuthenticated: boolean | null;
    readonly lastRefresh: string | null;
    readonly refreshCount: number;
    readonly consecutiveFailures: number;
    readonly state: string;
    readonly evidence: { readonly source: string; readonly ageMs: number } | null;
    readonly credential: { readonly kind: string; readonly expiresAt: string | null; readonly generation: number };
    readonly nextAttemptAt: string | null;
    readonly action: string | null;
    readonly coordination: "local" | "shared";
    readonly waiting: number;
  };
}

export async function authHealth(server: TestServer): Promise<AuthHealth["authentication"] & { status: string }> {
  const body = (await (await server.get("/health/auth")).json()) as AuthHealth;
  return { ...body.authentication, status: body.status };
}

export function untilState(server: TestServer, state: string, limitMs = 40_000): Promise<number> {
  return until(`the state is ${state}`, async () => (await authHealth(server)).state === state, limitMs);
}

export function manualRefresh(server: TestServer): Promise<Response> {
  return server.post("/health/auth/refresh", {}, { headers: { authorization: `Bearer ${adminKey}` } });
}

/** Calls for an answer, by how the upstream met them. */
export function countCalls(simulator: Simulator): { answered: number; rejected: number; all: number } {
  const calls = simulator.requests.filter(
    ({ method, path }) => method === "POST" && /^\/v1\/messages(?:\?|$)/.test(path),
  );
  return {
    answered: calls.filter(({ outcome }) => outcome === "answered").length,
    rejected: calls.filter(({ outcome }) => outcome === "rejected").length,
    all: calls.length,
  };
}

/** The log's messages, in their order. */
export function messages(server: TestServer): string[] {
  return server
    .log()
    .split("\n")
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { msg: string }).msg);
}

/** A stored login's file. */
export function storedLogin(accessToken: string, expiresAtMs = Date.now() + 8 * 3_600_000): string {
  return JSON.stringify({
    claudeAiOauth: {
      accessToken,
      refreshToken: "refresh-token-0001",
      expiresAt: expiresAtMs,
      scopes: ["user:inference", "user:profile"],
      subscriptionType: "max",
    },
  });
}
