// The page as a whole: in, out, and what is asked for when. Everything shown comes from the server after the login.
import { listen, loadOverview, logIn, logOut, whenLoggedOut } from "./api.js";
import { offerModels, startChat } from "./chat.js";
import { byId, setText } from "./dom.js";
import { addBacklog, addEntry, startLog } from "./log.js";
import { showPlots } from "./plots.js";
import { showSessions } from "./sessions.js";
import { showState, startRefreshing } from "./state.js";
import { showTimeline } from "./timeline.js";
import { showUsage } from "./usage.js";

const lookEveryMs = 10_000;
/** After an event, so that a storm of them is one look. */
const lookSoonMs = 150;

let overview;
let stopListening;
let soon;
let every;
let isLooking = false;
let isWanted = false;

async function look() {
  if (isLooking) {
    isWanted = true;
    return;
  }
  isLooking = true;
  try {
    overview = await loadOverview();
    show();
    await showSessions();
  } catch (error) {
    if (error.status !== 401) showConnection("lost");
  } finally {
    isLooking = false;
    if (isWanted) {
      isWanted = false;
      lookSoon();
    }
  }
}

function lookSoon() {
  soon ??= setTimeout(() => {
    soon = undefined;
    void look();
  }, lookSoonMs);
}

function show() {
  setText("version", overview.version);
  offerModels(overview.models);
  showState(overview);
  showTimeline(overview);
  showPlots(overview);
  showUsage(overview);
}

function showConnection(state) {
  const words = { live: "live", lost: "connection lost, trying again", closed: "connection lost, trying again" };
  byId("connection").dataset.state = state;
  setText("connection", words[state]);
}

function enter() {
  byId("entrance").hidden = true;
  byId("dashboard").hidden = false;
  void look();
  every ??= setInterval(() => document.hidden || void look(), lookEveryMs);
  stopListening?.();
  stopListening = listen({
    onBacklog: addBacklog,
    onEntry(entry) {
      addEntry(entry);
      lookSoon();
    },
    onConnection(state) {
      showConnection(state);
      // An answer of 401, or of a server that goes down: the next look says which.
      if (state !== "closed") return;
      void look();
      setTimeout(() => byId("dashboard").hidden || enter(), 5_000);
    },
  });
}

function leave(reason = "") {
  clearInterval(every);
  every = undefined;
  stopListening?.();
  stopListening = undefined;
  document.title = "ccapi";
  byId("dashboard").hidden = true;
  byId("entrance").hidden = false;
  setText("login-error", reason);
  byId("key").focus();
}

function start() {
  whenLoggedOut(() => byId("dashboard").hidden || leave("You were logged out. Log in again."));
  byId("login").addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = byId("key");
    const key = field.value;
    field.value = "";
    try {
      await logIn(key);
      setText("login-error", "");
      enter();
      byId("content").focus();
    } catch (error) {
      setText("login-error", error.message);
      field.focus();
    }
  });
  byId("logout").addEventListener("click", async () => {
    await logOut().catch(() => {});
    leave();
  });
  for (const input of document.querySelectorAll('input[name="range"]')) input.addEventListener("change", show);
  for (const input of document.querySelectorAll('input[name="group"]')) input.addEventListener("change", show);
  document.addEventListener("visibilitychange", () => document.hidden || byId("dashboard").hidden || lookSoon());
  startRefreshing(lookSoon);
  startLog();
  startChat();
}

start();
loadOverview().then(enter, () => leave());
