// The selected photos.

import { find } from "./dom.js";

export class Selection {
  /** @type {Set<number>} */
  #ids = new Set();
  /** @type {(() => void)[]} */
  #followers = [];
  #mode = false;
  #button = find("#select");

  constructor() {
    this.#button.addEventListener("click", () => (this.isOn ? this.clear() : this.start()));
  }

  /** @param {() => void} changed */
  follow(changed) {
    this.#followers.push(changed);
  }

  /** Whether a click on a photo selects it. */
  get isOn() {
    return this.#mode || this.#ids.size > 0;
  }

  get ids() {
    return [...this.#ids];
  }

  /** @param {number} id */
  has(id) {
    return this.#ids.has(id);
  }

  /**
   * @param {number} id
   * @param {boolean} selected
   */
  set(id, selected) {
    if (selected) this.#ids.add(id);
    else this.#ids.delete(id);
    this.#tell();
  }

  /**
   * Selects some photos more.
   * @param {number[]} ids
   */
  add(ids) {
    for (const id of ids) this.#ids.add(id);
    this.#tell();
  }

  /**
   * Selects some photos no longer.
   * @param {number[]} ids
   */
  remove(ids) {
    for (const id of ids) this.#ids.delete(id);
    this.#tell();
  }

  start() {
    this.#mode = true;
    this.#tell();
  }

  clear() {
    this.#mode = false;
    this.#ids.clear();
    this.#tell();
  }

  #tell() {
    this.#button.setAttribute("aria-pressed", String(this.isOn));
    document.documentElement.classList.toggle("selecting", this.isOn);
    for (const changed of this.#followers) changed();
  }
}
