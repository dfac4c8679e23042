// Any async operation made self-healing: no HTTP server, no Agent SDK. Run it: npx node examples/self-healing.ts
import { createAuthManager, rereadStrategy } from "../src/index.ts"; // In your project: from "ccapi".

// The world outside: a token that somebody rotates, and a service that wants the newest one.
let token = "token-1";
let wanted = "token-2"; // The one that we hold has just expired.
setTimeout(() => (token = wanted), 200);
async function callService(): Promise<string> {
  if (token !== wanted) throw Object.assign(new Error("401 authentication_error: token expired"), { status: 401 });
  return `answered to ${token}`;
}

await using manager = createAuthManager({
  credential: {
    read: async () => {
      const action = "rotate the token";
      return { kind: "token", fingerprint: token, present: true, renewable: true, watchMode: "cheap", action };
    },
  },
  prove: async () =>
    token === wanted ? { outcome: "answered" } : { outcome: "inconclusive", reason: "not renewed yet" },
  strategies: [rereadStrategy()],
  policy: { pollMs: 100, cooldownMs: 500 },
  onEvent: (event) => console.log(`- ${event.type}`),
});

console.log(await manager.handleAuthError(callService, { operation: "callService" }));
console.log(`isAuthenticated: ${manager.status().isAuthenticated}`);
