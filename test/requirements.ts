// What the product promises, by id. A test cites the ids that it proves at its name's end, as `(B1)` or `(A1, A2)`;
// requirements.test.ts fails for an id of a finished part that no test cites.

/** The parts that the product is built in; a part is finished when all its ids are proven. */
export const isFinished = {
  server: true,
  auth: true,
  recovery: true,
  speed: false,
  chat: false,
  apis: false,
  redis: false,
  operations: false,
} as const satisfies Record<string, boolean>;

/** The name of a part. */
export type Part = keyof typeof isFinished;

interface Requirement {
  readonly text: string;
  readonly part: Part;
}

/** Every requirement by its id. */
export const requirements = {
  A1: {
    part: "auth",
    text: "An authentication failure is recognised from typed evidence, and from text only where it is an error's own.",
  },
  A2: { part: "auth", text: "Three verdicts: refreshable, permanent, not about authentication." },
  A3: {
    part: "auth",
    text: "After a failed refresh a cooldown, at most three failures in a row, and a bound for the whole refresh.",
  },
  A4: { part: "auth", text: "Strategies are tried in order; only a real answer of the model proves a refresh." },
  A5: { part: "recovery", text: "A failed request goes on by itself after the refresh; no tool runs twice." },
  A6: { part: "auth", text: "One refresh at a time for each credential; a stale failure report starts none." },
  A7: { part: "auth", text: "After the lock-out it heals by itself, without a restart." },
  A8: { part: "auth", text: "A refresh ahead of the expiry; where it fails, a credential that works goes on working." },
  A9: { part: "redis", text: "Strategies of one's own, metrics in detail, a state shared by several instances." },
  A10: { part: "auth", text: "The counters of refreshes and failures, and isAuthenticated, mean one thing each." },
  B1: { part: "server", text: "POST /v1/chat/completions, streaming and not, true to OpenAI's schema." },
  B2: { part: "server", text: "GET /v1/models and the two ways a model is run: the agent and plain chat." },
  B3: { part: "server", text: "Sessions continue on the server; stateless conversations leave nothing on disk." },
  B4: { part: "server", text: "GET /health and its live and ready forms, which start no process." },
  B5: { part: "auth", text: "GET /health/auth tells the state of the credential, and never a secret." },
  B6: { part: "auth", text: "POST /health/auth/refresh refreshes for an admin, and overrides the lock-out." },
  B7: { part: "apis", text: "POST /v1/responses and POST /v1/messages over the same core." },
  B8: { part: "operations", text: "Metrics, the OpenAPI document with its page, and the dashboard." },
  B9: { part: "server", text: "Limits for each request and each key; CORS off unless origins are named." },
  C1: { part: "server", text: "Client and admin keys; nothing but loopback without a key of the operator's." },
  C2: { part: "server", text: "Nothing that is emitted holds a credential or a prompt." },
  C3: { part: "server", text: "A client's text is data; permissions are not bypassed; each key has its folder." },
  C4: { part: "server", text: "Everything has a limit, and one failing client harms no other." },
  C5: { part: "auth", text: "Credentials are never persisted by ccapi, nor renewed in Claude Code's name." },
  C6: {
    part: "server",
    text: "Claude's telemetry and non-essential traffic are off unless the operator turns them on.",
  },
  D: { part: "auth", text: "The log messages of the refresh system, at their levels." },
  D2: { part: "operations", text: "The manual leads through the three troubles, with an alert for each." },
  E1: { part: "server", text: "A simulator of the Messages API with which the real Claude CLI works." },
  E2: { part: "recovery", text: "npm run demo shows the whole story by itself, and its exit code tells the truth." },
  E3: { part: "auth", text: "ccapi check looks a running server over." },
  F: { part: "recovery", text: "The library: the auth core alone, and the SDK's query() that heals itself." },
  G1: { part: "auth", text: "First sign of a failure to the look at the credential: under 50 ms." },
  G2: { part: "recovery", text: "Renewed credential to the answer of the waiting request: p50 of 1.0 s at most." },
  G3: { part: "recovery", text: "100 requests meet an expired credential: 1 refresh, 0 errors." },
  G4: { part: "auth", text: "20 clients against a dead credential: at most 3 refreshes, then fast 503s." },
  G5: { part: "speed", text: "First token at most 30, 60 and 150 ms above the upstream's." },
  G6: { part: "auth", text: "A test query sends under 4 kB." },
  G7: { part: "auth", text: "The auth check on the way of a healthy request: under 5 µs." },
  G8: { part: "auth", text: "The classifier: precision and recall of at least 0.95 each." },
  G9: { part: "speed", text: "40 requests, 8 at a time: under 3 s in under 800 MB." },
} as const satisfies Record<string, Requirement>;
