/** Throughput as stacked bars, a bar a minute; the same figures as a table for who cannot see or wants to copy them. */
import type { ThroughputPoint } from "../api.ts";
import { h, type VNode } from "./dom.ts";
import { count, exact } from "./format.ts";
import { table } from "./parts.ts";

const SERIES = ["succeeded", "retried", "dead", "cancelled"] as const;
const WIDTH = 600;
const HEIGHT = 120;
const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** The minute that a bar is for, by the reader's clock. */
export function minuteOf(at: number): string {
  return time.format(at);
}

/** The chart with its legend, axis and table. */
export function throughputChart(points: readonly ThroughputPoint[]): VNode {
  const totals = points.map((point) => SERIES.reduce((sum, name) => sum + point[name], 0));
  const top = niceCeiling(Math.max(1, ...totals));
  const sums = Object.fromEntries(SERIES.map((name) => [name, points.reduce((sum, point) => sum + point[name], 0)]));
  const legend = SERIES.map((name) =>
    h(
      "li",
      { key: name },
      h("span", { class: `swatch fill-${name}` }),
      `${name} `,
      h("b", null, count(sums[name] ?? 0)),
    ),
  );
  const said = SERIES.map((name) => `${exact(sums[name] ?? 0)} ${name}`).join(", ");
  return h(
    "div",
    { class: "chart" },
    h("ul", { class: "legend" }, legend),
    h(
      "div",
      { class: "plot" },
      h("span", { class: "axis-top" }, count(top)),
      h("span", { class: "axis-zero" }, "0"),
      h(
        "svg",
        {
          viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
          preserveAspectRatio: "none",
          role: "img",
          "aria-label": `Finished work in the last hour, by minute: ${said}.`,
        },
        [0, 0.5, 1].map((part) =>
          h("line", { key: `line ${part}`, class: "grid", x1: 0, x2: WIDTH, y1: part * HEIGHT, y2: part * HEIGHT }),
        ),
        points.map((point, index) => bar(point, index, points.length, top)),
      ),
    ),
    h("div", { class: "axis" }, axisLabels(points)),
    h("details", { class: "figures" }, h("summary", null, "Figures"), figures(points)),
  );
}

function bar(point: ThroughputPoint, index: number, of: number, top: number): VNode {
  const slot = WIDTH / of;
  let y = HEIGHT;
  const rects = SERIES.map((name) => {
    const height = (point[name] / top) * HEIGHT;
    y -= height;
    return h("rect", {
      class: `fill-${name}`,
      x: index * slot + 1,
      width: slot - 2,
      y: round(y),
      height: round(height),
    });
  });
  const said = SERIES.filter((name) => point[name] > 0).map((name) => `${exact(point[name])} ${name}`);
  const title = `${time.format(point.at)}: ${said.length === 0 ? "nothing" : said.join(", ")}`;
  // The transparent one makes the whole minute answer to the pointer.
  const field = h("rect", { class: "fill-none", x: index * slot, width: slot, y: 0, height: HEIGHT });
  return h("g", { key: String(point.at) }, h("title", null, title), field, rects);
}

function axisLabels(points: readonly ThroughputPoint[]): VNode[] {
  const marks = [0, 0.25, 0.5, 0.75].map((part) => points[Math.floor(part * points.length)]);
  return [
    ...marks.flatMap((point) => (point === undefined ? [] : [h("span", null, time.format(point.at))])),
    h("span", null, "now"),
  ];
}

function figures(points: readonly ThroughputPoint[]): VNode {
  const busy = points.filter((point) => SERIES.some((name) => point[name] > 0)).reverse();
  if (busy.length === 0) return h("p", { class: "quiet" }, "Nothing finished in the last hour.");
  return table(
    "Finished work by minute",
    [
      { label: "minute", cell: (point: ThroughputPoint) => time.format(point.at) },
      ...SERIES.map((name) => ({
        label: name,
        kind: "number" as const,
        cell: (point: ThroughputPoint) => exact(point[name]),
      })),
    ],
    busy,
    (point) => String(point.at),
  );
}

/** The next round number: a scale that does not twitch with each job. */
function niceCeiling(value: number): number {
  if (value <= 10) return Math.ceil(value);
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 1.5, 2, 3, 4, 5, 6, 8].find((step) => step * power >= value) ?? 10);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
