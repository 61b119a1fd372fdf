import { playBatches } from "./batch.js";
import { listenToBoard } from "./board-input.js";
import { BoardView } from "./board-view.js";
import { byId } from "./dom.js";
import { Drawing } from "./drawing.js";
import { missingEnd, unseenSide, wrongSide } from "./fit.js";
import { decodeMaze, encodeMaze } from "./link.js";
import { showMazeVerdict } from "./maze-verdict.js";
import { Maze } from "./maze.js";
import { announce } from "./messages.js";
import { offerSamples } from "./samples.js";
import { allowAnimations, offerDownloads } from "./share.js";
import { freshMaze, offerSources } from "./sources.js";

/** Mazes on the page. @param {import("./main.js").Page} page @returns {import("./games.js").Game} */
export function mazeGame(page) {
  const { models } = page;
  const drawing = new Drawing(Maze.open(10));
  const view = new BoardView(byId("board"), byId("stage-frame"));
  const frame = (thought) => ({ maze: drawing.maze, ...thought });
  const sideProblem = () =>
    wrongSide(drawing.maze, models, {
      fresh: page.putFresh,
      resize: (side) => drawing.replace(drawing.maze.resized(side)),
    });

  drawing.addEventListener("change", () => (byId("side").value = String(drawing.maze.side)));
  listenToBoard(byId("board"), view, drawing, {
    tool: () => document.querySelector("input[name=tool]:checked").value,
    caption: page.caption,
  });
  byId("side").addEventListener("change", ({ target }) => {
    const side = Math.min(Math.max(Math.round(target.valueAsNumber) || drawing.maze.side, 2), page.maxSide());
    target.value = String(side);
    if (side !== drawing.maze.side) drawing.replace(drawing.maze.resized(side));
  });
  offerSources({ put: page.put, maze: () => drawing.maze, say: announce });
  offerSamples({
    put: page.put,
    // The maze and, once it is solved, the answer.
    sample: () => ({ input_maze: drawing.maze.toRows(), solved_maze: page.prediction()?.solved_maze ?? null }),
  });
  offerDownloads({ shown: () => frame(page.shownThought()), frames: () => page.allThoughts().map(frame) });
  playBatches(() => {
    const { model, halt } = models.settings();
    return { model, halt };
  });

  return {
    puzzle: "maze",
    freshLabel: "New maze",
    cursorHint: "Drag to draw walls or to move S and G.",
    history: drawing,
    view,
    show: (thought) => view.show(frame(thought)),
    grid: () => drawing.maze.toFlat(),
    cleared: () => drawing.maze.cleared(),
    problem: () => missingEnd(drawing.maze) ?? sideProblem(),
    advice() {
      const sentence = unseenSide(drawing.maze, models);
      return sideProblem() ?? (sentence ? { sentence } : null);
    },
    fresh: (side = models.chosen.side) => freshMaze(side),
    wordsFor: ({ side }) => `A maze of ${side} by ${side} is on the board.`,
    target: ({ target_maze: target }) => target?.flat() ?? null,
    showVerdict: showMazeVerdict,
    allowAnswer: allowAnimations,
    toLink: () => encodeMaze(drawing.maze),
    fromLink: (fields) => decodeMaze(fields, page.maxSide()),
    enter: () => allowAnimations(false),
  };
}
