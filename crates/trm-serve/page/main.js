import { keepInAddress } from "./address.js";
import { getJson, onTokenNeeded } from "./api.js";
import { byId } from "./dom.js";
import { makeGames } from "./games.js";
import { announce, quiet, tell } from "./messages.js";
import { Models } from "./models.js";
import { Player } from "./player.js";
import { offerLink } from "./share.js";
import { Solver } from "./solver.js";
import { showThinking } from "./thinking.js";
import { askToken } from "./token-dialog.js";
import { offerUndo } from "./undo.js";
import { clearVerdict } from "./verdict.js";

const models = new Models();
const player = new Player();
let limits = { max_side: 64, max_play: 1000 };
/** The server's judgement of the answer on the board. */
let prediction = null;

/** What the puzzles are told of the page. @typedef {typeof page} Page */
const page = {
  models,
  maxSide: () => limits.max_side,
  game: () => game,
  prediction: () => prediction,
  shownThought: () => thoughtAt(player.position, { difference: byId("difference").checked }),
  allThoughts: () => Array.from({ length: player.steps.length + 1 }, (_, at) => thoughtAt(at, { difference: false })),
  caption,
  put,
  putFresh,
};
const games = makeGames(page);
/** The one that is shown. */
let game = games.maze;
/** Those that have had a board. */
const begun = new Set();
const address = keepInAddress({
  games: Object.values(games),
  game: page.game,
  model: () => (models.chosenIsDefault ? null : models.chosen.name),
  open: openLink,
  // Before the start is over its own notice stays; the link is read again after it.
  broken: (sentence) => models.known && tell(sentence),
});

// What is shown

/** @returns {import("./games.js").Thought} */
function thoughtAt(position, { difference }) {
  const step = player.steps[position - 1];
  return {
    answer: step?.answer ?? null,
    before: byId("changes").checked ? (player.steps[position - 2]?.answer ?? null) : null,
    probability: byId("tint").checked ? (step?.probability ?? null) : null,
    target: difference && prediction ? game.target(prediction) : null,
  };
}

/** The cell that the line below the board tells about; -1 before the first one. */
let captioned = -1;

function caption(index) {
  captioned = index;
  byId("cursor").textContent = index >= 0 && index < game.view.count ? game.view.describe(index) : game.cursorHint;
}

function show() {
  game.show(page.shownThought());
  caption(captioned);
}
player.addEventListener("change", show);
for (const id of ["tint", "changes", "difference"]) byId(id).addEventListener("change", show);
showThinking(player);

/** Shows the view of another puzzle. */
function enterGame(next) {
  game = next;
  captioned = -1;
  document.body.dataset.puzzle = game.puzzle;
  byId("fresh").textContent = game.freshLabel;
  showHistory();
  game.enter();
}

// The board

for (const each of Object.values(games)) {
  each.history.addEventListener("change", () => {
    if (each !== game) return;
    forgetAnswer();
    showHistory();
    advise();
    if (models.known) address.writeSoon();
  });
}

const showHistory = offerUndo(() => game);

/** An edit makes the answer, and what was said about it, stale; that the page could not start stays true. */
function forgetAnswer() {
  solver.drop();
  prediction = null;
  if (models.known) quiet();
  game.view.fault(-1);
  player.reset();
  clearVerdict("Not solved yet.");
  game.allowAnswer(false);
  enter("idle");
}

function put(value) {
  if (begun.has(game)) game.history.replace(value);
  else game.history.restart(value);
  begun.add(game);
  announce(game.wordsFor(value));
}

// Solving

const solver = new Solver(player, {
  thinking() {
    prediction = null;
    quiet();
    game.view.fault(-1);
    game.allowAnswer(false);
    clearVerdict("Thinking…");
    enter("thinking");
  },
  done(answer) {
    prediction = answer;
    game.showVerdict(answer);
    game.allowAnswer(true);
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
  const problem = game.problem();
  if (problem) {
    tell(problem.sentence, problem);
    return enter("failed");
  }
  return solver.solve(game.grid(), models.settings());
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

function advise() {
  const problem = models.known ? game.advice() : null;
  if (problem) tell(problem.sentence, { tone: "advice", actions: problem.actions });
}

/** Says at the board what went wrong, and where. */
function complain(error, retry) {
  tell(error.message, { actions: error.retryable ? [{ label: "Try again", run: retry }] : [] });
  const { view } = game;
  const index = (error.row - 1) * view.columns + (error.column - 1);
  if (index >= 0 && index < view.count) {
    view.fault(index);
    view.moveCursor(index);
  }
}

// Other puzzles

async function putFresh(side) {
  const asked = game;
  const button = byId("fresh");
  button.setAttribute("aria-busy", "true");
  try {
    const value = await asked.fresh(side);
    if (asked === game) put(value);
  } catch (error) {
    complain(error, () => putFresh(side));
  } finally {
    button.removeAttribute("aria-busy");
  }
}

byId("fresh").addEventListener("click", () => putFresh());
models.addEventListener("change", () => {
  forgetAnswer();
  const next = games[models.chosen.puzzle] ?? game;
  if (next !== game) {
    enterGame(next);
    show();
    if (started() && !opening && !begun.has(game)) putFresh();
  }
  advise();
  // Before the first board is there, the address holds the one to be opened, or nothing.
  if (started()) address.writeSoon();
});
offerLink(address.write);

/** Whether a link is being opened: it brings its own board. */
let opening = false;

function openLink(linked, value, name) {
  if (models.known) {
    const model = models.named(name, linked.puzzle) ?? models.defaultFor(linked.puzzle);
    if (!model) throw new Error(`This server has no model for the puzzle in the link, ${linked.puzzle}.`);
    opening = true;
    models.choose(model);
    opening = false;
  }
  if (game !== linked) enterGame(linked);
  put(value);
  if (models.known && name && name !== models.chosen.name) {
    tell(`This server has no model ${name}; ${models.chosen.name} is chosen instead.`, { tone: "advice" });
  }
}

// The start

/** What has no meaning before the server has told its models. */
const NEED_MODELS = ["solve", "fresh", "new-maze", "play"];

const started = () => document.documentElement.dataset.ready === "true";

async function start() {
  try {
    const hello = await getJson("hello");
    ({ limits } = hello);
    models.offer(hello.models.filter(({ puzzle }) => puzzle in games));
    for (const id of NEED_MODELS) byId(id).disabled = false;
    for (const id of ["side", "new-side", "play-side"]) byId(id).max = String(limits.max_side);
    byId("play-count").max = String(limits.max_play);
    const examples = hello.examples.puzzle === "maze" ? hello.examples : null;
    byId("examples").hidden = !examples;
    if (examples) {
      const last = examples.count - 1;
      byId("example-index").max = String(last);
      byId("example-label").textContent = `Index, 0 to ${last}`;
    }
    await firstBoard();
  } catch (error) {
    complain(error, start);
  } finally {
    document.documentElement.dataset.ready = "true";
  }
}

/**
 * The puzzle of the address, or what was drawn while the page could not start, or a fresh one. A broken link is told about
 * after that: a new board clears the line.
 */
async function firstBoard() {
  const drawn = game.history.canUndo;
  if (drawn) begun.add(game);
  try {
    if (!address.follow() && !drawn) await putFresh();
  } catch (error) {
    if (!drawn) await putFresh();
    tell(error.message);
  }
}

onTokenNeeded(askToken);
show();
start();
