import { byId, element } from "./dom.js";

const count = (parameters) =>
  parameters >= 1e6 ? `${(parameters / 1e6).toFixed(1)} million` : `${Math.round(parameters / 1e3)} thousand`;

/**
 * The choice of the model and how long it may think.
 * @typedef {{name: string, side: number, max_steps: number, parameters: number, device: string, precision: string}} Model
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
      ...models.map(({ name, side }) => element("option", { value: name }, `${name}, ${side} × ${side}`)),
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
    return this.all.find((model) => model.side === side);
  }

  /** @returns {import("./solver.js").Settings} */
  settings() {
    const most = this.#steps.valueAsNumber;
    const halt = byId("think-on").checked ? "never" : "q";
    return { model: this.chosen.name, halt, maxSteps: Number.isInteger(most) ? most : null };
  }

  #changed() {
    const { side, max_steps: most, parameters, device, precision } = this.chosen;
    this.#steps.max = String(most);
    this.#steps.value = String(most);
    byId("new-side").value = String(side);
    byId("model-about").textContent = `${count(parameters)} weights, ${precision} on ${device}.`;
    this.dispatchEvent(new Event("change"));
  }
}
