import { byId, download } from "./dom.js";
import { animatedGif } from "./export-gif.js";
import { animatedSvg } from "./export-svg.js";
import { paint, shapesOf } from "./picture.js";

const PNG_EDGE = 960;

/** The link to what is on the board. @param {() => void} updateLink */
export function offerLink(updateLink) {
  const status = byId("share-status");
  byId("share").addEventListener("click", async () => {
    updateLink();
    try {
      await navigator.clipboard.writeText(location.href);
      byId("share-row").hidden = true;
      status.textContent = "The link is copied.";
    } catch {
      // No clipboard here (an insecure origin, a refusal): the link is shown, ready to be copied by hand.
      byId("share-row").hidden = false;
      byId("share-link").value = location.href;
      byId("share-link").select();
      status.textContent = "Copy the link from the field.";
    }
  });
}

/**
 * The pictures of a maze.
 * @param {{shown: () => import("./frame.js").Frame, frames: () => import("./frame.js").Frame[]}} board
 *   `shown` is the frame on the board, `frames` the whole thinking
 */
export function offerDownloads(board) {
  byId("download-png").addEventListener("click", () => {
    const frame = board.shown();
    const { side } = frame.maze;
    const canvas = paint(shapesOf(frame), side, Math.max(Math.round(PNG_EDGE / side), 8));
    canvas.toBlob((blob) => download(blob, `maze-${side}.png`), "image/png");
  });
  byId("download-svg").addEventListener("click", () => {
    const frames = board.frames();
    const text = animatedSvg(frames, "A Tiny Recursive Model solves a maze step by step");
    download(new Blob([text], { type: "image/svg+xml" }), `thinking-${frames[0].maze.side}.svg`);
  });
  byId("download-gif").addEventListener("click", () => {
    const frames = board.frames();
    download(new Blob([animatedGif(frames)], { type: "image/gif" }), `thinking-${frames[0].maze.side}.gif`);
  });
}

/** The animations show the thinking, so they need some. */
export function allowAnimations(allowed) {
  byId("download-svg").disabled = !allowed;
  byId("download-gif").disabled = !allowed;
  byId("share-status").textContent = allowed ? "" : "The animations show the thinking, so solve first.";
}
