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
 * Any side can be drawn, but some models take only one.
 * @param {import("./maze.js").Maze} maze @param {import("./models.js").Models} models
 * @param {{fresh: (side: number) => void, resize: (side: number) => void}} remedies
 * @returns {Problem | null}
 */
export function wrongSide(maze, models, remedies) {
  const { name, side, fits_any_side: fitsAny } = models.chosen;
  if (fitsAny || maze.side === side) return null;
  const other = models.forSide(maze.side);
  return {
    sentence: `The model ${name} takes ${side} × ${side} mazes; this one is ${maze.side} × ${maze.side}.`,
    actions: [
      ...(other ? [{ label: `Use ${other.name}`, run: () => models.choose(other) }] : []),
      { label: `Fresh ${side} × ${side}`, run: () => remedies.fresh(side) },
      { label: `Resize to ${side} × ${side}`, run: () => remedies.resize(side) },
    ],
  };
}

/**
 * A model whose weights fit any side may still have seen none like this one: the answer comes all the same.
 * @param {import("./maze.js").Maze} maze @param {import("./models.js").Models} models @returns {string | null}
 */
export function unseenSide({ side }, models) {
  const { name, fits_any_side: fitsAny, trained_sides: [least, greatest] } = models.chosen;
  if (!fitsAny || (side >= least && side <= greatest)) return null;
  const seen = least === greatest ? `side ${least}` : `sides ${least} to ${greatest}`;
  return `The model ${name} was trained on mazes of ${seen}, not ${side}. It tries, and fails more often.`;
}
