import { stream, wasCancelled } from "./api.js";

/**
 * Runs one puzzle through the model and feeds the player.
 * @typedef {{model: string, halt: "q" | "never", maxSteps: number | null}} Settings
 */
export class Solver {
  #running = null;
  #player;
  #page;

  /**
   * @param {import("./player.js").Player} player
   * @param {{thinking: () => void, done: (prediction: object) => void, cancelled: () => void,
   *          failed: (error: Error) => void}} page told about each turn of events
   */
  constructor(player, page) {
    this.#player = player;
    this.#page = page;
  }

  /** @param {string} grid the puzzle in one line of text @param {Settings} settings */
  async solve(grid, { model, halt, maxSteps }) {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    const player = this.#player;
    player.reset({ live: true });
    this.#page.thinking();
    const parameters = { grid, model, halt, max_steps: maxSteps, probabilities: true };
    try {
      let prediction = null;
      for await (const { event, value } of stream("predict/stream", parameters, "done", running.signal)) {
        if (event === "step") player.push(stepOf(value));
        if (event === "done") prediction = value;
      }
      await player.caughtUp();
      if (this.#running !== running) return;
      this.#running = null;
      player.pause();
      this.#page.done(prediction);
    } catch (error) {
      // A newer request, or an edit of the board, has taken over: this one has nothing to say any more.
      if (this.#running !== running) return;
      this.#running = null;
      player.pause();
      if (wasCancelled(error)) this.#page.cancelled();
      else this.#page.failed(error);
    }
  }

  /** Stops the request; the page hears `cancelled`. */
  cancel() {
    this.#running?.abort();
  }

  /** Stops the request, and nobody is told. */
  drop() {
    const running = this.#running;
    this.#running = null;
    running?.abort();
  }
}

/** A step as the player keeps it: mazes have names of their own for the answer and its probabilities. */
const stepOf = ({ maze, answer = maze, path_probability, probabilities = path_probability, ...rest }) => ({
  ...rest,
  answer: answer.flat(),
  probability: probabilities?.flat() ?? null,
});
