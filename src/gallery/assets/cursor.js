// The index of the open photo among the photos found, and the steps to its neighbours.

/** @typedef {import("./api.js").Tile} Tile */

export class Cursor {
  #grid;
  /** The search to whose photos the index belongs. @type {object | null} */
  #search = null;
  /** @type {number | null} */
  #id = null;
  // The photo's index; -1 as long as it is not known, or if the photo is not among those found.
  #index = -1;
  // Whether the photo is still among those found. If not, the next photo has taken its index.
  #stays = false;
  /** Resolves when the index is known, or no step is in progress. @type {Promise<unknown>} */
  #settled = Promise.resolve();

  /** @param {import("./grid.js").Grid} grid */
  constructor(grid) {
    this.#grid = grid;
  }

  get hasPrevious() {
    return this.#index > 0;
  }

  get hasNext() {
    return this.#index >= 0 && this.#index + (this.#stays ? 1 : 0) < this.#grid.total;
  }

  /** The index when it is known; -1 for none. */
  async index() {
    await this.#settled;
    return this.#search === this.#grid.search ? this.#index : -1;
  }

  /**
   * Notes which photo is open, or that the photos found have changed; resolves when the index is known.
   * @param {number} id
   */
  follow(id) {
    const { search } = this.#grid;
    // The index of another photo, or the one in another search, says nothing about this photo.
    if (id !== this.#id || search !== this.#search) this.#index = -1;
    [this.#id, this.#search] = [id, search];
    const index = this.#grid.indexOf(id);
    if (index >= 0) this.#set(index);
    else this.#settled = this.#find(id);
    return this.#settled;
  }

  /**
   * The next photo (1) or the previous one (-1), if there is one, which is then the one that is followed. Steps that are
   * asked for quickly are taken one after the other.
   * @param {number} by
   * @returns {Promise<Tile | undefined>}
   */
  step(by) {
    const stepped = this.#settled.then(() => this.#step(by));
    this.#settled = stepped;
    return stepped;
  }

  /** @param {number} by */
  async #step(by) {
    const [id, search] = [this.#id, this.#search];
    if (id === null || this.#index < 0 || search !== this.#grid.search) return undefined;
    await this.#grid.at(this.#index);
    await this.#find(id);
    const index = this.#index + (this.#stays || by < 0 ? by : 0);
    const next = await this.#grid.at(index);
    // Meanwhile another photo may have been opened.
    if (!next || id !== this.#id || search !== this.#grid.search) return undefined;
    this.#id = next.id;
    this.#set(index);
    return next;
  }

  /** @param {number} id */
  async #find(id) {
    const search = this.#search;
    const index = await this.#grid.find(id);
    if (id === this.#id && search === this.#grid.search) this.#set(index);
  }

  /** @param {number} index The photo's index; -1 if it is not among the photos found, or not any more. */
  #set(index) {
    this.#stays = index >= 0;
    if (index >= 0) this.#index = index;
  }
}
