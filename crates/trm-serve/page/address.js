const WRITE_AFTER = 300;

/**
 * Keeps the puzzle on the board and the model in the fragment of the address.
 * @param {{games: import("./games.js").Game[], game: () => import("./games.js").Game, model: () => string | null,
 *          open: (game: import("./games.js").Game, value: object, model: string | null) => void,
 *          broken: (sentence: string) => void}} page `model` is null for the default one
 */
export function keepInAddress(page) {
  let timer = null;

  function write() {
    clearTimeout(timer);
    const model = page.model();
    history.replaceState(null, "", `#${page.game().toLink()}${model ? `&model=${encodeURIComponent(model)}` : ""}`);
  }

  /** Drawing changes the board many times a second; the address follows when it rests. */
  function writeSoon() {
    clearTimeout(timer);
    timer = setTimeout(write, WRITE_AFTER);
  }

  /**
   * @returns {boolean} whether the address held a puzzle
   * @throws {Error} with a plain sentence when it cannot be read
   */
  function follow() {
    const fields = new URLSearchParams(location.hash.replace(/^#/, ""));
    for (const game of page.games) {
      const value = game.fromLink(fields);
      if (value === null) continue;
      page.open(game, value, fields.get("model"));
      return true;
    }
    return false;
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
