// `/_simulator/*`: the handle's powers over HTTP, for loopback peers that are no browser. Never shows a credential.
import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody } from "./body.ts";
import { type Change, planChange, readChange } from "./change.ts";
import type { CredentialBook } from "./credentials.ts";
import { readFault, readRules, type Rejected } from "./script-rules.ts";
import type { RecordLog } from "./record.ts";
import { isJsonObject, type JsonObject } from "./request.ts";
import type { RuleBook } from "./rules.ts";

export interface ControlParts {
  readonly credentials: CredentialBook;
  readonly rules: RuleBook;
  readonly log: RecordLog;
  readonly clock: () => number;
  readonly startedAtMs: number;
}

type Answer = { readonly status: number; readonly body: object };

/** The handler of the control paths. */
export function createControl(
  parts: ControlParts,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const { status, body } = isOwnPeer(request)
      ? await answer(parts, request)
      : {
          status: 403,
          body: { error: "control is for programs on this machine, not for browsers" },
        };
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
}

/** A page in a browser reaches loopback too: it shows by its `Origin`, by `Sec-Fetch-Site`, or by a foreign name in `Host` (DNS rebinding). */
function isOwnPeer({ headers, socket }: IncomingMessage): boolean {
  const peer = socket.remoteAddress ?? "";
  const loopback = peer === "::1" || /^(?:::ffff:)?127\./.test(peer);
  const host = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/i.test(headers.host ?? "");
  const browser = headers.origin !== undefined || headers["sec-fetch-site"] !== undefined;
  return loopback && host && !browser;
}

async function answer(parts: ControlParts, request: IncomingMessage): Promise<Answer> {
  const [path = "", query = ""] = (request.url ?? "/").split("?", 2);
  const name = path.slice("/_simulator/".length);
  if (request.method === "GET") return get(parts, name, new URLSearchParams(query));
  if (request.method !== "POST") return refusal(405, "use GET or POST");
  const read = await readBody(request, 1024 * 1024);
  if (typeof read === "string") return refusal(413, "the body is larger than 1 MB");
  let body: unknown;
  try {
    body = read.text.trim() === "" ? {} : JSON.parse(read.text);
  } catch {
    return refusal(400, "the body is no JSON");
  }
  return isJsonObject(body) ? post(parts, name, body) : refusal(400, "the body is no JSON object");
}

function get(parts: ControlParts, name: string, query: URLSearchParams): Answer {
  if (name === "state") return done(state(parts));
  if (name !== "requests") return refusal(404, "GET knows: state, requests");
  const limit = Math.max(1, Math.trunc(Number(query.get("limit") ?? 100)) || 100);
  return done({ requests: parts.log.records.slice(-limit) });
}

function state({ credentials, rules, log, clock, startedAtMs }: ControlParts): object {
  const outcomes: Record<string, number> = {};
  for (const { outcome } of log.records) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  return {
    sinceStartMs: clock() - startedAtMs,
    credentials: credentials.list(),
    ...rules.describe(),
    requests: { count: log.records.length, outcomes },
  };
}

function post(parts: ControlParts, name: string, body: JsonObject): Answer {
  const { rules, log } = parts;
  switch (name) {
    case "add":
    case "expire":
    case "revoke":
    case "restore":
    case "rotate":
      return changeCredential(parts, readChange(name, body));
    case "fail": {
      const fault = readFault(body.fault ?? body);
      if ("problem" in fault) return refusal(400, fault.problem);
      const { times } = body;
      if (times !== undefined && !isCount(times)) {
        return refusal(400, "times must be a whole number from 1 on");
      }
      rules.fail(fault.value, times);
      return done(state(parts));
    }
    case "clear-faults":
      rules.clearFaults();
      return done(state(parts));
    case "rules": {
      const read = readRules(body.rules);
      if ("problem" in read) return refusal(400, read.problem);
      rules.set(read.value);
      return done(state(parts));
    }
    case "clear-requests":
      log.clear();
      return done(state(parts));
    default:
      return refusal(
        404,
        "POST knows: add, expire, revoke, restore, rotate, fail, clear-faults, rules, clear-requests",
      );
  }
}

function changeCredential(parts: ControlParts, read: Change | Rejected): Answer {
  if ("problem" in read) return refusal(400, read.problem);
  planChange(read, parts);
  return done(state(parts));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

function done(body: object): Answer {
  return { status: 200, body };
}

function refusal(status: number, error: string): Answer {
  return { status, body: { error } };
}
