// The photos found, fetched one page at a time, and the position of each in the grid.

import * as api from "./api.js";
import { setIntoRows, shape } from "./rows.js";

/**
 * @typedef {import("./api.js").Tile} Tile
 * @typedef {{ photos: Tile[], rows: import("./rows.js").Row[], height: number }} Page
 * @typedef {{ id: number, index: number }} Spot A photo and its index in the answer.
 * @typedef {{ left: number, top: number, width: number, height: number }} Place
 */

// The number of photos in a page.
export const PAGE = 60;
// Browsers cannot show anything below about 33 million pixels.
export const MOST = 400_000;
// The assumed ratio of width to height of photos before any is fetched.
const USUAL = 1.4;

// How many times pages have been stacked, as a source of new versions.
let stacked = 0;

export class Pages {
  /** The number of photos in the answer, at most `MOST`. */
  total = 0;
  /** Another number whenever places of photos have changed, in all answers. */
  version = 0;
  /** @type {Map<number, Page>} */
  #pages = new Map();
  /** @type {Map<number, Promise<void>>} */
  #asked = new Map();
  /** @type {import("./api.js").Asked} */
  #filters;
  #giveUp = new AbortController();
  #room = { width: 1, wanted: 1, gap: 0 };
  /** The top of each page; the last entry is the bottom of the last page. */
  #tops = [0];

  /** @param {import("./api.js").Asked} filters */
  constructor(filters) {
    this.#filters = filters;
  }

  /** Aborts the requests in progress. */
  close() {
    this.#giveUp.abort();
  }

  /** The height of all photos together. */
  get height() {
    return this.#tops.at(-1) ?? 0;
  }

