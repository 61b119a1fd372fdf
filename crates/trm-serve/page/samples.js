import { getJson, postJson } from "./api.js";
import { byId, button, element } from "./dom.js";
import { Maze } from "./maze.js";
import { onSubmit } from "./messages.js";

/**
 * Samples kept by the server.
 * @param {{put: (maze: Maze) => void, sample: () => object}} board `sample` is the maze and its answer, if there is one
 */
export function offerSamples(board) {
  const fold = byId("saved");
  const status = byId("save-status");
  fold.addEventListener("toggle", () => fold.open && list());

  onSubmit(byId("save-form"), status, async () => {
    const name = byId("save-name").value.trim() || "my maze";
    await postJson("save_custom", { name, ...board.sample() });
    byId("save-name").value = "";
    await list();
    status.textContent = `Saved as “${name}”.`;
  });

  async function list() {
    try {
      const { files } = await getJson("list_custom");
      byId("saved-list").replaceChildren(...files.map((file) => element("li", {}, entry(file))));
      status.textContent = files.length ? "" : "Nothing saved yet.";
    } catch (error) {
      status.textContent = error.message;
    }
  }

  function entry({ file, name, side, created_at: created }) {
    const node = button(name, async () => {
      try {
        const { input_maze: maze } = await getJson("get_custom", { file });
        board.put(Maze.fromRows(maze));
        status.textContent = `“${name}” is on the board.`;
      } catch (error) {
        status.textContent = error.message;
      }
    });
    node.append(element("small", {}, `${side} × ${side}, ${new Date(created).toLocaleDateString()}`));
    return node;
  }
}
