import { movedBy } from "./grid-keys.js";
import { announce } from "./messages.js";
import { GOAL, OPEN, START, WALL } from "./maze.js";

const TOOLS = { wall: WALL, start: START, goal: GOAL };

/**
 * Pointer and keyboard on the board.
 * @param {HTMLElement} root @param {import("./board-view.js").BoardView} view
 * @param {import("./drawing.js").Drawing} drawing
 * @param {{tool: () => keyof TOOLS, caption: (index: number) => void}} page
 */
export function listenToBoard(root, view, drawing, page) {
  byPointer(root, view, drawing, page);
  byKeyboard(root, view, drawing, page);
}

function byPointer(root, view, drawing, page) {
  /** The token that the drag puts down, and the cell it was at last. */
  let stroke = null;

  root.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    const index = view.cellAt(event.clientX, event.clientY);
    if (index < 0) return;
    event.preventDefault();
    root.setPointerCapture(event.pointerId);
    view.moveCursor(index, { focus: true });
    stroke = { token: tokenFor(index), last: index };
    drawing.begin();
    drawing.paint(index, stroke.token);
  });

  root.addEventListener("pointermove", (event) => {
    const index = view.cellAt(event.clientX, event.clientY, stroke !== null);
    if (index >= 0) page.caption(index);
    if (!stroke || index === stroke.last) return;
    for (const cell of line(stroke.last, index, view.side)) {
      if (swallowsEnd(cell)) continue;
      drawing.paint(cell, stroke.token);
      view.moveCursor(cell);
    }
    stroke.last = index;
  });

  const finish = (settle) => () => {
    if (!stroke) return;
    stroke = null;
    settle();
    view.moveCursor(view.cursor, { focus: true });
    page.caption(view.cursor);
  };
  root.addEventListener("pointerup", finish(() => drawing.commit()));
  // The browser took the gesture over, to zoom: what was drawn was not meant.
  root.addEventListener("pointercancel", finish(() => drawing.revert()));
  root.addEventListener("pointerleave", () => !stroke && page.caption(view.cursor));

  /** The first cell decides: an end is moved, a wall tool draws on an open cell and erases on a wall. */
  function tokenFor(index) {
    const token = drawing.maze.cells[index];
    if (token === START || token === GOAL) return token;
    const tool = TOOLS[page.tool()];
    return tool === WALL && token === WALL ? OPEN : tool;
  }

  /** Neither drawing nor erasing walls touches the start or the goal in passing. */
  function swallowsEnd(cell) {
    const isEnd = (token) => token === START || token === GOAL;
    return isEnd(drawing.maze.cells[cell]) && !isEnd(stroke.token);
  }
}

function byKeyboard(root, view, drawing, page) {
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey && !["Home", "End"].includes(event.key)) return;
    if (event.metaKey || event.altKey) return;
    const target = movedBy(event, view.cursor, view.rows, view.columns);
    const token = tokenFor(event.key, drawing.maze.cells[view.cursor]);
    if (target === null && token === null) return;
    event.preventDefault();
    if (target !== null) {
      view.moveCursor(target, { focus: true });
    } else {
      drawing.begin();
      drawing.paint(view.cursor, token);
      drawing.commit();
    }
    page.caption(view.cursor);
    announce(view.describe(view.cursor));
  });
  root.addEventListener("focusin", () => page.caption(view.cursor));

  function tokenFor(key, current) {
    switch (key.toLowerCase()) {
      case " ":
        if (page.tool() === "wall") return current === WALL ? OPEN : WALL;
        return TOOLS[page.tool()];
      case "s":
        return START;
      case "g":
        return GOAL;
      case "delete":
      case "backspace":
        return OPEN;
      default:
        return null;
    }
  }
}

/** The cells on the way from one to the other, without the first: a fast drag skips cells between two events. */
function line(from, to, side) {
  const [row, column] = [Math.floor(from / side), from % side];
  const [rows, columns] = [Math.floor(to / side) - row, (to % side) - column];
  const count = Math.max(Math.abs(rows), Math.abs(columns));
  return Array.from({ length: count }, (_, step) => {
    const share = (step + 1) / count;
    return Math.round(row + rows * share) * side + Math.round(column + columns * share);
  });
}
