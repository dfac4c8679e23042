// What the page asks the server, all of it below /dashboard and of the same origin. The key is sent once, at the login, and kept nowhere.

/** An answer that says no. */
export class Refused extends Error {
  constructor(status, body) {
    super(body?.error?.message ?? body?.result?.message ?? `The server answered with ${status}.`);
    this.status = status;
    this.body = body;
  }
}

let onLoggedOut = () => {};

/** Who is told when the server knows this browser no longer. */
export function whenLoggedOut(listener) {
  onLoggedOut = listener;
}

async function send(method, path, { body, signal } = {}) {
  const response = await fetch(`dashboard/${path}`, {
    method,
    signal,
    credentials: "same-origin",
    cache: "no-store",
    headers: { "x-ccapi-dashboard": "1", ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (response.ok) return response;
  const told = await response.json().catch(() => undefined);
  if (response.status === 401 && path !== "login") onLoggedOut();
  throw new Refused(response.status, told);
}

export const logIn = (key) => send("POST", "login", { body: { key } });
export const logOut = () => send("POST", "logout");
export const loadOverview = async () => (await send("GET", "overview")).json();
export const loadSessions = async () => (await send("GET", "sessions")).json();
export const endSession = (client, id) => send("DELETE", `sessions?${new URLSearchParams({ client, id })}`);
export const refresh = async () => (await send("POST", "refresh")).json();

/** The entries of the event log, as they come. @returns what ends it */
export function listen({ onBacklog, onEntry, onConnection }) {
  const source = new EventSource("dashboard/events");
  source.addEventListener("open", () => onConnection("live"));
  source.addEventListener("error", () => onConnection(source.readyState === EventSource.CLOSED ? "closed" : "lost"));
  source.addEventListener("backlog", (event) => onBacklog(JSON.parse(event.data)));
  source.addEventListener("entry", (event) => onEntry(JSON.parse(event.data)));
  return () => source.close();
}

/** Asks a model; yields the pieces of its answer as they come. */
export async function* ask(model, text, signal) {
  const body = { model, messages: [{ role: "user", content: text }], stream: true };
  const response = await send("POST", "chat", { body, signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const frames = (pending + value).split("\n\n");
    pending = frames.pop();
    for (const frame of frames) {
      const data = frame.startsWith("data: ") ? frame.slice(6) : "[DONE]";
      if (data === "[DONE]") continue;
      const chunk = JSON.parse(data);
      if (chunk.error !== undefined) throw new Refused(response.status, chunk);
      const piece = chunk.choices?.[0]?.delta?.content;
      if (piece) yield piece;
    }
  }
}
