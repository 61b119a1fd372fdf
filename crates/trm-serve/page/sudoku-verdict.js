import { judged, showJudgement, unknown } from "./verdict.js";

/** The verdict on the answer to a Sudoku. */
export function showSudokuVerdict(prediction) {
  const { grades, label, exact } = prediction;
  const several = unknown("this Sudoku does not have exactly one solution");
  showJudgement(prediction, {
    summary: sentence(prediction),
    lines: {
      valid: judged(grades.valid, "each digit once in every row, column and box", "a digit is missing, comes twice or replaces a given"),
      exact: label ? judged(exact, "the only solution", "differs from the only solution") : several,
    },
    difference: label && "Show the difference to the solution",
  });
}

function sentence({ label, grades, summary, confidence }) {
  const sure = confidence >= 0.5;
  const said = `${summary[0].toUpperCase()}${summary.slice(1)}`;
  if (grades.valid && label) return sure ? `${said}.` : `${said}, though the model was not sure of it.`;
  if (grades.valid) return "Solved; other solutions would be as right.";
  const noticed = sure ? "the model did not notice" : "the model was not sure of it";
  return label ? `${said}, and ${noticed}.` : "Not solved: this Sudoku does not have exactly one solution.";
}
