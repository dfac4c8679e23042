// The last 24 hours as a band in the colours of the states, with marks for refreshes and failures; and the same as a table.
import { byId, clock, make, span } from "./dom.js";
import { states } from "./state.js";

const dayMs = 24 * 60 * 60_000;

/** Draws it. */
export function showTimeline({ nowMs, startedAtMs, states: changes, refreshes, minutes, authentication }) {
  const beginMs = nowMs - dayMs;
  const place = (atMs) => `${(Math.max(0, (atMs - beginMs) / dayMs) * 100).toFixed(3)}%`;
  const band = make("div", { class: "band" });
  for (const { fromMs, toMs, state } of spansOf(changes, Math.max(startedAtMs, beginMs), nowMs, authentication.state)) {
    const part = make("span", { class: "part", "data-tone": states[state]?.tone ?? "idle" });
    part.style.left = place(fromMs);
    part.style.width = `${(((toMs - fromMs) / dayMs) * 100).toFixed(3)}%`;
    part.title = `${states[state]?.word ?? state}: ${clock(fromMs, nowMs)} – ${clock(toMs, nowMs)} (${span(toMs - fromMs)})`;
    band.append(part);
  }
  const marks = make("div", { class: "marks" });
  minutes.atMs.forEach((atMs, index) => {
    const failures = minutes.authFailures[index];
    if (failures > 0) marks.append(mark("failure", atMs, `${failures} failed authentications`));
  });
  for (const { atMs, outcome, trigger } of refreshes) {
    marks.append(mark(outcome === "success" ? "refresh" : "refresh failed", atMs, `Refresh (${trigger}): ${outcome}`));
  }
  const hours = make("div", { class: "hours" });
  for (let hour = 0; hour <= 24; hour += 6) {
    const label = make("span", {}, hour === 24 ? "now" : `−${24 - hour} h`);
    label.style.left = `${(hour / 24) * 100}%`;
    hours.append(label);
  }
  byId("timeline").replaceChildren(marks, band, hours);

  function mark(kind, atMs, words) {
    const element = make("span", { class: `tick ${kind}`, title: `${clock(atMs, nowMs)}: ${words}` });
    element.style.left = place(atMs);
    return element;
  }
  showRows({ nowMs, startedAtMs, changes, refreshes, minutes });
}

/** From one change to the next. Before the first one it was what that one says that it left. */
function spansOf(changes, beginMs, nowMs, present) {
  const marks = changes.filter(({ atMs }) => atMs > beginMs);
  const before = changes.findLast(({ atMs }) => atMs <= beginMs)?.to;
  let state = before ?? marks[0]?.from ?? present;
  let fromMs = beginMs;
  const spans = [];
  for (const { atMs, to } of marks) {
    spans.push({ fromMs, toMs: atMs, state });
    fromMs = atMs;
    state = to;
  }
  spans.push({ fromMs, toMs: nowMs, state });
  return spans;
}

function showRows({ nowMs, startedAtMs, changes, refreshes, minutes }) {
  const rows = [
    { atMs: startedAtMs, text: "The server started" },
    ...changes.map(({ atMs, to }) => ({ atMs, text: `State: ${states[to]?.word ?? to} (${to})` })),
    ...refreshes.map(({ atMs, trigger, outcome, durationMs }) => ({
      atMs,
      text: `Refresh (${trigger}): ${outcome}, after ${span(durationMs)}`,
    })),
    ...minutes.atMs.flatMap((atMs, index) =>
      minutes.authFailures[index] > 0
        ? [{ atMs, text: `${minutes.authFailures[index]} failed authentications in this minute` }]
        : [],
    ),
  ].toSorted((a, b) => b.atMs - a.atMs);
  byId("timeline-rows").replaceChildren(
    ...rows
      .slice(0, 200)
      .map(({ atMs, text }) => make("tr", {}, make("td", { class: "time" }, clock(atMs, nowMs)), make("td", {}, text))),
  );
}
