// Tokens and cost of the last day: by model or by key, an hour a bar; and every pair of them in a table.
import { byId, count, dollars, make, short } from "./dom.js";
import { createPlot } from "./plot.js";

const hourMs = 3_600_000;
const colors = ["--plot-1", "--plot-2", "--plot-4", "--plot-3", "--plot-5", "--plot-6"];
const measures = [
  { title: "Tokens an hour", of: (row) => row.inputTokens + row.outputTokens, format: count, axis: short, least: 1000 },
  {
    title: "Cost an hour",
    of: (row) => row.costUsd,
    format: dollars,
    axis: (value) => `$${short(value)}`,
    least: 0.01,
  },
];

let made = { key: "", plots: [] };

/** Draws it. */
export function showUsage({ usage, nowMs }) {
  const group = document.querySelector('input[name="group"]:checked').value;
  const names = largest(usage, group);
  const key = JSON.stringify([group, names]);
  if (key !== made.key) {
    for (const plot of made.plots) plot.remove();
    byId("usage-plots").replaceChildren();
    // The tallest of a stack is drawn first.
    const series = names.map((label, index) => ({ label, color: colors[index], bars: true })).toReversed();
    const labelled = series.length === 0 ? [{ label: "none yet", color: colors[0], bars: true }] : series;
    made = {
      key,
      plots: measures.map((measure) => createPlot(byId("usage-plots"), { ...measure, series: labelled })),
    };
  }
  const lastHour = Math.floor(nowMs / hourMs) * hourMs;
  const hours = Array.from({ length: 24 }, (_, index) => lastHour - (23 - index) * hourMs);
  const seconds = hours.map((atMs) => atMs / 1000);
  measures.forEach(({ of }, index) => {
    const lists = names.map((name) =>
      hours.map((atMs) =>
        usage
          .filter((row) => row.atMs === atMs && nameIn(row, group, names) === name)
          .reduce((sum, row) => sum + of(row), 0),
      ),
    );
    const stacked = lists.map((_, each) => hours.map((_hour, at) => sum(lists.slice(0, each + 1), at)));
    const none = hours.map(() => 0);
    const drawn = names.length === 0 ? [none] : stacked.toReversed();
    const told = names.length === 0 ? [none] : lists.toReversed();
    made.plots[index].show([seconds, ...drawn], [seconds[0], seconds[23] + 3600], [seconds, ...told]);
  });
  showRows(usage);
}

const sum = (lists, at) => lists.reduce((total, list) => total + list[at], 0);

/** The names with the greatest cost; what has no colour of its own is one. */
function largest(usage, group) {
  const totals = new Map();
  for (const row of usage) {
    totals.set(row[group], (totals.get(row[group]) ?? 0) + row.costUsd + (row.inputTokens + row.outputTokens) / 1e9);
  }
  const names = [...totals].toSorted(([, a], [, b]) => b - a).map(([name]) => name);
  return names.length <= colors.length ? names : [...names.slice(0, colors.length - 1), "(all others)"];
}

function nameIn(row, group, names) {
  return names.includes(row[group]) ? row[group] : "(all others)";
}

function showRows(usage) {
  const pairs = new Map();
  for (const row of usage) {
    const key = JSON.stringify([row.client, row.model]);
    const before = pairs.get(key) ?? { ...row, turns: 0, inputTokens: 0, outputTokens: 0, costUsd: 0 };
    for (const what of ["turns", "inputTokens", "outputTokens", "costUsd"]) before[what] += row[what];
    pairs.set(key, before);
  }
  const rows = [...pairs.values()].toSorted((a, b) => b.costUsd - a.costUsd);
  const cell = (text) => make("td", { class: "number" }, text);
  byId("usage-rows").replaceChildren(
    ...(rows.length === 0
      ? [make("tr", {}, make("td", { colspan: 6, class: "quiet" }, "No turn has ended yet."))]
      : rows.map((row) =>
          make(
            "tr",
            {},
            make("td", {}, row.client),
            make("td", {}, row.model),
            cell(count(row.turns)),
            cell(count(row.inputTokens)),
            cell(count(row.outputTokens)),
            cell(dollars(row.costUsd)),
          ),
        )),
  );
}
