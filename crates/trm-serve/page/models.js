import { byId, element } from "./dom.js";

const count = (parameters) =>
  parameters >= 1e6 ? `${(parameters / 1e6).toFixed(1)} million` : `${Math.round(parameters / 1e3)} thousand`;

/** What a model takes, in a few words. @param {Model} model */
function sidesOf({ rows, columns, fits_any_side: fitsAny, trained_sides: [least, greatest] }) {
  if (!fitsAny) return `${rows} × ${columns}`;
  return least === greatest ? `any side, trained on ${least}` : `any side, trained on ${least} to ${greatest}`;
}

/**
 * The choice of the model and how long it may think.
 * @typedef {{name: string, puzzle: string, side: number, rows: number, columns: number, fits_any_side: boolean, trained_sides: [number, number], max_steps: number,
 *   parameters: number, device: string, precision: string}} Model
 */
export class Models extends EventTarget {
  /** @type {Model[]} */
  all = [];
  #select = byId("model");
  #steps = byId("max-steps");

  constructor() {
    super();
    this.#select.addEventListener("change", () => this.#changed());
  }

  /** @param {Model[]} models the first is the default */
  offer(models) {
    this.all = models;
    this.#select.replaceChildren(
      ...models.map((model) => element("option", { value: model.name }, `${model.name}, ${sidesOf(model)}`)),
    );
    this.#changed();
  }

  /** Whether the server has told what models there are. */
  get known() {
    return this.all.length > 0;
  }

  /** @returns {Model} once they are known */
  get chosen() {
    return this.all.find(({ name }) => name === this.#select.value);
  }

  /** Whether it is the one that a link without a model means. */
  get chosenIsDefault() {
    return this.chosen === this.defaultFor(this.chosen.puzzle);
  }

  /** The first model for a puzzle. @param {string} puzzle @returns {Model | undefined} */
  defaultFor(puzzle) {
    return this.all.find((model) => model.puzzle === puzzle);
  }

  /** The model of this name, if it is for this puzzle. @returns {Model | undefined} */
  named(name, puzzle) {
    return this.all.find((model) => model.name === name && model.puzzle === puzzle);
  }

  /** @param {Model} model one of them */
  choose({ name }) {
    if (this.#select.value === name) return;
    this.#select.value = name;
    this.#changed();
  }

  /** Another model that takes mazes of this side. */
  forSide(side) {
    return this.all.find((model) => model.puzzle === "maze" && (model.fits_any_side || model.side === side));
  }

  /** @returns {import("./solver.js").Settings} */
  settings() {
    // Left empty, it is the server's affair: boards larger than those of the training get more.
    const most = this.#steps.valueAsNumber;
    const halt = byId("think-on").checked ? "never" : "q";
    return { model: this.chosen.name, halt, maxSteps: Number.isInteger(most) ? most : null };
  }

  #changed() {
    const { puzzle, side, fits_any_side: fitsAny, max_steps: most, parameters, device, precision } = this.chosen;
    this.#steps.placeholder = String(most);
    this.#steps.value = "";
    if (puzzle === "maze") {
      byId("new-side").value = String(side);
      byId("play-side").value = String(side);
      byId("play-side").disabled = !fitsAny;
    }
    byId("model-about").textContent = `${count(parameters)} weights, ${precision} on ${device}.`;
    this.dispatchEvent(new Event("change"));
  }
}
