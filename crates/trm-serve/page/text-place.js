/**
 * Where row and column (from 1) of a maze stand in the text it was read from.
 * @param {string} text @param {number} row @param {number} column
 * @returns {{from: number, to: number} | null} null when it cannot be told
 */
export function placeIn(text, row, column) {
  return text.trimStart().startsWith("[") ? placeInJson(text, row, column) : placeInLines(text, row, column);
}

/**
 * Where line and column (from 1) of a text are; an empty line counts.
 * @param {string} text @param {number} line @param {number} column
 * @returns {{from: number, to: number} | null} null when there is no such line
 */
export function placeInText(text, line, column) {
  const lines = text.split("\n");
  if (line > lines.length) return null;
  const start = lines.slice(0, line - 1).reduce((sum, before) => sum + before.length + 1, 0);
  return within(start, lines[line - 1].length, Math.max(column - 1, 0));
}

function placeInLines(text, row, column) {
  const lines = [...text.matchAll(/[^\r\n]+/g)];
  if (lines.length === 1) {
    // A flat line: the rows follow each other.
    const side = Math.round(Math.sqrt(lines[0][0].length));
    return within(lines[0].index, lines[0][0].length, (row - 1) * side + column - 1);
  }
  const line = lines[row - 1];
  return line ? within(line.index, line[0].length, column - 1) : null;
}

/** One character, or the end of the line when the place is missing from it. */
function within(start, length, offset) {
  const from = start + Math.min(offset, length);
  return { from, to: start + Math.min(offset + 1, length) };
}

function placeInJson(text, row, column) {
  const inner = [...text.matchAll(/\[[^[\]]*\]/g)];
  const flat = inner.length === 1;
  const list = flat ? inner[0] : inner[row - 1];
  if (!list) return null;
  const items = [...list[0].matchAll(/[^\s,[\]]+/g)];
  const item = items[flat ? (row - 1) * Math.round(Math.sqrt(items.length)) + column - 1 : column - 1];
  const from = list.index + (item?.index ?? list[0].length - 1);
  return { from, to: from + (item?.[0].length ?? 1) };
}
