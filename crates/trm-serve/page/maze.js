// The tokens of a cell, as the data sets have them.
export const WALL = 1;
export const OPEN = 2;
export const START = 3;
export const GOAL = 4;
export const PATH = 5;

const NAMES = ["blank", "wall", "open", "start", "goal", "path"];
const LETTERS = " # SGo";

/** @param {number} token */
export const cellName = (token) => NAMES[token] ?? "blank";

/** A square maze; immutable, so that undo is a list of mazes. */
export class Maze {
  /** @param {number} side @param {Uint8Array} cells side * side tokens, row by row */
  constructor(side, cells) {
    this.side = side;
    this.cells = cells;
  }

  /** @param {number} side */
  static open(side) {
    const cells = new Uint8Array(side * side).fill(OPEN);
    cells[0] = START;
    cells[cells.length - 1] = GOAL;
    return new Maze(side, cells);
  }

  /** A maze from the server's rows. A path that is drawn in it is taken out: the model is to find its own. */
  static fromRows(rows) {
    const cells = Uint8Array.from(rows.flat(), (token) => (token >= WALL && token <= GOAL ? token : OPEN));
    return new Maze(rows.length, cells);
  }

  get start() {
    return this.cells.indexOf(START);
  }

  get goal() {
    return this.cells.indexOf(GOAL);
  }

  toRows() {
    const { side, cells } = this;
    return Array.from({ length: side }, (_, row) => Array.from(cells.subarray(row * side, (row + 1) * side)));
  }

  /** One flat line of text, as the API takes it. */
  toFlat() {
    return Array.from(this.cells, (token) => LETTERS[token]).join("");
  }

  toText() {
    return this.toRows().map((row) => row.map((token) => LETTERS[token]).join("")).join("\n");
  }

  /**
   * The maze with one cell changed. There is one start and one goal, so placing one moves it; a start never
   * overwrites the goal, nor the other way round.
   */
  with(index, token) {
    const old = this.cells[index];
    const ends = [START, GOAL];
    if (old === token || (ends.includes(token) && ends.includes(old))) return this;
    const cells = this.cells.slice();
    const before = ends.includes(token) ? cells.indexOf(token) : -1;
    if (before >= 0) cells[before] = OPEN;
    cells[index] = token;
    return new Maze(this.side, cells);
  }

  /** The same drawing on another side, kept at the top left. Start and goal are pulled in when they would fall off. */
  resized(side) {
    const cells = new Uint8Array(side * side).fill(OPEN);
    const place = (index) => {
      const row = Math.min(Math.floor(index / this.side), side - 1);
      return row * side + Math.min(index % this.side, side - 1);
    };
    this.cells.forEach((token, index) => {
      const inside = Math.floor(index / this.side) < side && index % this.side < side;
      if (token === WALL && inside) cells[place(index)] = WALL;
    });
    if (this.start >= 0) cells[place(this.start)] = START;
    if (this.goal >= 0) {
      const goal = place(this.goal);
      // Pulled onto the start, the goal steps aside to a neighbour.
      cells[cells[goal] === START ? (goal > 0 ? goal - 1 : 1) : goal] = GOAL;
    }
    return new Maze(side, cells);
  }

  /** The maze without its walls. */
  cleared() {
    return new Maze(this.side, this.cells.map((token) => (token === WALL ? OPEN : token)));
  }

  equals(other) {
    return this.side === other.side && this.cells.every((token, index) => token === other.cells[index]);
  }
}

/**
 * The sides on which a path cell touches the path, the start or the goal: some of "n", "e", "s", "w".
 * The thread is drawn along them.
 */
export function links(cells, side, index) {
  const row = Math.floor(index / side);
  const column = index % side;
  const onPath = (inside, other) => inside && cells[other] >= START;
  return (
    (onPath(row > 0, index - side) ? "n" : "") +
    (onPath(column < side - 1, index + 1) ? "e" : "") +
    (onPath(row < side - 1, index + side) ? "s" : "") +
    (onPath(column > 0, index - 1) ? "w" : "")
  );
}
