// Shows one photo after the other, without controls.

import { find } from "./dom.js";

// How long a photo is shown, in milliseconds.
const STAY = 4000;

export class Slideshow {
  #dialog = find("#photo");
  #button = find("#slideshow");
  #next;
  #loaded;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #waiting;

  /**
   * @param {() => Promise<boolean>} next Shows the next photo; returns whether there is one.
   * @param {() => Promise<unknown>} loaded Resolves when the picture is loaded.
   */
  constructor(next, loaded) {
    this.#next = next;
    this.#loaded = loaded;
  }

  get isOn() {
    return this.#dialog.classList.contains("slideshow");
  }

  toggle() {
    if (this.isOn) this.stop();
    else this.#start();
  }

  stop() {
    clearTimeout(this.#waiting);
    this.#mark(false);
  }

  #start() {
    this.#mark(true);
    this.#wait();
  }

  // The time starts when the picture is loaded, however long loading took.
  async #wait() {
    await this.#loaded();
    clearTimeout(this.#waiting);
    if (!this.isOn) return;
    this.#waiting = setTimeout(async () => {
      if (await this.#next()) this.#wait();
      else this.stop();
    }, STAY);
  }

  /** @param {boolean} on */
  #mark(on) {
    this.#dialog.classList.toggle("slideshow", on);
    this.#button.setAttribute("aria-pressed", String(on));
  }
}
