import { cellName, links, OPEN, PATH } from "./maze.js";

/**
 * One picture of the board: a maze, and what the model answers at some step. The board, and every export, shows frames.
 * @typedef {object} Frame
 * @property {import("./maze.js").Maze} maze
 * @property {ArrayLike<number> | null} answer the tokens of the answer at this step
 * @property {ArrayLike<number> | null} before the tokens one step earlier, to mark what changed
 * @property {ArrayLike<number> | null} probability of path, to tint by
 * @property {ArrayLike<number> | null} target the true shortest path, to show the difference to
 */

/**
 * How one cell of a frame looks.
 * @typedef {object} Look
 * @property {number} token
 * @property {string} cell the token's name
 * @property {string} links the sides the thread leaves by
 * @property {number | null} heat the probability to tint by
 * @property {"" | "changed" | "missing" | "surplus" | "broken"} mark
 */

/** @param {Frame} frame @param {number} index @returns {Look} */
export function lookOf({ maze, answer, before, probability, target }, index) {
  const shown = answer ?? maze.cells;
  const token = shown[index];
  const passable = token === OPEN || token === PATH;
  return {
    token,
    cell: cellName(token),
    links: token === PATH ? links(shown, maze.side, index) : "",
    heat: probability && passable ? probability[index] : null,
    mark: answer ? markOf(maze.cells[index], token, before?.[index], target?.[index]) : "",
  };
}

function markOf(given, token, before, target) {
  const kept = token === given || (given === OPEN && token === PATH);
  if (!kept) return "broken";
  if (target !== undefined && (target === PATH) !== (token === PATH)) return token === PATH ? "surplus" : "missing";
  // Beside a shown difference, the marks of change would only confuse.
  return target === undefined && before !== undefined && before !== token ? "changed" : "";
}
