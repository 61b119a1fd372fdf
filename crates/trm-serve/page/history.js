const REMEMBERED = 200;

/**
 * What is on the board, with undo and redo. Several changes between `begin` and `commit` (a drag) are one entry.
 * Fires "change" whenever the board differs from before. Values are immutable and tell by `equals` whether they are the same.
 * @template {{equals: (other: T) => boolean}} T
 */
export class History extends EventTarget {
  #value;
  #undone = [];
  #done = [];
  /** The value as it was when the entry began; null between entries. */
  #base = null;

  /** @param {T} value */
  constructor(value) {
    super();
    this.#value = value;
  }

  get value() {
    return this.#value;
  }

  /** The value at the beginning of this entry. */
  get base() {
    return this.#base ?? this.#value;
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Puts another value on the board, as one entry. */
  replace(value) {
    this.begin();
    this.show(value);
    this.commit();
  }

  /** Puts the first value on the board: there is nothing to go back to. */
  restart(value) {
    this.#done = [];
    this.#undone = [];
    this.#base = null;
    this.show(value);
  }

  begin() {
    this.#base ??= this.#value;
  }

  /** Changes the board within an entry. */
  show(value) {
    if (value === this.#value) return;
    this.#value = value;
    this.#changed();
  }

  commit() {
    const base = this.#base;
    this.#base = null;
    if (base === null || base.equals(this.#value)) return;
    this.#done.push(base);
    if (this.#done.length > REMEMBERED) this.#done.shift();
    this.#undone = [];
    this.#changed();
  }

  /** Takes an unfinished entry back. */
  revert() {
    if (this.#base) this.show(this.#base);
    this.#base = null;
  }

  undo() {
    this.#travel(this.#done, this.#undone);
  }

  redo() {
    this.#travel(this.#undone, this.#done);
  }

  #travel(from, to) {
    this.revert();
    const value = from.pop();
    if (!value) return;
    to.push(this.#value);
    this.show(value);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
