// The state of the credential in words and colour, what to do about it, and the button that has it renewed.
import { refresh, Refused } from "./api.js";
import { byId, clock, make, relative, setText, span } from "./dom.js";

/** Each state: its tone, its words, a sign that needs no colour. */
export const states = {
  authenticated: { tone: "good", sign: "✓", word: "Working", text: "Claude accepts the credential. Requests pass." },
  unknown: {
    tone: "idle",
    sign: "?",
    word: "Not known yet",
    text: "No answer has proven the credential. Requests pass, and the next one is the proof.",
  },
  checking: {
    tone: "busy",
    sign: "…",
    word: "Being checked",
    text: "One answer was refused, and one sign is no proof. The credential is being looked at; requests pass.",
  },
  refreshing: {
    tone: "busy",
    sign: "↻",
    word: "Being renewed",
    text: "The credential failed and is being renewed. Requests wait, and go on by themselves.",
  },
  cooling_down: {
    tone: "warn",
    sign: "!",
    word: "Waiting to try again",
    text: "The last renewal failed. The next one follows after a pause.",
  },
  locked_out: {
    tone: "bad",
    sign: "✕",
    word: "Locked out",
    text: "Several renewals failed in a row. Requests fail at once; a probe looks from time to time whether it works again.",
  },
  needs_login: {
    tone: "bad",
    sign: "✕",
    word: "Login needed",
    text: "No renewal can mend this credential. Requests fail at once until a person acts.",
  },
};

let shown;

/** Shows what is known. */
export function showState({ authentication: auth, nowMs }) {
  const { tone, sign, word, text } = states[auth.state] ?? states.unknown;
  byId("state-section").dataset.tone = tone;
  setText("state-icon", sign);
  setText("state-name", auth.state);
  setText("state-word", word);
  setText("state-text", text);
  const action = byId("state-action");
  action.hidden = auth.action === null;
  action.replaceChildren(make("strong", {}, "What to do: "), ...withCode(sentence(auth.action ?? "")));
  document.title = `${word} – ccapi`;
  if (shown !== undefined && shown !== auth.state) setText("state-announcement", `The credential: ${word}. ${text}`);
  shown = auth.state;
  byId("state-facts").replaceChildren(
    ...facts(auth, nowMs).flatMap(([name, value]) => [make("div", {}, make("dt", {}, name), make("dd", {}, value))]),
  );
}

function facts(auth, nowMs) {
  const { evidence, credential } = auth;
  const expiryMs = Date.parse(credential.expiresAt); // NaN where it is not known.
  const moment = (iso) => relative(Date.parse(iso), nowMs);
  return [
    ["Since", `${clock(Date.parse(auth.since), nowMs)} (${moment(auth.since)})`],
    ["Rests on", evidence === null ? "nothing yet" : `${evidence.source}, ${span(evidence.ageMs)} ago`],
    ["Credential", `${credential.kind ?? "not read yet"} · no. ${credential.generation}`],
    ["Can be renewed", renewable(auth)],
    [
      expiryMs < nowMs ? "Expired" : "Expires",
      credential.expiresAt === null ? "not known" : moment(credential.expiresAt),
    ],
    ["Next attempt", auth.nextAttemptAt === null ? "none is due" : moment(auth.nextAttemptAt)],
    ["Refreshes", `${auth.refreshCount}, last ${auth.lastRefresh === null ? "never" : moment(auth.lastRefresh)}`],
    ["Failures in a row", String(auth.consecutiveFailures)],
    ["Requests waiting for it", String(auth.waiting)],
    ["State kept", auth.coordination === "shared" ? "shared by several servers" : "by this server alone"],
  ];
}

function renewable({ state, credential }) {
  if (state === "needs_login") return "by a person";
  return credential.renewable ? "yes" : "no, it is fixed for this server's life";
}

/** What stands between backticks, as code. */
function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 === 1 ? make("code", {}, part) : part));
}

function sentence(text) {
  return text === "" ? "" : `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

/** Makes the button work. `onEnd` is called when it is over, however. */
export function startRefreshing(onEnd) {
  const button = byId("refresh");
  button.addEventListener("click", async () => {
    // Not `disabled`: that would take the focus away.
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    show("busy", "Renewing the credential, and proving it by a real question …");
    try {
      const { result } = await refresh();
      show("good", `Done: ${result.message}`);
    } catch (error) {
      show("bad", explain(error));
    } finally {
      button.removeAttribute("aria-disabled");
      onEnd();
    }
  });
}

function show(tone, text) {
  byId("refresh-result").dataset.tone = tone;
  setText("refresh-result", text);
}

function explain(error) {
  if (!(error instanceof Refused)) return "The server could not be reached.";
  const advice = error.body?.result?.shouldRetry === false ? " Trying again can't help before somebody acts." : "";
  return error.status === 429 ? `Not now: ${error.message}` : `It failed: ${error.message}${advice}`;
}
