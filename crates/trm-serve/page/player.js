/** While the model thinks, a step stays on the board for at least this long, or a fast model would only flash. */
const LIVE_PACE = 160;
const PLAY_PACE = 650;

/**
 * The recorded steps of one answer and which of them is shown. Position 0 is the board before any thinking.
 * Fires "change".
 * @typedef {{step: number, q_halt: number, confidence: number, wants_to_halt: boolean, halted: boolean,
 *            answer: number[], probability: number[] | null, milliseconds: number}} Step
 */
export class Player extends EventTarget {
  /** @type {Step[]} */
  steps = [];
  position = 0;
  /** "live": follows the steps as they come; "playing": repeats them; "paused" */
  mode = "paused";
  #timer = null;
  #waiting = [];

  /** The step on the board, null at position 0. */
  get current() {
    return this.steps[this.position - 1] ?? null;
  }

  /** Forgets everything; with `live`, follows the steps to come. */
  reset({ live = false } = {}) {
    this.#stop();
    this.steps = [];
    this.position = 0;
    this.mode = live ? "live" : "paused";
    this.#changed();
  }

  /** @param {Step} step */
  push(step) {
    this.steps.push(step);
    if (this.mode === "live" && this.#timer === null) this.#advance(LIVE_PACE);
    else this.#changed();
  }

  /** Resolves when all steps so far have been on the board, or when the user took over. */
  caughtUp() {
    if (this.mode !== "live" || this.#timer === null) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  seek(position) {
    this.#stop();
    this.mode = "paused";
    this.position = Math.min(Math.max(position, 0), this.steps.length);
    this.#changed();
  }

  pause() {
    this.seek(this.position);
  }

  /** Plays to the end, from the beginning when it is there already. */
  play() {
    this.#stop();
    this.mode = "playing";
    if (this.position === this.steps.length) this.position = 0;
    this.#changed();
    this.#timer = setTimeout(() => this.#advance(PLAY_PACE), PLAY_PACE);
  }

  #advance(pace) {
    this.#timer = null;
    if (this.position < this.steps.length) {
      this.position += 1;
      this.#timer = setTimeout(() => this.#advance(pace), pace);
    } else {
      if (this.mode === "playing") this.mode = "paused";
      this.#release();
    }
    this.#changed();
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#release();
  }

  #release() {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