  /**
   * Sets the width of the grid and the desired height of its rows.
   * @param {{ width: number, wanted: number, gap: number }} room
   */
  fit(room) {
    this.#room = room;
    for (const page of this.#pages.values()) this.#set(page);
    this.#stack();
  }

  /** @param {number} total */
  expect(total) {
    this.total = Math.min(total, MOST);
    const last = this.#pages.get(this.#count() - 1);
    if (last) this.#set(last);
    this.#stack();
  }

  /**
   * The photo at an index in the answer, if it was fetched.
   * @param {number} index
   * @returns {Tile | undefined}
   */
  at(index) {
    return this.#pages.get(Math.floor(index / PAGE))?.photos[index % PAGE];
  }

  /**
   * The index of a photo; -1 if it is not among the fetched photos.
   * @param {number} id
   */
  indexOf(id) {
    for (const [number, { photos }] of this.#pages) {
      const found = photos.findIndex((photo) => photo.id === id);
      if (found >= 0) return number * PAGE + found;
    }
    return -1;
  }

  /**
   * The index of a photo in the answer, for which the server is asked unless the photo was fetched; -1 if the photo is not
   * in the answer.
   * @param {number} id
   */
  async find(id) {
    const fetched = this.indexOf(id);
    if (fetched >= 0) return fetched;
    const { index } = await api.index(this.#filters, id, this.#giveUp.signal);
    return index === null || index >= MOST ? -1 : index;
  }

  /**
   * The numbers of all photos from one to another, both included; `null` if one of the two is not in the answer any more.
   * The server is asked unless all of them were fetched.
   * @param {Spot} one
   * @param {Spot} other
   */
  async range(one, other) {
    const [from, to] = [Math.min(one.index, other.index), Math.max(one.index, other.index)];
    const fetched = [];
    for (let photo = this.at(from); photo && fetched.length <= to - from; photo = this.at(from + fetched.length)) fetched.push(photo.id);
    const isThere = [one, other].every(({ id, index }) => this.at(index)?.id === id);
    if (isThere && fetched.length === to - from + 1) return fetched;
    return (await api.between(this.#filters, one.id, other.id)).photos;
  }

  /**
   * The position of a photo in the grid; `null` if it is not known yet.
   * @param {number} index
   * @returns {Place | null}
   */
  place(index) {
    const number = Math.floor(index / PAGE);
    const page = this.#pages.get(number);
    const row = page && rowOf(page, index % PAGE);
    if (!page || !row) return null;
    const before = page.photos.slice(row.from, index % PAGE);
    const left = before.reduce((sum, photo) => sum + shape(photo) * row.height + this.#room.gap, 0);
    const photo = page.photos[index % PAGE];
    const width = photo ? shape(photo) * row.height : 0;
    return { left, top: (this.#tops[number] ?? 0) + row.top, width, height: row.height };
  }

  /**
   * The fetched photos of which some part is between two heights.
   * @param {number} from
   * @param {number} to
   * @returns {number[]}
   */
  between(from, to) {
    const found = [];
    for (const number of this.numbers(from, to)) {
      const top = this.#tops[number] ?? 0;
      for (const row of this.#pages.get(number)?.rows ?? []) {
        if (top + row.top > to || top + row.top + row.height < from) continue;
        for (let index = row.from; index < row.to; index++) found.push(number * PAGE + index);
      }
    }
    return found;
  }

  /**
   * The photo in the next row, below (1) or above (-1), whose position across is nearest to this one's.
   * @param {number} index
   * @param {1 | -1} way
   */
  async across(index, way) {
    const number = Math.floor(index / PAGE);
    const page = this.#pages.get(number);
    const row = page && rowOf(page, index % PAGE);
    if (!page || !row) return index;
    const edge = number * PAGE + (way > 0 ? row.to : row.from - 1);
    if (edge < 0 || edge >= this.total) return index;
    await this.load(edge);
    const [here, other] = [this.place(index), this.#pages.get(Math.floor(edge / PAGE))];
    const next = other && rowOf(other, edge % PAGE);
    if (!here || !next) return edge;
    /** @param {number} at */
    const distance = (at) => {
      const place = this.place(at);
      return place ? Math.abs(place.left + place.width / 2 - here.left - here.width / 2) : Infinity;
    };
    const first = Math.floor(edge / PAGE) * PAGE;
    let best = first + next.from;
    for (let at = best; at < first + next.to; at++) if (distance(at) < distance(best)) best = at;
    return best;
  }

  /**
   * The numbers of the pages between two heights.
   * @param {number} from
   * @param {number} to
   */
  numbers(from, to) {
    const numbers = [];
    for (let number = this.#pageAt(from); number < this.#count(); number++) {
      if ((this.#tops[number] ?? 0) > to) break;
      numbers.push(number);
    }
    return numbers;
  }

  /** @param {number} number */
  has(number) {
    return this.#pages.has(number);
  }

  /**
   * The bottom of a page.
   * @param {number} number
   */
  bottom(number) {
    return this.#tops[number + 1] ?? 0;
  }

  /**
   * Fetches the page that contains a photo, unless it was fetched before.
   * @param {number} index
   */
  async load(index) {
    const number = Math.floor(index / PAGE);
    if (this.#pages.has(number)) return;
    const asked = this.#asked.get(number) ?? this.#ask(number).finally(() => this.#asked.delete(number));
    this.#asked.set(number, asked);
    await asked;
  }

  /** @param {number} number */
  async #ask(number) {
    const { photos, more } = await api.photos(this.#filters, number * PAGE, PAGE, this.#giveUp.signal);
    // The number of photos may have changed since they were counted.
    const end = number * PAGE + photos.length;
    if (more) this.total = Math.max(this.total, Math.min(end + 1, MOST));
    else if (photos.length || number === 0) this.total = Math.min(end, MOST);
    else this.total = Math.min(this.total, number * PAGE);
    const page = { photos, rows: [], height: 0 };
    this.#pages.set(number, page);
    this.#set(page);
    this.#stack();
  }

  /** @param {Page} page */
  #set(page) {
    const { gap } = this.#room;
    const ends = this.#pages.get(this.#count() - 1) === page;
    page.rows = setIntoRows(page.photos.map(shape), { ...this.#room, ends });
    const last = page.rows.at(-1);
    page.height = last ? last.top + last.height + gap : 0;
  }

  // Stacks the pages; a page that was not fetched gets the average height of the others.
  #stack() {
    const { width, wanted, gap } = this.#room;
    const full = [...this.#pages.values()].filter(({ photos }) => photos.length === PAGE);
    const known = full.reduce((sum, { height }) => sum + height, 0) / full.length;
    const usual = known || (PAGE / Math.max(width / (USUAL * wanted), 1)) * (wanted + gap);
    this.version = ++stacked;
    this.#tops = [0];
    let top = 0;
    for (let number = 0; number < this.#count(); number++) {
      const here = Math.min(PAGE, this.total - number * PAGE);
      top += this.#pages.get(number)?.height ?? (usual * here) / PAGE;
      this.#tops.push(top);
    }
  }

  #count() {
    return Math.ceil(this.total / PAGE);
  }

  /** @param {number} height */
  #pageAt(height) {
    let [low, high] = [0, this.#count()];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#tops[middle] ?? 0) <= height) low = middle;
      else high = middle;
    }
    return low;
  }
}

/**
 * @param {Page} page
 * @param {number} index
 */
const rowOf = (page, index) => page.rows.find(({ from, to }) => from <= index && index < to);
