import { byId } from "./dom.js";

/**
 * The buttons and keys that undo, redo and clear.
 * @param {() => import("./games.js").Game} game the one that is shown
 * @returns {() => void} shows what can be undone
 */
export function offerUndo(game) {
  byId("undo").addEventListener("click", () => game().history.undo());
  byId("redo").addEventListener("click", () => game().history.redo());
  byId("clear").addEventListener("click", () => game().history.replace(game().cleared()));
  addEventListener("keydown", (event) => {
    const inText = event.target.matches?.("textarea, input:not([type=radio], [type=checkbox], [type=range])");
    if (inText || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    if (key === "y" || event.shiftKey) game().history.redo();
    else game().history.undo();
  });
  return () => {
    byId("undo").disabled = !game().history.canUndo;
    byId("redo").disabled = !game().history.canRedo;
  };
}
