/**
 * Why a maze cannot be solved as it is: a sentence, and what to do about it.
 * @typedef {{sentence: string, actions?: {label: string, run: () => void}[]}} Problem
 */

/** @param {import("./maze.js").Maze} maze @returns {Problem | null} */
export function missingEnd({ start, goal }) {
  if (start >= 0 && goal >= 0) return null;
  const [what, tool] = start < 0 ? ["start", "Start"] : ["goal", "Goal"];
  return { sentence: `The maze has no ${what}. Choose the tool ${tool} and place it on the board.` };
}

/**
 * Any side can be drawn, but each model takes only one.
 * @param {import("./maze.js").Maze} maze @param {import("./models.js").Models} models
 * @param {{fresh: (side: number) => void, resize: (side: number) => void}} remedies
 * @returns {Problem | null}
 */
export function wrongSide(maze, models, remedies) {
  const { name, side } = models.chosen;
  if (maze.side === side) return null;
  const other = models.forSide(maze.side);
  return {
    sentence: `The model ${name} takes ${side} × ${side} mazes; this one is ${maze.side} × ${maze.side}.`,
    actions: [
      ...(other ? [{ label: `Use ${other.name}`, run: () => models.choose(other.name) }] : []),
      { label: `Fresh ${side} × ${side}`, run: () => remedies.fresh(side) },
      { label: `Resize to ${side} × ${side}`, run: () => remedies.resize(side) },
    ],
  };
}
