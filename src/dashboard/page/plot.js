// One plot: a card with its title, its present values in words, and a canvas by uPlot. Redrawn in the colours of the scheme.
import uPlot from "./uplot.js";
import { make } from "./dom.js";

const height = 150;
const plots = new Set();
const dark = matchMedia("(prefers-color-scheme: dark)");

/**
 * Makes a plot and hangs it into its place.
 *
 * @param options title; series: `{ label, color (a custom property's name), bars? }`; format: a value in words; axis: a value on the axis; least: how far the axis
 * goes at least
 */
export function createPlot(parent, { title, series, format, axis, least }) {
  const values = make("ul", { class: "values" });
  const canvas = make("div", { class: "canvas", role: "img" });
  parent.append(make("figure", { class: "card plot" }, make("figcaption", {}, title), values, canvas));
  const plot = { canvas, chart: undefined, data: undefined, range: undefined, build };
  plots.add(plot);

  function build() {
    plot.chart?.destroy();
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const lines = { stroke: color("--line"), width: 1 };
    const axisLook = { stroke: color("--quiet"), grid: lines, ticks: { show: false }, font: "11px Inter, system-ui" };
    const { font } = axisLook;
    plot.chart = new uPlot(
      {
        width: Math.max(200, canvas.clientWidth),
        height,
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, points: { size: 6 }, y: false },
        padding: [8, 8, 0, 0],
        scales: {
          x: { time: true, range: () => plot.range },
          y: { range: (_self, _min, max) => [0, Math.max(least, max * 1.15)] },
        },
        axes: [
          { ...axisLook, font, size: 26, space: 70, values: (_self, splits) => splits.map(hourMinute) },
          { ...axisLook, font, size: 52, space: 34, values: (_self, splits) => splits.map(axis) },
        ],
        series: [
          {},
          ...series.map(({ label, color: name, bars }) => ({
            label,
            stroke: color(name),
            fill: bars ? color(name) : `${color(name)}1f`,
            width: bars ? 0 : 1.75,
            points: { show: false },
            spanGaps: false,
            ...(bars ? { paths: uPlot.paths.bars({ size: [0.7, 40], align: 1 }) } : {}),
          })),
        ],
        hooks: { setCursor: [({ cursor }) => showValues(cursor.idx ?? undefined)] },
      },
      plot.data,
      canvas,
    );
  }

  function showValues(index) {
    const last = plot.shown[0].length - 1;
    const at = index ?? last;
    values.replaceChildren(
      ...series.map(({ label, color: name }, each) => {
        const value = plot.shown[each + 1][at];
        const swatch = make("span", { class: "swatch", "aria-hidden": "true" });
        swatch.style.background = `var(${name})`;
        return make("li", {}, swatch, `${label} `, make("b", {}, value == null ? "–" : format(value)));
      }),
    );
  }

  return {
    /** `data`: seconds, then one list for each series; `shown`: the same as told in words, where stacking makes them differ. */
    show(data, range, shown = data) {
      plot.data = data;
      plot.shown = shown;
      plot.range = range;
      if (plot.chart === undefined) build();
      else plot.chart.setData(data);
      showValues();
      const words = series.map(({ label }, each) => `${label}: ${describe(shown[each + 1], format)}`);
      canvas.setAttribute("aria-label", `${title}. ${words.join("; ")}.`);
    },
    remove() {
      plot.chart?.destroy();
      plots.delete(plot);
    },
  };
}

function describe(list, format) {
  const known = list.filter((value) => value != null);
  if (known.length === 0) return "nothing yet";
  return `now ${format(known.at(-1))}, at most ${format(known.reduce((a, b) => Math.max(a, b)))}`;
}

function hourMinute(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

dark.addEventListener("change", () => {
  for (const plot of plots) if (plot.chart !== undefined) plot.build();
});
new ResizeObserver(() => {
  for (const { chart, canvas } of plots) {
    const width = Math.max(200, canvas.clientWidth);
    if (chart !== undefined && chart.width !== width) chart.setSize({ width, height });
  }
}).observe(document.body);
