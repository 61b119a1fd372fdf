import { lookOf } from "./frame.js";
import { GridView } from "./grid-view.js";

const LETTERS = { start: "S", goal: "G" };
const MARKS = {
  changed: "changed in this step",
  missing: "missing from the answer",
  surplus: "surplus in the answer",
  broken: "the answer alters the maze here",
};

/** The board of a maze. */
export class BoardView extends GridView {
  /** @type {import("./frame.js").Frame | null} */
  #frame = null;

  get side() {
    return this.rows;
  }

  /** @param {import("./frame.js").Frame} frame */
  show(frame) {
    this.#frame = frame;
    this.draw(frame.maze.side, frame.maze.side, "Maze");
  }

  /** "row 3, column 5: wall" and what else is to be known about a cell. */
  describe(index) {
    const { cell, mark, heat } = lookOf(this.#frame, index);
    const chance = heat === null ? "" : `, path probability ${Math.round(100 * heat)} %`;
    return `${this.placeOf(index)}: ${cell}${chance}${mark ? `, ${MARKS[mark]}` : ""}`;
  }

  /** @returns {import("./grid-view.js").CellLook} */
  lookAt(index) {
    const { cell, heat, links, mark } = lookOf(this.#frame, index);
    return { text: LETTERS[cell] ?? "", heat, data: { cell, links, mark } };
  }
}
