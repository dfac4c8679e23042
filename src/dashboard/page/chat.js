// A small box that asks a model and shows the answer as it comes.
import { ask } from "./api.js";
import { byId, make, setText } from "./dom.js";

let running;

/** Offers the models, once. */
export function offerModels(models) {
  const select = byId("chat-model");
  if (select.options.length > 0) return;
  for (const name of models) select.append(make("option", { value: name, selected: name === "haiku" }, name));
}

/** Makes the box work. */
export function startChat() {
  byId("chat").addEventListener("submit", (event) => {
    event.preventDefault();
    if (running === undefined) void answer();
  });
  byId("chat-text").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    byId("chat").requestSubmit();
  });
  byId("chat-stop").addEventListener("click", () => running?.abort());
}

async function answer() {
  const place = byId("chat-answer");
  const startedAt = performance.now();
  const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  running = new AbortController();
  byId("chat-stop").hidden = false;
  place.hidden = false;
  place.replaceChildren();
  setText("chat-status", "Waiting for the first word …");
  byId("chat-status").dataset.tone = "busy";
  let firstAfter;
  try {
    for await (const piece of ask(byId("chat-model").value, byId("chat-text").value, running.signal)) {
      firstAfter ??= seconds();
      place.append(piece);
      place.scrollTop = place.scrollHeight;
    }
    byId("chat-status").dataset.tone = "good";
    setText(
      "chat-status",
      `Done after ${seconds()}${firstAfter === undefined ? "" : `, first word after ${firstAfter}`}.`,
    );
  } catch (error) {
    const isStopped = running.signal.aborted;
    byId("chat-status").dataset.tone = isStopped ? "busy" : "bad";
    setText("chat-status", isStopped ? "Stopped." : error.message);
  } finally {
    running = undefined;
    byId("chat-stop").hidden = true;
  }
}
