// The plots of traffic: requests, first-token times, waiting, processes, memory, failures.
import { byId, count, short } from "./dom.js";
import { createPlot } from "./plot.js";

const milliseconds = (value) => (value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${count(Math.round(value))} ms`);
const megabytes = (value) => `${count(Math.round(value))} MB`;
const whole = (value) => count(+value.toFixed(1));

/** How many minutes are one point, for each range that can be chosen. */
const minutesOfPoint = { 1: 1, 6: 5, 24: 15 };

/**
 * Each plot: title, how values are told, how high it is at least, and which columns it shows. Several minutes of one point are
 * their mean; of a peak, the greatest.
 */
const table = [
  {
    title: "Requests a minute",
    format: whole,
    axis: short,
    least: 5,
    series: [
      { label: "answered", color: "--plot-1", column: "answered" },
      { label: "refused", color: "--plot-4", column: "refused" },
      { label: "failed", color: "--plot-3", column: "failed" },
    ],
  },
  {
    title: "Time to the first token",
    format: milliseconds,
    axis: milliseconds,
    least: 100,
    series: [
      { label: "p50", color: "--plot-1", column: "firstTokenP50Ms" },
      { label: "p95", color: "--plot-2", column: "firstTokenP95Ms", isPeak: true },
    ],
  },
  {
    title: "Running and waiting",
    format: count,
    axis: short,
    least: 4,
    series: [
      { label: "running", color: "--plot-1", column: "running", isPeak: true },
      { label: "queued", color: "--plot-4", column: "queued", isPeak: true },
      { label: "wait for the credential", color: "--plot-3", column: "parked", isPeak: true },
    ],
  },
  {
    title: "Claude processes",
    format: count,
    axis: short,
    least: 4,
    series: [{ label: "processes", color: "--plot-2", column: "processes", isPeak: true }],
  },
  {
    title: "Memory",
    format: megabytes,
    axis: (value) => `${short(value)} MB`,
    least: 100,
    scale: 1 / 1_048_576,
    series: [
      { label: "server", color: "--plot-1", column: "serverBytes", isPeak: true },
      { label: "Claude processes", color: "--plot-2", column: "claudeBytes", isPeak: true },
    ],
  },
  {
    title: "The credential, a minute",
    format: whole,
    axis: short,
    least: 2,
    series: [
      { label: "failed authentications", color: "--plot-3", column: "authFailures" },
      { label: "refreshes", color: "--plot-2", column: "refreshes" },
    ],
  },
];

const made = [];

/** Draws them all, over the time that is chosen. */
export function showPlots({ minutes, nowMs }) {
  const hours = Number(document.querySelector('input[name="range"]:checked').value);
  const range = [nowMs / 1000 - hours * 3600, nowMs / 1000];
  const points = pointsOf(minutes.atMs, range[0] * 1000, minutesOfPoint[hours] * 60_000);
  if (made.length === 0) for (const row of table) made.push(createPlot(byId("plots"), row));
  const seconds = points.map(({ atMs }) => atMs / 1000);
  table.forEach(({ series, scale = 1 }, index) => {
    const lists = series.map(({ column, isPeak }) =>
      points.map(({ from, to }) => {
        const value = join(minutes[column].slice(from, to), isPeak);
        return value === null ? null : value * scale;
      }),
    );
    made[index].show([seconds, ...lists], range);
  });
}

/** The points from a time on, each with the minutes (`from` to before `to`) that are in it. */
function pointsOf(atMs, beginMs, lengthMs) {
  const points = [];
  atMs.forEach((minuteMs, index) => {
    if (minuteMs < beginMs - 60_000) return;
    const pointMs = Math.floor(minuteMs / lengthMs) * lengthMs;
    const last = points.at(-1);
    if (last?.atMs === pointMs) last.to = index + 1;
    else points.push({ atMs: pointMs, from: index, to: index + 1 });
  });
  return points;
}

function join(values, isPeak) {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  return isPeak ? Math.max(...known) : known.reduce((sum, value) => sum + value, 0) / known.length;
}
