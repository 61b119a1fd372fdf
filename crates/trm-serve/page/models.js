import { byId, element } from "./dom.js";

const count = (parameters) =>
  parameters >= 1e6 ? `${(parameters / 1e6).toFixed(1)} million` : `${Math.round(parameters / 1e3)} thousand`;

/** What a model takes, in a few words. @param {Model} model */
function sidesOf({ side, fits_any_side: fitsAny, trained_sides: [least, greatest] }) {
  if (!fitsAny) return `${side} × ${side}`;
  return least === greatest ? `any side, trained on ${least}` : `any side, trained on ${least} to ${greatest}`;
}

/**
 * The choice of the model and how long it may think.
 * @typedef {{name: string, side: number, fits_any_side: boolean, trained_sides: [number, number], max_steps: number,
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

  get chosenIsDefault() {
    return this.chosen === this.all[0];
  }

  /** @param {string} name @returns {boolean} whether the server has it */
  choose(name) {
    const known = this.all.some((model) => model.name === name);
    if (known && this.#select.value !== name) {
      this.#select.value = name;
      this.#changed();
    }
    return known;
  }

  /** Another model that takes mazes of this side. */
  forSide(side) {
    return this.all.find((model) => model.fits_any_side || model.side === side);
  }

  /** @returns {import("./solver.js").Settings} */
  settings() {
    // Left empty, it is the server's affair: boards larger than those of the training get more.
    const most = this.#steps.valueAsNumber;
    const halt = byId("think-on").checked ? "never" : "q";
    return { model: this.chosen.name, halt, maxSteps: Number.isInteger(most) ? most : null };
  }

  #changed() {
    const { side, fits_any_side: fitsAny, max_steps: most, parameters, device, precision } = this.chosen;
    this.#steps.placeholder = String(most);
    this.#steps.value = "";
    byId("new-side").value = String(side);
    byId("play-side").value = String(side);
    byId("play-side").disabled = !fitsAny;
    byId("model-about").textContent = `${count(parameters)} weights, ${precision} on ${device}.`;
    this.dispatchEvent(new Event("change"));
  }
}
