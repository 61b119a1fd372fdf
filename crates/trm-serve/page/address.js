import { decodeLink, encodeLink } from "./link.js";

const WRITE_AFTER = 300;

/**
 * Keeps the maze and the model in the fragment of the address.
 * @param {{current: () => {maze: import("./maze.js").Maze, model: string | null},
 *          open: (maze: import("./maze.js").Maze, model: string | null) => void,
 *          maxSide: () => number, broken: (sentence: string) => void}} page
 */
export function keepInAddress(page) {
  let timer = null;

  function write() {
    clearTimeout(timer);
    const { maze, model } = page.current();
    history.replaceState(null, "", encodeLink(maze, model));
  }

  /** Drawing changes the maze many times a second; the address follows when it rests. */
  function writeSoon() {
    clearTimeout(timer);
    timer = setTimeout(write, WRITE_AFTER);
  }

  /**
   * @returns {boolean} whether the address held a maze
   * @throws {Error} with a plain sentence when it cannot be read
   */
  function follow() {
    const link = decodeLink(location.hash, page.maxSide());
    if (link) page.open(link.maze, link.model);
    return link !== null;
  }

  addEventListener("hashchange", () => {
    try {
      follow();
    } catch (error) {
      page.broken(error.message);
    }
  });
  return { write, writeSoon, follow };
}
