import { percent, svg } from "./dom.js";

const WIDTH = 400;

/**
 * The confidence over the steps. The first and the last step lie where the thumb of the scrubber below stands.
 * @param {{confidence: number}[]} steps
 * @param {{position: number, halt: {step: number, word: string} | null, inset: number, width: number,
 *   label: string}} options `halt` is the step to mark, and how
 */
export function confidenceCurve(steps, { position, halt, inset, width, label }) {
  const height = 108;
  const [top, bottom] = [14, height - 6];
  const x = (step) => inset + (step / Math.max(steps.length, 1)) * (width - 2 * inset);
  const y = (confidence) => bottom - confidence * (bottom - top);
  const points = steps.map(({ confidence }, index) => [x(index + 1), y(confidence)]);

  const nodes = [
    ...[0, 0.5, 1].map((level) => svg("line", { class: "grid", x1: 0, x2: width, y1: y(level), y2: y(level) })),
    svg("text", { x: 0, y: y(1) - 4 }, "100 %"),
    svg("text", { x: 0, y: y(0.5) - 4 }, "50 %"),
    svg("line", { class: "now", x1: x(position), x2: x(position), y1: top, y2: bottom }),
  ];
  if (halt !== null) {
    const at = x(halt.step);
    const left = at > width / 2;
    nodes.push(
      svg("line", { class: "halt", x1: at, x2: at, y1: top, y2: bottom }),
      svg("text", { class: "halt", x: at + (left ? -6 : 6), y: bottom - 6, "text-anchor": left ? "end" : "start" }, halt.word),
    );
  }
  nodes.push(
    svg("polyline", { class: "curve", points: points.map((point) => point.join(",")).join(" ") }),
    ...points.map(([cx, cy], index) =>
      svg("circle", { class: index + 1 === position ? "dot here" : "dot", cx, cy, r: index + 1 === halt?.step ? 6 : 4 }),
    ),
  );
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": label }, ...nodes);
}

/**
 * Bars of counts.
 * @param {{label: string, count: number}[]} bars @param {string} label what a screen reader hears
 */
export function histogram(bars, label) {
  const height = 170;
  const [top, bottom] = [18, height - 22];
  const most = Math.max(...bars.map(({ count }) => count), 1);
  const slot = WIDTH / bars.length;
  const nodes = bars.flatMap(({ label: name, count }, index) => {
    const middle = (index + 0.5) * slot;
    const tall = (count / most) * (bottom - top);
    const bar = svg("rect", { class: "bar", x: index * slot + 3, width: slot - 6, y: bottom - tall, height: tall, rx: 3 });
    const above = count > 0 ? [svg("text", { x: middle, y: bottom - tall - 5, "text-anchor": "middle" }, String(count))] : [];
    return [bar, ...above, svg("text", { x: middle, y: height - 6, "text-anchor": "middle" }, name)];
  });
  const axis = svg("line", { class: "axis", x1: 0, x2: WIDTH, y1: bottom, y2: bottom });
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": label }, ...nodes, axis);
}

/** A share with its interval, on a line from 0 to 100 %. */
export function interval(share, [low, high]) {
  const x = (value) => 6 + value * (WIDTH - 12);
  return svg(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} 24`,
      role: "img",
      "aria-label": `${percent(share, 1)} exact, 95 % interval from ${percent(low, 1)} to ${percent(high, 1)}`,
    },
    svg("line", { class: "grid", x1: x(0), x2: x(1), y1: 12, y2: 12 }),
    svg("rect", { class: "span", x: x(low), width: Math.max(x(high) - x(low), 2), y: 7, height: 10, rx: 5 }),
    svg("circle", { class: "dot here", cx: x(share), cy: 12, r: 6 }),
  );
}
