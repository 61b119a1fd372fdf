import { keepInAddress } from "./address.js";
import { getJson, onTokenNeeded } from "./api.js";
import { playBatches } from "./batch.js";
import { listenToBoard } from "./board-input.js";
import { BoardView } from "./board-view.js";
import { byId } from "./dom.js";
import { Drawing } from "./drawing.js";
import { missingEnd, unseenSide, wrongSide } from "./fit.js";
import { Maze } from "./maze.js";
import { announce, quiet, tell } from "./messages.js";
import { Models } from "./models.js";
import { Player } from "./player.js";
import { offerSamples } from "./samples.js";
import { allowAnimations, offerSharing } from "./share.js";
import { Solver } from "./solver.js";
import { freshMaze, offerSources } from "./sources.js";
import { showThinking } from "./thinking.js";
import { askToken } from "./token-dialog.js";
import { clearVerdict, showVerdict } from "./verdict.js";

const models = new Models();
const drawing = new Drawing(Maze.open(10));
const player = new Player();
const view = new BoardView(byId("board"), byId("stage-frame"));
const address = keepInAddress({
  current: () => ({ maze: drawing.maze, model: models.chosenIsDefault ? null : models.chosen.name }),
  open: openLink,
  maxSide: () => limits.max_side,
  // Before the start is over its own notice stays; the link is read again after it.
  broken: (sentence) => models.known && tell(sentence),
});
let limits = { max_side: 64, max_play: 1000 };
/** The server's judgement of the answer on the board. */
let prediction = null;

// The frames

/** @returns {import("./frame.js").Frame} */
function frameAt(position, { difference }) {
  const step = player.steps[position - 1];
  return {
    maze: drawing.maze,
    answer: step?.answer ?? null,
    before: byId("changes").checked ? (player.steps[position - 2]?.answer ?? null) : null,
    probability: byId("tint").checked ? (step?.probability ?? null) : null,
    target: (difference && prediction?.target_maze?.flat()) || null,
  };
}

const shownFrame = () => frameAt(player.position, { difference: byId("difference").checked });
const allFrames = () => Array.from({ length: player.steps.length + 1 }, (_, at) => frameAt(at, { difference: false }));

/** The cell that the line below the board tells about; -1 before the first one. */
let captioned = -1;

function captionCell() {
  if (captioned >= 0 && captioned < view.side ** 2) byId("cursor").textContent = view.describe(captioned);
}

function show() {
  view.show(shownFrame());
  captionCell();
}
player.addEventListener("change", show);
for (const id of ["tint", "changes", "difference"]) byId(id).addEventListener("change", show);
showThinking(player);

// Drawing

