import { getJson } from "./api.js";
import { byId } from "./dom.js";
import { History } from "./history.js";
import { announce, onSubmit, tell } from "./messages.js";
import { listenToSudoku } from "./sudoku-input.js";
import { showSudokuVerdict } from "./sudoku-verdict.js";
import { SudokuView } from "./sudoku-view.js";
import { Sudoku } from "./sudoku.js";

/** Sudokus on the page. @param {import("./main.js").Page} page @returns {import("./games.js").Game} */
export function sudokuGame(page) {
  const { models } = page;
  const history = new History(Sudoku.empty(9));
  const view = new SudokuView(byId("sudoku"), byId("stage-frame"));
  const sideProblem = () => {
    const { name, side } = models.chosen;
    if (history.value.side === side) return null;
    const sentence = `The model ${name} takes ${side} × ${side} Sudokus; this one is ${history.value.side} × ${history.value.side}.`;
    return { sentence, actions: [{ label: `New ${side} × ${side}`, run: () => page.putFresh() }] };
  };

  const game = {
    puzzle: "sudoku",
    freshLabel: "New Sudoku",
    cursorHint: "Choose a cell and type a digit, or paste a whole Sudoku.",
    history,
    view,
    show: (thought) => view.show({ sudoku: history.value, ...thought }),
    grid: () => history.value.toFlat(),
    cleared: () => Sudoku.empty(history.value.side),
    problem: sideProblem,
    advice: sideProblem,
    async fresh() {
      const { question } = await getJson("new_puzzle", { puzzle: "sudoku", model: models.chosen.name });
      return Sudoku.fromRows(question);
    },
    wordsFor: ({ side }) => `A Sudoku of ${side} by ${side} is on the board.`,
    target: ({ label }) => label?.flat() ?? null,
    showVerdict: showSudokuVerdict,
    allowAnswer() {},
    toLink: () => `s=${history.value.toFlat()}`,
    fromLink(fields) {
      const text = fields.get("s");
      if (text === null) return null;
      try {
        return Sudoku.fromText(text);
      } catch (error) {
        throw new Error(`The link to a Sudoku is broken: ${error.message}`);
      }
    },
    enter: () => (byId("share-status").textContent = ""),
  };

  listenToSudoku(byId("sudoku"), byId("pad"), view, history, page);
  const text = byId("sudoku-text");
  onSubmit(byId("sudoku-form"), byId("sudoku-error"), async () => {
    text.setAttribute("aria-invalid", "true");
    page.put(Sudoku.fromText(text.value));
    text.removeAttribute("aria-invalid");
  });
  byId("sudoku-write").addEventListener("click", () => (text.value = history.value.toText()));
  addEventListener("paste", (event) => {
    const inText = event.target.matches?.("textarea, input");
    if (inText || page.game() !== game) return;
    event.preventDefault();
    try {
      page.put(Sudoku.fromText(event.clipboardData.getData("text")));
    } catch (error) {
      tell(error.message);
      announce(error.message);
    }
  });
  return game;
}
