// The tokens of a cell, as the data sets have them: 1 is empty, the digit d is d + 1.
const EMPTY = 1;

/** Signs that stand for an empty cell in text, and those that mean nothing. */
const BLANK = "._*0";
const FRAME = /[\s|+\u2010-\u2015-]/g;

/** Rows and columns of the boxes of each side. */
const BOXES = { 4: [2, 2], 6: [2, 3], 9: [3, 3] };

/** @param {number} token the digit of a token, 0 for none */
export const digitOf = (token) => Math.max(token - EMPTY, 0);

/** A Sudoku as it is asked, its givens; immutable, so that undo is a list of Sudokus. */
export class Sudoku {
  /** @param {number} side @param {number[]} digits side * side of them, row by row, 0 for an empty cell */
  constructor(side, digits) {
    this.side = side;
    this.digits = digits;
  }

  /** @param {number} side */
  static empty(side) {
    return new Sudoku(side, new Array(side * side).fill(0));
  }

  /** A Sudoku from the server's rows of tokens. */
  static fromRows(rows) {
    return new Sudoku(rows.length, rows.flat().map(digitOf));
  }

  /**
   * A Sudoku from text: its cells in order, in lines or not, with bars between the boxes or not.
   * @param {string} text @throws {Error} with a plain sentence when it is none
   */
  static fromText(text) {
    const signs = [...text.replace(FRAME, "")];
    const side = Math.sqrt(signs.length);
    if (!BOXES[side]) throw new Error(`${signs.length} cells are no Sudoku; give 81 of them, or 16 or 36.`);
    const digits = signs.map((sign) => (BLANK.includes(sign) ? 0 : /\d/.test(sign) ? Number(sign) : NaN));
    const wrong = digits.findIndex((digit) => !(digit <= side));
    if (wrong >= 0) {
      const place = `row ${Math.floor(wrong / side) + 1}, column ${(wrong % side) + 1}`;
      throw new Error(`In ${place}, “${signs[wrong]}” is no cell; use the digits 1 to ${side}, and . or 0 for an empty one.`);
    }
    return new Sudoku(side, digits);
  }

  /** One flat line of text, as the API takes it. */
  toFlat() {
    return this.digits.map((digit) => digit || ".").join("");
  }

  /** A line for each row. */
  toText() {
    return this.toFlat().match(new RegExp(`.{${this.side}}`, "g")).join("\n");
  }

  /** The Sudoku with another digit in a cell, 0 for none. */
  with(index, digit) {
    if (this.digits[index] === digit) return this;
    return new Sudoku(this.side, this.digits.with(index, digit));
  }

  equals(other) {
    return this.side === other.side && this.toFlat() === other.toFlat();
  }

  /** The sides of a cell that lie on the edge of a box, but not of the board: some of "n", "w". */
  edges(index) {
    const [rows, columns] = BOXES[this.side];
    const row = Math.floor(index / this.side);
    const column = index % this.side;
    return (row > 0 && row % rows === 0 ? "n" : "") + (column > 0 && column % columns === 0 ? "w" : "");
  }

  /** The cells whose digit stands in their row, column or box once more. @param {number[]} digits of a board of this side */
  clashes(digits) {
    const { side } = this;
    const [rows, columns] = BOXES[side];
    const units = new Map();
    digits.forEach((digit, index) => {
      if (digit === 0) return;
      const row = Math.floor(index / side);
      const column = index % side;
      const box = `${Math.floor(row / rows)} ${Math.floor(column / columns)}`;
      for (const unit of [`row ${row}`, `column ${column}`, `box ${box}`]) {
        const key = `${unit}: ${digit}`;
        units.set(key, [...(units.get(key) ?? []), index]);
      }
    });
    return new Set([...units.values()].filter((cells) => cells.length > 1).flat());
  }
}
