/**
 * The cell that a key moves to, null for other keys.
 * @param {KeyboardEvent} event @param {number} from @param {number} rows @param {number} columns
 */
export function movedBy({ key, ctrlKey }, from, rows, columns) {
  const row = Math.floor(from / columns);
  const column = from % columns;
  const inside = (value, count) => Math.min(Math.max(value, 0), count - 1);
  const at = (row, column) => inside(row, rows) * columns + inside(column, columns);
  switch (key) {
    case "ArrowUp":
      return at(row - 1, column);
    case "ArrowDown":
      return at(row + 1, column);
    case "ArrowLeft":
      return at(row, column - 1);
    case "ArrowRight":
      return at(row, column + 1);
    case "Home":
      return ctrlKey ? 0 : at(row, 0);
    case "End":
      return ctrlKey ? rows * columns - 1 : at(row, columns - 1);
    default:
      return null;
  }
}
