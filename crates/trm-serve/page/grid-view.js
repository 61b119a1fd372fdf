import { element } from "./dom.js";

/** What stands above and below the board on a wide screen, so that it fits without scrolling. */
const AROUND = 330;
const LEAST_BOARD = 340;

/**
 * How a cell looks: its text, a tint of 0 to 1 or none, and what the style sheet knows it by.
 * @typedef {{text: string, heat: number | null, data: Record<string, string>}} CellLook
 */

/**
 * A board: an ARIA grid of cells, of which only those that look different are touched at each frame. A puzzle's view extends
 * it by `lookAt(index)`, a `CellLook`, and `describe(index)`, what a screen reader hears.
 */
export class GridView {
  #root;
  #room;
  #most;
  #cells = [];
  #keys = [];
  #rows = 0;
  #columns = 0;
  #cursor = 0;
  #fault = -1;

  /**
   * @param {HTMLElement} root @param {HTMLElement} room the element whose width the board may take
   * @param {number} [mostPerCell] pixels of a cell at most
   */
  constructor(root, room, mostPerCell = Infinity) {
    this.#root = root;
    this.#room = room;
    this.#most = mostPerCell;
    new ResizeObserver(() => this.#fit()).observe(room);
    addEventListener("resize", () => this.#fit());
  }

  get rows() {
    return this.#rows;
  }

  get columns() {
    return this.#columns;
  }

  get count() {
    return this.#cells.length;
  }

  get cursor() {
    return this.#cursor;
  }

  /** Draws every cell that looks different from before. @param {string} name what the board is called */
  draw(rows, columns, name) {
    if (rows !== this.#rows || columns !== this.#columns) this.#build(rows, columns, name);
    for (let index = 0; index < this.count; index += 1) this.#paint(index);
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

  /** "row 3, column 5" */
  placeOf(index) {
    return `row ${Math.floor(index / this.#columns) + 1}, column ${(index % this.#columns) + 1}`;
  }

  /** The cell at a point of the viewport; -1 outside, unless `clamped` to the nearest cell. */
  cellAt(x, y, clamped = false) {
    const box = this.#root.getBoundingClientRect();
    const size = box.width / this.#columns;
    let column = Math.floor((x - box.left) / size);
    let row = Math.floor((y - box.top) / size);
    if (clamped) {
      column = Math.min(Math.max(column, 0), this.#columns - 1);
      row = Math.min(Math.max(row, 0), this.#rows - 1);
    }
    const inside = row >= 0 && column >= 0 && row < this.#rows && column < this.#columns;
    return inside ? row * this.#columns + column : -1;
  }

  #build(rows, columns, name) {
    this.#rows = rows;
    this.#columns = columns;
    this.#fault = -1;
    this.#cells = [];
    this.#keys = new Array(rows * columns).fill("");
    const lines = Array.from({ length: rows }, (_, row) => {
      const cells = Array.from({ length: columns }, (_, column) =>
        element("div", { role: "gridcell", tabindex: "-1", "data-row": row + 1, "data-column": column + 1 }),
      );
      this.#cells.push(...cells);
      return element("div", { role: "row" }, ...cells);
    });
    this.#root.replaceChildren(...lines);
    this.#root.setAttribute("aria-label", `${name}, ${rows} by ${columns}`);
    this.#fit();
    this.moveCursor(Math.min(this.#cursor, rows * columns - 1));
  }

  #paint(index) {
    const { text, heat, data } = this.lookAt(index);
    const tint = heat === null ? "" : heat.toFixed(2);
    const fault = index === this.#fault ? "true" : "";
    const key = `${text} ${tint} ${Object.values(data)} ${fault}`;
    if (this.#keys[index] === key) return;
    this.#keys[index] = key;

    const cell = this.#cells[index];
    cell.textContent = text;
    cell.setAttribute("aria-label", this.describe(index));
    cell.style.setProperty("--heat", tint || "0");
    for (const [name, value] of Object.entries({ ...data, fault })) {
      if (value) cell.dataset[name] = value;
      else delete cell.dataset[name];
    }
  }

  /** Whole pixels per cell: fractions would leave hairlines between them. */
  #fit() {
    if (!this.#columns || !this.#room.clientWidth) return;
    const height = Math.max(innerHeight - AROUND, LEAST_BOARD);
    const size = Math.min((this.#room.clientWidth - 2) / this.#columns, (height - 2) / this.#rows, this.#most);
    this.#root.style.setProperty("--cell", `${Math.max(Math.floor(size), 4)}px`);
    this.#root.style.setProperty("--rows", String(this.#rows));
    this.#root.style.setProperty("--columns", String(this.#columns));
  }
}
