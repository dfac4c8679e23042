// Looks whether the model API is reached, and what it takes the time to be. Sends no credential.
import type { Finding } from "./finding.ts";

/** Beyond this, signed requests and expiry times go wrong. */
const maxClockStepMs = 120_000;

/** What looking takes. */
export interface UpstreamPorts {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Default: the platform's. */
  readonly fetch?: typeof fetch;
}

/** Whether the address answers at all, and whether this host's clock agrees with its own. */
export async function examineUpstream(
  url: string,
  { now, fetch: send = fetch }: UpstreamPorts,
  signal: AbortSignal,
): Promise<Finding[]> {
  const shown = new URL(url).origin;
  try {
    const response = await send(url, { method: "HEAD", redirect: "manual", signal });
    const date = Date.parse(response.headers.get("date") ?? "");
    const reached: Finding = { about: "model API", verdict: "ok", seen: `${shown} answers (HTTP ${response.status})` };
    return Number.isNaN(date) ? [reached] : [reached, clock(now() - date)];
  } catch (error) {
    return [
      {
        about: "model API",
        verdict: "problem",
        seen: `${shown} is not reached (${reasonOf(error)})`,
        fix: "look at this host's network, proxy (HTTPS_PROXY) and ANTHROPIC_BASE_URL",
      },
    ];
  }
}

function clock(stepMs: number): Finding {
  const seconds = Math.round(Math.abs(stepMs) / 1_000);
  if (Math.abs(stepMs) <= maxClockStepMs) {
    return { about: "clock", verdict: "ok", seen: `within ${Math.max(1, seconds)} s of the model API's` };
  }
  const seen = `${seconds} s ${stepMs > 0 ? "ahead of" : "behind"} the model API's`;
  return { about: "clock", verdict: "problem", seen, fix: "set this host's clock (timedatectl set-ntp true)" };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const { cause } = error;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") return cause.code;
  return error.name;
}
