import { element } from "./dom.js";
import { lookOf } from "./frame.js";

const LETTERS = { start: "S", goal: "G" };
const MARKS = {
  changed: "changed in this step",
  missing: "missing from the answer",
  surplus: "surplus in the answer",
  broken: "the answer alters the maze here",
};
/** What stands above and below the board on a wide screen, so that it fits without scrolling. */
const AROUND = 330;
const LEAST_BOARD = 340;

/** The board: an ARIA grid of cells, of which only those that look different are touched at each frame. */
export class BoardView {
  #root;
  #cells = [];
  #keys = [];
  #side = 0;
  #cursor = 0;
  /** @type {import("./frame.js").Frame | null} */
  #frame = null;
  #fault = -1;

  /** @param {HTMLElement} root @param {HTMLElement} room the element whose width the board may take */
  constructor(root, room) {
    this.#root = root;
    this.room = room;
    new ResizeObserver(() => this.#fit()).observe(room);
    addEventListener("resize", () => this.#fit());
  }

  get side() {
    return this.#side;
  }

  get cursor() {
    return this.#cursor;
  }

  /** @param {import("./frame.js").Frame} frame */
  show(frame) {
    this.#frame = frame;
    if (frame.maze.side !== this.#side) this.#build(frame.maze.side);
    for (let index = 0; index < this.#cells.length; index += 1) this.#paint(index);
    this.#root.removeAttribute("aria-busy");
  }

  /** Highlights the cell that a problem is about; -1 for none. */
  fault(index) {
    const before = this.#fault;
    this.#fault = index;
    for (const changed of [before, index]) if (this.#cells[changed]) this.#paint(changed);
  }

  /** Moves the roving focus. */
  moveCursor(index, { focus = false } = {}) {
    this.#cells[this.#cursor]?.setAttribute("tabindex", "-1");
    this.#cursor = index;
    this.#cells[index].setAttribute("tabindex", "0");
    if (focus) this.#cells[index].focus({ preventScroll: true });
  }

  /** "row 3, column 5: wall" and what else is to be known about a cell. */
  describe(index) {
    const { cell, mark, heat } = lookOf(this.#frame, index);
    const place = `row ${Math.floor(index / this.#side) + 1}, column ${(index % this.#side) + 1}: ${cell}`;
    const chance = heat === null ? "" : `, path probability ${Math.round(100 * heat)} %`;
    return place + chance + (mark ? `, ${MARKS[mark]}` : "");
  }

  /** The cell at a point of the viewport; -1 outside, unless `clamped` to the nearest cell. */
  cellAt(x, y, clamped = false) {
    const box = this.#root.getBoundingClientRect();
    const size = box.width / this.#side;
    let column = Math.floor((x - box.left) / size);
    let row = Math.floor((y - box.top) / size);
    const last = this.#side - 1;
    if (clamped) {
      column = Math.min(Math.max(column, 0), last);
      row = Math.min(Math.max(row, 0), last);
    }
    return row < 0 || column < 0 || row > last || column > last ? -1 : row * this.#side + column;
  }

  #build(side) {
    this.#side = side;
    this.#fault = -1;
    this.#cells = [];
    this.#keys = new Array(side * side).fill("");
    const rows = Array.from({ length: side }, (_, row) => {
      const cells = Array.from({ length: side }, (_, column) =>
        element("div", { role: "gridcell", tabindex: "-1", "data-row": row + 1, "data-column": column + 1 }),
      );
      this.#cells.push(...cells);
      return element("div", { role: "row" }, ...cells);
    });
    this.#root.replaceChildren(...rows);
    this.#root.setAttribute("aria-label", `Maze, ${side} by ${side}`);
    this.#fit();
    this.moveCursor(Math.min(this.#cursor, side * side - 1));
  }

  #paint(index) {
    const look = lookOf(this.#frame, index);
    const heat = look.heat === null ? "" : look.heat.toFixed(2);
    const fault = index === this.#fault;
    const key = `${look.cell} ${heat} ${look.links} ${look.mark} ${fault}`;
    if (this.#keys[index] === key) return;
    this.#keys[index] = key;

    const cell = this.#cells[index];
    cell.dataset.cell = look.cell;
    cell.textContent = LETTERS[look.cell] ?? "";
    cell.setAttribute("aria-label", this.describe(index));
    cell.style.setProperty("--heat", heat || "0");
    set(cell, "links", look.links);
    set(cell, "mark", look.mark);
    set(cell, "fault", fault ? "true" : "");
  }

  /** Whole pixels per cell: fractions would leave hairlines between the walls. */
  #fit() {
    if (!this.#side) return;
    const height = Math.max(innerHeight - AROUND, LEAST_BOARD);
    const size = Math.max(Math.floor((Math.min(this.room.clientWidth, height) - 2) / this.#side), 4);
    this.#root.style.setProperty("--cell", `${size}px`);
    this.#root.style.setProperty("--side", String(this.#side));
  }
}

function set(node, name, value) {
  if (value) node.dataset[name] = value;
  else delete node.dataset[name];
}
