import { History } from "./history.js";
import { GOAL, START } from "./maze.js";

/** The maze on the board; a stroke of the pointer is one entry of its history. @extends {History<import("./maze.js").Maze>} */
export class Drawing extends History {
  get maze() {
    return this.value;
  }

  paint(index, token) {
    // An end that is dragged across walls leaves them as they were: it is placed on the maze before the stroke.
    const from = token === START || token === GOAL ? this.base : this.value;
    this.show(from.with(index, token));
  }
}
