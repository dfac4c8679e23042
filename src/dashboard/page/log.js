// The live event log, newest first, with its filters. Holds what the server holds: 2,000 entries.
import { byId, clock, make, setText } from "./dom.js";

const maxEntries = 2_000;
const maxRows = 300;
const levels = ["debug", "info", "warn", "error"];
let entries = [];
let isDue = false;

/** Takes the entries that were there before; `isWhole`: instead of all that was shown. */
export function addBacklog({ isWhole, entries: older }) {
  entries = (isWhole ? older : [...entries, ...older]).slice(-maxEntries);
  drawSoon();
}

/** Takes a new one. */
export function addEntry(entry) {
  entries.push(entry);
  if (entries.length > maxEntries) entries.shift();
  drawSoon();
}

/** Makes the filters work. */
export function startLog() {
  byId("log-filters").addEventListener("submit", (event) => event.preventDefault());
  byId("log-filters").addEventListener("input", drawSoon);
}

function drawSoon() {
  if (isDue) return;
  isDue = true;
  // Not by animation frames: those stand still in a tab that is not seen.
  setTimeout(() => {
    isDue = false;
    draw();
  }, 100);
}

function draw() {
  offerTypes();
  const least = levels.indexOf(byId("log-level").value);
  const type = byId("log-type").value;
  const text = byId("log-text").value.trim().toLowerCase();
  const matching = entries.filter(
    (entry) =>
      levels.indexOf(entry.level) >= least &&
      (type === "" || entry.type === type) &&
      (text === "" || `${entry.type} ${entry.text}`.toLowerCase().includes(text)),
  );
  const rows = matching.slice(-maxRows).toReversed();
  byId("log-rows").replaceChildren(...rows.map(toRow));
  const shown = rows.length < matching.length ? `the newest ${rows.length} of ${matching.length}` : `${rows.length}`;
  setText("log-count", `${shown} shown, ${entries.length} kept.`);
}

function toRow({ atMs, level, type, text }) {
  return make(
    "li",
    { "data-level": level },
    make("time", { datetime: new Date(atMs).toISOString() }, clock(atMs)),
    make("span", { class: "level" }, level),
    make("span", { class: "type" }, type),
    make("span", { class: "text" }, text),
  );
}

function offerTypes() {
  const select = byId("log-type");
  const known = new Set([...select.options].map(({ value }) => value));
  for (const type of [...new Set(entries.map((entry) => entry.type))].toSorted((a, b) => (a < b ? -1 : 1))) {
    if (!known.has(type)) select.append(make("option", { value: type }, type));
  }
}