drawing.addEventListener("change", () => {
  forgetAnswer();
  byId("undo").disabled = !drawing.canUndo;
  byId("redo").disabled = !drawing.canRedo;
  byId("side").value = String(drawing.maze.side);
  adviseOnSide();
  if (models.known) address.writeSoon();
});
listenToBoard(byId("board"), view, drawing, {
  tool: () => document.querySelector("input[name=tool]:checked").value,
  caption(index) {
    captioned = index;
    captionCell();
  },
});
byId("undo").addEventListener("click", () => drawing.undo());
byId("redo").addEventListener("click", () => drawing.redo());
byId("clear").addEventListener("click", () => drawing.replace(drawing.maze.cleared()));
byId("side").addEventListener("change", ({ target }) => {
  const side = Math.min(Math.max(Math.round(target.valueAsNumber) || drawing.maze.side, 2), limits.max_side);
  target.value = String(side);
  if (side !== drawing.maze.side) drawing.replace(drawing.maze.resized(side));
});
addEventListener("keydown", (event) => {
  const inText = event.target.matches?.("textarea, input:not([type=radio], [type=checkbox], [type=range])");
  if (inText || !(event.ctrlKey || event.metaKey) || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  if (key === "y" || event.shiftKey) drawing.redo();
  else drawing.undo();
});

/** An edit makes the answer, and what was said about it, stale; that the page could not start stays true. */
function forgetAnswer() {
  solver.drop();
  prediction = null;
  if (models.known) quiet();
  view.fault(-1);
  player.reset();
  clearVerdict("Not solved yet.");
  allowAnimations(false);
  enter("idle");
}

function put(maze) {
  if (started()) drawing.replace(maze);
  else drawing.restart(maze);
  announce(`A maze of ${maze.side} by ${maze.side} is on the board.`);
}

// Solving

const solver = new Solver(player, {
  thinking() {
    prediction = null;
    quiet();
    view.fault(-1);
    allowAnimations(false);
    clearVerdict("Thinking…");
    enter("thinking");
  },
  done(answer) {
    prediction = answer;
    showVerdict(answer);
    allowAnimations(true);
    show();
    enter("done");
  },
  cancelled() {
    clearVerdict("Cancelled.");
    enter("idle");
  },
  failed(error) {
    clearVerdict("No answer.");
    complain(error, solve);
    enter("failed");
  },
});

function solve() {
  const problem = missingEnd(drawing.maze) ?? sideProblem();
  if (problem) {
    tell(problem.sentence, problem);
    return enter("failed");
  }
  return solver.solve(drawing.maze, models.settings());
}

byId("solve").addEventListener("click", solve);
byId("cancel").addEventListener("click", () => solver.cancel());
player.addEventListener("change", () => {
  const { step, max_steps: most } = player.current ?? {};
  byId("progress").textContent =
    step && document.body.dataset.state === "thinking" ? `step ${step} of at most ${most}` : "";
});

/** @param {"idle" | "thinking" | "done" | "failed"} state */
function enter(state) {
  document.body.dataset.state = state;
  const thinking = state === "thinking";
  if (!thinking && document.activeElement === byId("cancel")) byId("solve").focus();
  byId("cancel").hidden = !thinking;
  if (!thinking) byId("progress").textContent = "";
}

const sideProblem = () =>
  wrongSide(drawing.maze, models, {
    fresh: putFresh,
    resize: (side) => drawing.replace(drawing.maze.resized(side)),
  });

function adviseOnSide() {
  if (!models.known) return;
  const sentence = unseenSide(drawing.maze, models);
  const problem = sideProblem() ?? (sentence && { sentence });
  if (problem) tell(problem.sentence, { tone: "advice", actions: problem.actions });
}

/** Says at the board what went wrong, and where. */
function complain(error, retry) {
  tell(error.message, { actions: error.retryable ? [{ label: "Try again", run: retry }] : [] });
  const index = (error.row - 1) * view.side + (error.column - 1);
  if (index >= 0 && index < view.side ** 2) {
    view.fault(index);
    view.moveCursor(index);
  }
}

// Other mazes

async function putFresh(side = models.chosen.side) {
  const button = byId("fresh");
  button.setAttribute("aria-busy", "true");
  try {
    put(await freshMaze(side));
  } catch (error) {
    complain(error, () => putFresh(side));
  } finally {
    button.removeAttribute("aria-busy");
  }
}

byId("fresh").addEventListener("click", () => putFresh());
models.addEventListener("change", () => {
  forgetAnswer();
  adviseOnSide();
  // Before the first maze is there, the address holds the one to be opened, or nothing.
  if (started()) address.writeSoon();
});
offerSources({ put, maze: () => drawing.maze, say: announce });
offerSamples({ put, sample });
offerSharing({ shown: shownFrame, frames: allFrames, updateLink: address.write });
playBatches(() => {
  const { model, halt } = models.settings();
  return { model, halt };
});

function openLink(maze, model) {
  // A link without a model is one to the default.
  const known = !models.known || models.choose(model ?? models.all[0].name);
  put(maze);
  if (!known) tell(`This server has no model ${model}; ${models.chosen.name} is chosen instead.`, { tone: "advice" });
}

// The start

/** What has no meaning before the server has told its models. */
const NEED_MODELS = ["solve", "fresh", "new-maze", "play"];

const started = () => document.documentElement.dataset.ready === "true";

async function start() {
  try {
    const hello = await getJson("hello");
    ({ limits } = hello);
    models.offer(hello.models);
    for (const id of NEED_MODELS) byId(id).disabled = false;
    for (const id of ["side", "new-side", "play-side"]) byId(id).max = String(limits.max_side);
    byId("play-count").max = String(limits.max_play);
    byId("examples").hidden = !hello.examples;
    if (hello.examples) {
      const last = hello.examples.count - 1;
      byId("example-index").max = String(last);
      byId("example-label").textContent = `Index, 0 to ${last}`;
    }
    await firstMaze();
  } catch (error) {
    complain(error, start);
  } finally {
    document.documentElement.dataset.ready = "true";
  }
}

/**
 * The maze of the address, or what was drawn while the page could not start, or a fresh one. A broken link is told about
 * after that: a new maze clears the line.
 */
async function firstMaze() {
  const drawn = drawing.canUndo;
  try {
    if (!address.follow() && !drawn) await putFresh();
  } catch (error) {
    if (!drawn) await putFresh();
    tell(error.message);
  }
}

/** The maze and, once it is solved, the answer. */
function sample() {
  return { input_maze: drawing.maze.toRows(), solved_maze: prediction?.solved_maze ?? null };
}

onTokenNeeded(askToken);
show();
start();
