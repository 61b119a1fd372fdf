import { getJson, readMazes } from "./api.js";
import { byId } from "./dom.js";
import { Maze } from "./maze.js";
import { onSubmit } from "./messages.js";
import { placeIn, placeInText } from "./text-place.js";

const share = (input) => (input.value === "" ? null : input.valueAsNumber / 100);

/** A fresh maze by the settings of the form. @param {number | null} [side] instead of the form's */
export async function freshMaze(side = null) {
  const { maze } = await getJson("new_maze", {
    side: side ?? byId("new-side").value,
    min_path: byId("new-path").value,
    min_density: share(byId("new-density-min")),
    max_density: share(byId("new-density-max")),
  });
  return Maze.fromRows(maze);
}

/**
 * The ways to another maze: fresh, an example, text, a file.
 * @param {{put: (maze: Maze) => void, maze: () => Maze, say: (sentence: string) => void}} board
 */
export function offerSources(board) {
  onSubmit(byId("new-form"), byId("new-error"), async () => board.put(await freshMaze()));
  onSubmit(byId("example-form"), byId("example-error"), async () => {
    const { maze } = await getJson("get_maze", { index: byId("example-index").value });
    board.put(Maze.fromRows(maze));
  });
  offerText(board);
}

function offerText(board) {
  const text = byId("text");
  const problem = byId("text-error");
  const file = byId("file");
  const pick = byId("pick");
  /** The mazes that were read last. */
  let mazes = [];

  text.addEventListener("input", () => text.removeAttribute("aria-invalid"));
  onSubmit(byId("text-form"), problem, async () => {
    text.removeAttribute("aria-invalid");
    try {
      offer(await readMazes(text.value));
    } catch (error) {
      pointAt(error);
      throw error;
    }
  });
  byId("write-text").addEventListener("click", () => {
    text.value = board.maze().toText();
    problem.textContent = "";
  });

  byId("open-file").addEventListener("click", () => file.click());
  file.addEventListener("change", () => {
    if (file.files[0]) open(file.files[0]);
    file.value = ""; // so that the same file can be opened again
  });
  acceptDrops(open);
  pick.addEventListener("input", () => {
    const maze = mazes[pick.valueAsNumber - 1];
    if (maze) board.put(Maze.fromRows(maze));
  });

  async function open(chosen) {
    byId("text-fold").open = true;
    problem.textContent = "";
    try {
      offer(await readMazes(chosen));
      board.say(`${chosen.name} opened.`);
    } catch (error) {
      problem.textContent = `${chosen.name}: ${error.message}`;
      byId("text-fold").scrollIntoView({ block: "nearest" });
    }
  }

  function offer({ count, mazes: read }) {
    mazes = read;
    byId("pick-row").hidden = count < 2;
    byId("pick-label").textContent =
      count > read.length ? `Maze, 1 to ${read.length} (of ${count} in the file)` : `Maze, 1 to ${count}`;
    pick.max = String(read.length);
    pick.value = "1";
    board.put(Maze.fromRows(read[0]));
  }

  function pointAt({ code, row, column }) {
    text.setAttribute("aria-invalid", "true");
    // What is no JSON has no cells yet: the place is one of the text.
    const find = code === "bad_json" ? placeInText : placeIn;
    const place = row ? find(text.value, row, column ?? 1) : null;
    text.focus();
    if (place) text.setSelectionRange(place.from, place.to);
  }
}

/** A file may be dropped anywhere on the page. */
function acceptDrops(open) {
  const hint = byId("drop-hint");
  const bringsFile = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!bringsFile(event)) return;
    event.preventDefault();
    hint.hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) hint.hidden = true;
  });
  addEventListener("drop", (event) => {
    if (!bringsFile(event)) return;
    event.preventDefault();
    hint.hidden = true;
    open(event.dataTransfer.files[0]);
  });
}
