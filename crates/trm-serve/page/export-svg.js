import { colours, css, shapesOf, shapesOfCell } from "./picture.js";

/** Seconds per step, and how long the answer stays. */
const STEP = 0.7;
const LAST = 2.5;

/**
 * An animated SVG that stands on its own: the maze once, and above it one group per step, of what that step draws.
 * @param {import("./frame.js").Frame[]} frames the first is the maze before any thinking
 * @param {string} title
 */
export function animatedSvg(frames, title) {
  const palette = colours();
  const { side } = frames[0].maze;
  const ground = shapesOf(frames[0], palette).map(markup).join("");
  const groups = frames.slice(1).map((frame) => `<g>${overlay(frame, frames[0], palette)}</g>`);
  const style = timing(frames.length);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}" width="${side * 24}" height="${side * 24}" role="img">`,
    `<title>${title}</title><style>text{font:bold .6px monospace;text-anchor:middle}${style}</style>`,
    ground,
    ...groups,
    "</svg>",
  ].join("\n");
}

/** Only the cells that differ from the bare maze are drawn again, above it. */
function overlay(frame, bare, palette) {
  const { cells } = frame.maze;
  return Array.from(cells, (_, index) => {
    const before = shapesOfCell(bare, index, palette).map(markup).join("");
    const after = shapesOfCell(frame, index, palette).map(markup).join("");
    return before === after ? "" : after;
  }).join("");
}

/** Each group is seen for its share of the loop. Who wants less motion gets the last step, standing still. */
function timing(count) {
  const total = (count - 1) * STEP + LAST;
  const at = (frame) => ((100 * frame * STEP) / total).toFixed(3);
  let rules = "g{visibility:hidden}";
  for (let frame = 1; frame < count; frame += 1) {
    const end = frame === count - 1 ? "" : `${at(frame + 1)}%{visibility:hidden}`;
    rules += `@keyframes s${frame}{0%{visibility:hidden}${at(frame)}%{visibility:visible}${end}}`;
    rules += `g:nth-of-type(${frame}){animation:s${frame} ${total}s step-end infinite}`;
  }
  return `${rules}@media(prefers-reduced-motion:reduce){g{animation:none!important}g:last-of-type{visibility:visible}}`;
}

const n = (value) => Number(value.toFixed(2));

function markup(shape) {
  const colour = css(shape.colour);
  switch (shape.kind) {
    case "box":
      return `<rect x="${n(shape.x)}" y="${n(shape.y)}" width="${n(shape.width)}" height="${n(shape.height)}" fill="${colour}"/>`;
    case "dot":
      return `<circle cx="${shape.x}" cy="${shape.y}" r="${shape.radius}" fill="${colour}"/>`;
    case "ring":
      return `<circle cx="${shape.x}" cy="${shape.y}" r="${shape.radius}" fill="none" stroke="${colour}" stroke-width=".12"/>`;
    case "line":
      return `<path d="M${shape.points.map((point) => point.map(n)).join("L")}" stroke="${colour}" stroke-width=".12"/>`;
    case "corner":
      return `<path d="M${shape.points.map((point) => point.map(n)).join("L")}Z" fill="${colour}"/>`;
    default:
      return `<text x="${shape.x}" y="${n(shape.y + 0.21)}" fill="${colour}">${shape.text}</text>`;
  }
}
