import { plural } from "./dom.js";
import { judged, showJudgement, unknown } from "./verdict.js";

/** The verdict on the answer to a maze. */
export function showMazeVerdict(prediction) {
  const { verdict, target_maze: target, shortest_path_cells: shortest } = prediction;
  const lines = {
    valid: judged(verdict.valid_path, "one unbroken path from S to G", verdict.well_formed
      ? "the marked cells are not one unbroken path from S to G"
      : "the answer alters the maze itself"),
    optimal: target
      ? judged(verdict.optimal, `as short as any: ${plural(shortest, "cell")}`, verdict.valid_path
        ? `${plural(verdict.path_cells, "cell")}, the shortest has ${shortest}`
        : `only a valid path can be; the shortest has ${plural(shortest, "cell")}`)
      : unknown("no path exists"),
    exact: target
      ? judged(verdict.exact, "the very path of the labelling rule", verdict.optimal
        ? "another shortest path than the labelling rule's"
        : "differs from the path of the labelling rule")
      : unknown("no path exists"),
  };
  showJudgement(prediction, {
    summary: target ? sentence(prediction) : withoutPath(prediction),
    lines,
    difference: target && "Show the difference to the true shortest path",
  });
}

function withoutPath({ confidence }) {
  const noticed = confidence < 0.5 ? "the model is sure of no answer" : "the model did not notice";
  return `There is no path from S to G here, and ${noticed}.`;
}

function sentence({ verdict, confidence }) {
  const sure = confidence >= 0.5;
  if (verdict.exact) return sure ? "Exactly right." : "Exactly right, though the model was not sure of it.";
  if (verdict.optimal) return "A shortest path, if not the one of the labelling rule.";
  if (verdict.valid_path) return "A path, but not a shortest one.";
  return sure ? "Wrong, and the model did not notice." : "Wrong, and the model was not sure of it.";
}
