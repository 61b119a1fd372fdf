import { button } from "./dom.js";
import { movedBy } from "./grid-keys.js";
import { announce } from "./messages.js";

/**
 * Keys, pointer and the pad of digits.
 * @param {HTMLElement} root @param {HTMLElement} pad @param {import("./sudoku-view.js").SudokuView} view
 * @param {import("./history.js").History<import("./sudoku.js").Sudoku>} history
 * @param {{caption: (index: number) => void}} page
 */
export function listenToSudoku(root, pad, view, history, page) {
  root.addEventListener("pointerdown", (event) => {
    const index = view.cellAt(event.clientX, event.clientY);
    if (event.button !== 0 || index < 0) return;
    event.preventDefault();
    goTo(index);
  });
  root.addEventListener("pointermove", (event) => {
    const index = view.cellAt(event.clientX, event.clientY);
    if (index >= 0) page.caption(index);
  });
  root.addEventListener("pointerleave", () => page.caption(view.cursor));
  root.addEventListener("focusin", () => page.caption(view.cursor));
  root.addEventListener("keydown", (event) => {
    if (event.metaKey || event.altKey || (event.ctrlKey && !["Home", "End"].includes(event.key))) return;
    const target = movedBy(event, view.cursor, view.rows, view.columns);
    const digit = digitOfKey(event.key);
    if (target === null && digit === null) return;
    event.preventDefault();
    if (target === null) put(digit);
    else goTo(target);
  });

  let side = 0;
  const fillPad = () => {
    if (history.value.side === side) return;
    side = history.value.side;
    const digits = Array.from({ length: side }, (_, index) => index + 1);
    const erase = button("⌫", () => put(0));
    erase.setAttribute("aria-label", "Erase");
    pad.replaceChildren(...digits.map((digit) => button(String(digit), () => put(digit))), erase);
  };
  history.addEventListener("change", fillPad);
  fillPad();

  function goTo(index) {
    view.moveCursor(index, { focus: true });
    page.caption(index);
  }

  function put(digit) {
    history.replace(history.value.with(view.cursor, digit));
    page.caption(view.cursor);
    announce(view.describe(view.cursor));
  }

  function digitOfKey(key) {
    if (["Backspace", "Delete", " ", ".", "0"].includes(key)) return 0;
    return /^[1-9]$/.test(key) && Number(key) <= history.value.side ? Number(key) : null;
  }
}
