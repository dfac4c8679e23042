// Every client's sessions, their processes, and a way to end one.
import { endSession, loadSessions } from "./api.js";
import { byId, clock, dollars, make, relative, setText } from "./dom.js";

const words = { working: "at work", kept: "kept ready", none: "none" };
let drawn = "";

/** Asks for them and shows them. */
export async function showSessions() {
  const { sessions, nowMs } = await loadSessions();
  setText("sessions-count", sessions.length === 1 ? "1 session" : `${sessions.length} sessions`);
  // Drawn anew only where something changed: a button under somebody's finger should stay.
  const next = JSON.stringify([sessions, Math.floor(nowMs / 60_000)]);
  if (next === drawn) return;
  drawn = next;
  byId("session-rows").replaceChildren(
    ...(sessions.length === 0
      ? [make("tr", {}, make("td", { colspan: 8, class: "quiet" }, "No client has a session."))]
      : sessions.map((session) => toRow(session, nowMs))),
  );
}

function toRow(session, nowMs) {
  const { client, id, model, turns, costUsd, createdAtMs, lastUsedAtMs, process } = session;
  const button = make("button", { type: "button", "aria-label": `End the session ${id} of ${client}` }, "End");
  button.addEventListener("click", () => confirmEnd(session));
  return make(
    "tr",
    {},
    make("th", { scope: "row", class: "name" }, id),
    make("td", {}, client),
    make("td", {}, model),
    make("td", {}, make("span", { class: "badge", "data-process": process }, words[process] ?? process)),
    make("td", { class: "number" }, String(turns)),
    make("td", { class: "number" }, dollars(costUsd)),
    make("td", { class: "time", title: `begun ${clock(createdAtMs, nowMs)}` }, relative(lastUsedAtMs, nowMs)),
    make("td", { class: "do" }, button),
  );
}

function confirmEnd({ client, id, process }) {
  const dialog = byId("confirm");
  const ending = process === "working" ? " A turn that is under way is answered first." : "";
  setText("confirm-text", `${id}, of the key ${client}: its conversation is deleted and its process ended.${ending}`);
  dialog.returnValue = "";
  dialog.addEventListener(
    "close",
    async () => {
      if (dialog.returnValue !== "yes") return;
      try {
        await endSession(client, id);
        setText("sessions-result", `The session ${id} of ${client} has ended.`);
      } catch (error) {
        setText("sessions-result", `It could not be ended: ${error.message}`);
      }
      await showSessions().catch(() => {});
      byId("sessions-section").querySelector(".scroll").focus();
    },
    { once: true },
  );
  dialog.showModal();
}
