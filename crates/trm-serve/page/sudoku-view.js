import { GridView } from "./grid-view.js";
import { digitOf } from "./sudoku.js";

const MARKS = {
  changed: "changed in this step",
  wrong: "not the digit of the solution",
  broken: "the answer alters this given",
};
const MOST_PER_CELL = 56;

/**
 * One picture of the board: a Sudoku, and what the model answers at some step.
 * @typedef {object} SudokuFrame
 * @property {import("./sudoku.js").Sudoku} sudoku
 * @property {number[] | null} answer the tokens of the answer at this step
 * @property {number[] | null} before the tokens one step earlier, to mark what changed
 * @property {number[] | null} probability of the answered tokens, to tint by
 * @property {number[] | null} target the tokens of the solution, to show the difference to
 */

/** The board of a Sudoku. */
export class SudokuView extends GridView {
  /** @type {SudokuFrame} */
  #frame;
  #digits = [];
  #clashes = new Set();

  constructor(root, room) {
    super(root, room, MOST_PER_CELL);
  }

  /** @param {SudokuFrame} frame */
  show(frame) {
    const { sudoku, answer } = frame;
    this.#frame = frame;
    this.#digits = answer?.map(digitOf) ?? sudoku.digits;
    this.#clashes = sudoku.clashes(this.#digits);
    this.draw(sudoku.side, sudoku.side, "Sudoku");
  }

  /** "row 3, column 4, given 7" and what else is to be known about a cell. */
  describe(index) {
    const { text, heat, data } = this.lookAt(index);
    const cell = data.cell === "empty" ? "empty" : `${data.cell === "given" ? "given" : "answered"} ${text}`;
    const chance = heat === null ? "" : `, probability ${Math.round(100 * heat)} %`;
    const clash = data.clash ? ", clashes with another" : "";
    return `${this.placeOf(index)}, ${cell}${chance}${clash}${data.mark ? `, ${MARKS[data.mark]}` : ""}`;
  }

  /** @returns {import("./grid-view.js").CellLook} */
  lookAt(index) {
    const { sudoku, probability, target } = this.#frame;
    const given = sudoku.digits[index];
    const digit = this.#digits[index];
    const kept = given > 0 && digit === given;
    return {
      text: digit > 0 ? String(digit) : "",
      heat: kept || digit === 0 || !probability ? null : probability[index],
      data: {
        cell: digit === 0 ? "empty" : kept ? "given" : "answer",
        edges: sudoku.edges(index),
        // Beside a shown difference, clashes would only confuse.
        clash: !target && this.#clashes.has(index) ? "true" : "",
        mark: this.#markOf(index, given, digit),
      },
    };
  }

  #markOf(index, given, digit) {
    const { answer, before, target } = this.#frame;
    if (!answer) return "";
    if (given > 0 && digit !== given) return "broken";
    if (target) return answer[index] === target[index] ? "" : "wrong";
    return before && before[index] !== answer[index] ? "changed" : "";
  }
}
