import { lookOf } from "./frame.js";
import { OPEN, PATH } from "./maze.js";

const COLOURS = ["wall", "open", "thread", "start", "goal", "on-end", "missing", "surplus", "changed"];
/** How strongly a certain path tints its cell; as in page.css. */
const TINT = 0.46;

/** The colours of the theme in force, as [red, green, blue]. */
export function colours() {
  const probe = document.body.appendChild(document.createElement("i"));
  const read = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
  };
  const found = Object.fromEntries(COLOURS.map((name) => [name, read(name)]));
  probe.remove();
  return found;
}

export const css = (colour) => `rgb(${colour.map(Math.round).join(" ")})`;

const mix = (from, to, share) => from.map((value, channel) => value + (to[channel] - value) * share);

/**
 * A frame as simple shapes in units of cells: what every export draws.
 * @typedef {{kind: "box", x: number, y: number, width: number, height: number, colour: number[]}
 *   | {kind: "dot" | "ring", x: number, y: number, radius: number, colour: number[]}
 *   | {kind: "line", points: number[][], colour: number[]}
 *   | {kind: "letter", x: number, y: number, text: string, colour: number[]}
 *   | {kind: "corner", points: number[][], colour: number[]}} Shape
 * @param {import("./frame.js").Frame} frame @returns {Shape[]}
 */
export function shapesOf(frame, palette = colours()) {
  const { side, cells } = frame.maze;
  const ground = { kind: "box", x: 0, y: 0, width: side, height: side, colour: palette.open };
  return [ground, ...Array.from(cells, (_, index) => shapesOfCell(frame, index, palette)).flat()];
}

/** The shapes of one cell, without the ground. @returns {Shape[]} */
export function shapesOfCell(frame, index, palette) {
  const { side } = frame.maze;
  const look = lookOf(frame, index);
  const x = index % side;
  const y = Math.floor(index / side);
  const box = (colour, [left, top, width, height] = [0, 0, 1, 1]) => ({
    kind: "box", x: x + left, y: y + top, width, height, colour,
  });
  const shapes = [];
  if (look.cell === "wall") shapes.push(box(palette.wall));
  if (look.cell === "start" || look.cell === "goal") {
    const text = look.cell === "start" ? "S" : "G";
    shapes.push(box(palette[look.cell]), { kind: "letter", x: x + 0.5, y: y + 0.5, text, colour: palette["on-end"] });
  }
  if (look.token === OPEN || look.token === PATH) {
    if (look.heat > 0.01) shapes.push(box(mix(palette.open, palette.thread, TINT * look.heat)));
  }
  if (look.token === PATH) {
    const arms = { n: [0.34, 0, 0.32, 0.5], e: [0.5, 0.34, 0.5, 0.32], s: [0.34, 0.5, 0.32, 0.5], w: [0, 0.34, 0.5, 0.32] };
    shapes.push({ kind: "dot", x: x + 0.5, y: y + 0.5, radius: look.links ? 0.16 : 0.24, colour: palette.thread });
    for (const arm of look.links) shapes.push(box(palette.thread, arms[arm]));
  }
  shapes.push(...markShapes(look.mark, x, y, palette));
  return shapes;
}

function markShapes(mark, x, y, palette) {
  const cross = [[[0.2, 0.2], [0.8, 0.8]], [[0.2, 0.8], [0.8, 0.2]]];
  const at = (points) => points.map(([dx, dy]) => [x + dx, y + dy]);
  switch (mark) {
    case "changed":
      return [{ kind: "corner", points: at([[0.66, 0], [1, 0], [1, 0.34]]), colour: palette.changed }];
    case "missing":
      return [{ kind: "ring", x: x + 0.5, y: y + 0.5, radius: 0.28, colour: palette.missing }];
    case "surplus":
      return cross.map((points) => ({ kind: "line", points: at(points), colour: palette.surplus }));
    case "broken": {
      const stripes = [[[0, 0.5], [0.5, 0]], [[0, 1], [1, 0]], [[0.5, 1], [1, 0.5]]];
      return stripes.map((points) => ({ kind: "line", points: at(points), colour: palette.surplus }));
    }
    default:
      return [];
  }
}

/** Draws shapes on a new canvas. @param {number} scale pixels per cell */
export function paint(shapes, side, scale) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side * scale;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.scale(scale, scale);
  context.textAlign = "center";
  context.font = "bold 0.6px ui-monospace, Menlo, Consolas, monospace";
  context.lineWidth = 0.12;
  for (const shape of shapes) {
    context.fillStyle = context.strokeStyle = css(shape.colour);
    PAINTERS[shape.kind](context, shape);
  }
  return canvas;
}

const PAINTERS = {
  box: (context, { x, y, width, height }) => context.fillRect(x, y, width, height),
  dot(context, { x, y, radius }) {
    circle(context, x, y, radius);
    context.fill();
  },
  ring(context, { x, y, radius }) {
    circle(context, x, y, radius);
    context.stroke();
  },
  line(context, { points: [from, to] }) {
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
  },
  letter: (context, { x, y, text }) => context.fillText(text, x, y + 0.21),
  corner(context, { points }) {
    context.beginPath();
    for (const point of points) context.lineTo(...point);
    context.fill();
  },
};

function circle(context, x, y, radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
}
