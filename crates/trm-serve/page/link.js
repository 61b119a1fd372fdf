import { GOAL, Maze, OPEN, START, WALL } from "./maze.js";

// A maze in the fragment of the address: #m=SIDE.WALLS.START.GOAL, where WALLS is base64url of one bit per cell, row by
// row, the highest bit first, and START and GOAL are cell numbers, empty when there is none.

const toBase64Url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const fromBase64Url = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));

/** @param {Maze} maze */
export function encodeMaze(maze) {
  const bits = new Uint8Array(Math.ceil(maze.cells.length / 8));
  maze.cells.forEach((token, index) => {
    if (token === WALL) bits[index >> 3] |= 0x80 >> (index & 7);
  });
  const end = (index) => (index < 0 ? "" : index);
  const parts = [maze.side, toBase64Url(bits), end(maze.start), end(maze.goal)];
  return `m=${parts.join(".")}`;
}

/**
 * @param {URLSearchParams} fields of the fragment @param {number} maxSide
 * @returns {Maze | null} null when there is no maze at all
 * @throws {Error} with a plain sentence when there is a broken one
 */
export function decodeMaze(fields, maxSide) {
  const text = fields.get("m");
  if (text === null) return null;
  const broken = (why) => new Error(`The link to a maze is broken: ${why}.`);

  const parts = text.split(".");
  if (parts.length !== 4) throw broken("it is cut off or has too much");
  const side = Number(parts[0]);
  if (!Number.isInteger(side) || side < 2 || side > maxSide) throw broken(`a side of 2 to ${maxSide} was expected`);

  let bits;
  try {
    bits = fromBase64Url(parts[1]);
  } catch {
    throw broken("its walls cannot be read");
  }
  const count = side * side;
  if (bits.length !== Math.ceil(count / 8)) throw broken(`its walls do not fill ${side} × ${side} cells`);

  const cells = Uint8Array.from({ length: count }, (_, index) =>
    bits[index >> 3] & (0x80 >> (index & 7)) ? WALL : OPEN,
  );
  for (const [place, token] of [[parts[2], START], [parts[3], GOAL]]) {
    if (place === "") continue;
    const index = Number(place);
    if (!/^\d+$/.test(place) || index >= count) throw broken("its start or goal lies outside the maze");
    if (cells[index] === START) throw broken("its start and goal are the same cell");
    cells[index] = token;
  }
  return new Maze(side, cells);
}
