import { GOAL, START } from "./maze.js";

const REMEMBERED = 200;

/**
 * The maze on the board, with undo and redo. A stroke (a drag) is one entry of the history.
 * Fires "change" whenever the maze differs from before.
 */
export class Drawing extends EventTarget {
  #maze;
  #undone = [];
  #done = [];
  /** The maze as it was when the stroke began; null between strokes. */
  #base = null;

  /** @param {import("./maze.js").Maze} maze */
  constructor(maze) {
    super();
    this.#maze = maze;
  }

  get maze() {
    return this.#maze;
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Puts another maze on the board, as one entry of the history. */
  replace(maze) {
    this.begin();
    this.#show(maze);
    this.commit();
  }

  /** Puts the first maze on the board: there is nothing to go back to. */
  restart(maze) {
    this.#done = [];
    this.#undone = [];
    this.#base = null;
    this.#show(maze);
  }

  begin() {
    this.#base ??= this.#maze;
  }

  paint(index, token) {
    // An end that is dragged across walls leaves them as they were: it is placed on the maze before the stroke.
    const from = token === START || token === GOAL ? (this.#base ?? this.#maze) : this.#maze;
    this.#show(from.with(index, token));
  }

  commit() {
    const base = this.#base;
    this.#base = null;
    if (base === null || base.equals(this.#maze)) return;
    this.#done.push(base);
    if (this.#done.length > REMEMBERED) this.#done.shift();
    this.#undone = [];
    this.#changed();
  }

  /** Takes an unfinished stroke back. */
  revert() {
    if (this.#base) this.#show(this.#base);
    this.#base = null;
  }

  undo() {
    this.#travel(this.#done, this.#undone);
  }

  redo() {
    this.#travel(this.#undone, this.#done);
  }

  #travel(from, to) {
    this.revert();
    const maze = from.pop();
    if (!maze) return;
    to.push(this.#maze);
    this.#show(maze);
  }

  #show(maze) {
    if (maze === this.#maze) return;
    this.#maze = maze;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
