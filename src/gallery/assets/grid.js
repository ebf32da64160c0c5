// Shows the photos found, in rows; only photos on the screen and near it are elements of the page.

import { find, seek, wasAborted } from "./dom.js";
import { PAGE, Pages } from "./pages.js";
import { describeTile, makeTile, showPicture } from "./tile.js";

/** @typedef {import("./api.js").Tile} Tile */

// How many screen heights of photos above and below the screen are drawn as well.
const AROUND = 0.75;
// Past this many photos the grid is not refreshed by itself, because the photos would change places; a
// button offers it instead.
const ASKED = 300;

export class Grid {
  #list = find("#grid");
  #pages = new Pages(new URLSearchParams());
  /** Those of the photos that are shown. @type {import("./api.js").Asked} */
  #filters = new URLSearchParams();
  /** Those of the latest search, which may not be answered yet. */
  #wanted = this.#filters;
  /** The drawn tiles by their index in the answer. @type {Map<number, HTMLLIElement>} */
  #drawn = new Map();
  // The index of the photo that the keys act on.
  #current = 0;
  // The photo from which Shift selects: the last one that a person went to or clicked without Shift. Its number is not known
  // before that.
  /** @type {{ id: number | undefined, index: number }} */
  #anchor = { id: undefined, index: 0 };
  // The top of the list when it was last drawn.
  #top = 0;
  #frame = 0;
  #width = 0;
  #callbacks;

  /**
   * @param {object} callbacks
   * @param {(id: number) => void} callbacks.open
   * @param {(error: unknown) => void} callbacks.failed
   * @param {import("./selection.js").Selection} callbacks.selection
   */
  constructor(callbacks) {
    this.#callbacks = callbacks;
    this.#list.addEventListener("keydown", (event) => this.#press(event));
    this.#list.addEventListener("click", (event) => this.#click(event));
    this.#list.addEventListener("focusin", ({ target }) => this.#rove(indexOf(target)));
    callbacks.selection.follow(() => this.#describe());
    addEventListener("scroll", () => this.#soon(), { passive: true });
    // Only the list's width matters; its height is computed.
    new ResizeObserver(() => this.#list.clientWidth !== this.#width && this.#fit()).observe(this.#list);
    // Keeps the header from covering a photo that was scrolled to, unless it is scrolled away with the photos.
    new ResizeObserver(([header]) => {
      const stays = header && getComputedStyle(header.target).position === "sticky";
      document.documentElement.style.scrollPaddingTop = `${stays ? (header.borderBoxSize[0]?.blockSize ?? 0) + 8 : 0}px`;
    }).observe(find("header"));
  }

  get total() {
    return this.#pages.total;
  }

  /** The search whose photos are shown; another object for each. @type {object} */
  get search() {
    return this.#filters;
  }

  /** Sets how many photos the server counted. @param {number} total */
  expect(total) {
    this.#pages.expect(total);
    this.#describe();
    this.#soon();
  }

  /**
   * Shows the photos that these filters find, from the first one.
   * @param {import("./api.js").Asked} filters
   */
  async show(filters) {
    this.#wanted = filters;
    const showing = this.#answer(filters);
    this.#showing = showing;
    await showing;
    if (this.#showing === showing) this.#showing = null;
  }

  /**
   * Fetches and shows the first photos of a search, unless another request replaces it or it fails.
   * @param {import("./api.js").Asked} filters
   */
  async #answer(filters) {
    const pages = await this.#fetch(filters, 0);
    if (!pages) return;
    this.#filters = filters;
    this.#goToFirst();
    this.#use(pages);
    scrollTo({ top: 0, behavior: "instant" });
    this.#draw();
    // Tiles that stay lead to photos of this search from now on.
    this.#describe();
  }

  /**
   * Shows no photos; a refresh asks for those that these filters find.
   * @param {import("./api.js").Asked} filters
   */
  clear(filters) {
    this.#asking?.close();
    this.#asking = null;
    this.#list.removeAttribute("aria-busy");
    this.#filters = this.#wanted = filters;
    this.#goToFirst();
    this.#use(new Pages(filters));
  }

  #goToFirst() {
    this.#current = 0;
    this.#anchor = { id: undefined, index: 0 };
  }

  /** Updates the displayed photos in place; returns whether that was possible. */
  async refresh() {
    // The page still shows the photos of the search before while a search is being answered, and after it failed. To
    // refresh those would cancel or forget the search, so it is awaited or repeated first.
    while (this.#showing) await this.#showing;
    if (this.#wanted !== this.#filters) {
      await this.show(this.#wanted);
      return true;
    }
    const visible = this.#visible();
    if ((visible[0] ?? 0) > ASKED) return false;
    const pages = await this.#fetch(this.#filters, visible.at(-1) ?? 0);
    if (!pages) return true;
    const at = this.current ? pages.indexOf(this.current.id) : -1;
    if (at >= 0) this.#current = at;
    const { id } = this.#anchor;
    const anchored = id === undefined ? -1 : pages.indexOf(id);
    if (anchored >= 0) this.#anchor = { id, index: anchored };
    this.#use(pages);
    return true;
  }

  /**
   * The index of a photo in the answer; -1 if it is not among the fetched photos.
   * @param {number} id
   */
  indexOf(id) {
    return this.#pages.indexOf(id);
  }

  /**
   * The index of a photo in the answer, wherever it is; -1 if it is not in the answer, or the server does not tell.
   * @param {number} id
   * @returns {Promise<number>}
   */
  async find(id) {
    const pages = this.#pages;
    try {
      return await pages.find(id);
    } catch {
      // A new answer aborts the requests of the last one.
      return pages === this.#pages ? -1 : this.find(id);
    }
  }

  /**
   * The photo at an index in the answer; none before the first or after the last.
   * @param {number} index
   * @returns {Promise<Tile | undefined>}
   */
  async at(index) {
    if (index < 0 || index >= this.total) return undefined;
    await this.#load(index);
    return this.#pages.at(index);
  }

  /** Moves the focus to the current photo, or to the message if there are no photos. */
  focus() {
    if (this.total) this.#goTo(this.#current);
    else find("#empty").focus();
  }

  /**
   * Moves the focus to the photo at an index in the answer, or to the current one if the index is -1.
   * @param {number} index
   */
  focusAt(index) {
    if (index >= 0) this.#settleAt(Math.max(0, Math.min(index, this.total - 1)));
    this.focus();
  }

  /** Selects the current photo, or selects it no longer. */
  pick() {
    const photo = this.current;
    if (!photo) return;
    this.#settleAt(this.#current);
    this.#callbacks.selection.set(photo.id, !this.#callbacks.selection.has(photo.id));
  }

  /** The photo that the keys act on. */
  get current() {
    return this.#pages.at(this.#current);
  }

  /**
   * Fetches a new answer up to a photo; `null` if another request has replaced this one.
   * @param {import("./api.js").Asked} filters
   * @param {number} to
   */
  async #fetch(filters, to) {
    const pages = new Pages(filters);
    if (to) pages.expect(this.#pages.total);
    const firsts = Array.from({ length: Math.floor(to / PAGE) + 1 }, (_, number) => number * PAGE);
    this.#asking?.close();
    this.#asking = pages;
    this.#list.setAttribute("aria-busy", "true");
    try {
      await Promise.all(firsts.map((index) => pages.load(index)));
      return this.#asking === pages ? pages : null;
    } catch (error) {
      this.#callbacks.failed(error);
      return null;
    } finally {
      if (this.#asking === pages) {
        this.#asking = null;
        this.#list.removeAttribute("aria-busy");
      }
    }
  }

  /** @type {Pages | null} */
  #asking = null;

  /** The latest search while its first photos are fetched. @type {Promise<void> | null} */
  #showing = null;

  /** @param {Pages} pages */
  #use(pages) {
    this.#pages.close();
    this.#pages = pages;
    this.#current = Math.max(0, Math.min(this.#current, pages.total - 1));
    this.#fit();
  }

  /** @param {number} index */
  async #load(index) {
    const pages = this.#pages;
    try {
      await pages.load(index);
    } catch (error) {
      if (!wasAborted(error)) this.#callbacks.failed(error);
    }
    if (pages === this.#pages) this.#soon();
  }

  #fit() {
    const style = getComputedStyle(this.#list);
    const length = (/** @type {string} */ name) => Number.parseFloat(style.getPropertyValue(name));
    this.#width = this.#list.clientWidth;
    this.#pages.fit({ width: this.#width, wanted: length("--row"), gap: length("--gap") });
    this.#draw();
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  // Draws the photos on the screen and around it, and fetches those that are missing.
  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const pages = this.#pages;
    const { top } = this.#list.getBoundingClientRect();
    const [from, to] = [-top - AROUND * innerHeight, -top + (1 + AROUND) * innerHeight];
    // Photos that are only scrolled past are not fetched.
    if (Math.abs(top - this.#top) > 2 * innerHeight) this.#soon();
    else for (const number of pages.numbers(from, to)) if (!pages.has(number)) this.#fetchPage(number);
    this.#top = top;
    const wanted = pages.between(from, to);
    // Tab must reach the current photo wherever it is.
    if (pages.at(this.#current)) wanted.push(this.#current);
    // Most frames of scrolling change nothing.
    const drawing = `${pages.version} ${this.#current} ${wanted}`;
    if (drawing === this.#drawing) return;
    this.#drawing = drawing;
    this.#put([...new Set(wanted)].sort((a, b) => a - b));
    this.#list.style.height = `${pages.height}px`;
  }

  // What was drawn last.
  #drawing = "";
  // The version of the pages by which the tiles are positioned.
  #laid = 0;

  /** @param {number} number */
  async #fetchPage(number) {
    const pages = this.#pages;
    const before = pages.bottom(number);
    await this.#load(number * PAGE);
    if (pages !== this.#pages || !pages.has(number)) return;
    // The part above the screen has become higher or lower; scrolls so that the screen shows the same photos.
    const { top } = this.#list.getBoundingClientRect();
    if (before <= -top) scrollBy({ top: pages.bottom(number) - before, behavior: "instant" });
  }

  /**
   * Makes the list contain exactly these photos; tiles that are in it already keep their pictures while these are the same.
   * @param {number[]} indexes
   */
  #put(indexes) {
    const old = new Map([...this.#drawn.values()].map((item) => [Number(item.dataset.id), item]));
    const focused = seek(":focus", this.#list);
    this.#drawn = new Map();
    const wanted = new Set(indexes.map((index) => this.#pages.at(index)?.id));
    for (const [id, item] of old) if (!wanted.has(id)) item.remove();
    /** @type {ChildNode | null} */
    let next = this.#list.firstChild;
    for (const index of indexes) {
      const photo = this.#pages.at(index);
      const place = this.#pages.place(index);
      if (!photo || !place) continue;
      const known = old.get(photo.id);
      const item = known ?? makeTile(photo);
      this.#drawn.set(index, item);
      showPicture(item, photo);
      if (!known || item.dataset.index !== String(index)) this.#describeOne(index, item, photo);
      if (!known || this.#laid !== this.#pages.version) lay(item, place);
      if (item === next) next = item.nextSibling;
      else this.#list.insertBefore(item, next);
    }
    this.#laid = this.#pages.version;
    for (const [index, item] of this.#drawn) {
      const [link, tabIndex] = [find("a", HTMLElement, item), index === this.#current ? 0 : -1];
      if (link.tabIndex !== tabIndex) link.tabIndex = tabIndex;
    }
    // If the photo with the focus is gone, the photo in its place gets the focus.
    const current = focused?.isConnected ? focused : seek("a[tabindex='0']", this.#list);
    if (focused && document.activeElement !== focused) current?.focus({ preventScroll: true });
  }

  // Updates the descriptions of the drawn photos.
  #describe() {
    for (const [index, item] of this.#drawn) {
      const photo = this.#pages.at(index);
      if (photo) this.#describeOne(index, item, photo);
    }
  }

  /**
   * @param {number} index
   * @param {HTMLLIElement} item
   * @param {Tile} photo
   */
  #describeOne(index, item, photo) {
    const asked = this.#filters.getAll("emotion").join(" or ");
    const emotion = asked === "any" ? "" : asked;
    describeTile(item, photo, { emotion, index, total: this.total, selected: this.#callbacks.selection.has(photo.id) });
  }

  // The photos of which any part is on the screen.
  #visible() {
    const { top } = this.#list.getBoundingClientRect();
    return this.#pages.between(-top, innerHeight - top);
  }

  /** @param {number} index */
  #rove(index) {
    if (index < 0) return;
    for (const link of this.#list.querySelectorAll("a[tabindex='0']")) link.setAttribute("tabindex", "-1");
    this.#current = index;
    const item = this.#drawn.get(index);
    if (item) find("a", HTMLElement, item).tabIndex = 0;
  }

  /** @param {KeyboardEvent} event */
  async #press(event) {
    const here = indexOf(event.target);
    if (here < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    /** @type {Record<string, () => number | Promise<number>>} */
    const ways = {
      ArrowRight: () => here + 1,
      ArrowLeft: () => here - 1,
      ArrowDown: () => this.#pages.across(here, 1),
      ArrowUp: () => this.#pages.across(here, -1),
      Home: () => 0,
      End: () => this.total - 1,
    };
    const way = ways[event.key];
    if (!way) return;
    event.preventDefault();
    const to = await way();
    if (to < 0 || to >= this.total) return;
    if (event.shiftKey) this.#selectTo(to);
    else this.#settleAt(to);
    await this.#goTo(to);
  }

  // Makes a photo the current one, and the one from which Shift selects.
  /** @param {number} index */
  #settleAt(index) {
    this.#current = index;
    this.#anchor = { id: this.#pages.at(index)?.id, index };
  }

  /** @param {number} index */
  async #goTo(index) {
    this.#current = index;
    const pages = this.#pages;
    await this.#load(index);
    const place = this.#pages.place(index);
    if (pages !== this.#pages || this.#current !== index || !place) return;
    this.#draw();
    const item = this.#drawn.get(index);
    if (!item) return;
    find("a", HTMLElement, item).focus({ preventScroll: true });
    item.scrollIntoView({ block: "nearest", behavior: "instant" });
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const index = indexOf(event.target);
    const photo = this.#pages.at(index);
    if (!photo || !(event.target instanceof Element)) return;
    const { selection } = this.#callbacks;
    const isPick = event.target.closest(".pick") !== null;
    if (!isPick && (event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.#current = index;
    // The press has given this photo the focus, so that the anchor and not the current photo is where the range begins.
    if (event.shiftKey) return void this.#selectTo(index);
    this.#settleAt(index);
    if (isPick || selection.isOn) selection.set(photo.id, !selection.has(photo.id));
    else this.#callbacks.open(photo.id);
  }

  // Selects all photos from the anchor to another one, also those that were not fetched.
  /** @param {number} index */
  async #selectTo(index) {
    const [pages, anchor] = [this.#pages, this.#anchor];
    try {
      await Promise.all([pages.load(index), pages.load(anchor.index)]);
      const to = pages.at(index);
      // If the anchor is not in the answer any more, the next photo has taken its place.
      const froms = [anchor.id, pages.at(Math.min(anchor.index, pages.total - 1))?.id];
      for (const id of new Set(froms)) {
        const ids = to && id !== undefined && (await pages.range({ id, index: anchor.index }, { id: to.id, index }));
        if (ids) return this.#callbacks.selection.add(ids);
      }
      throw new Error("These photos have changed meanwhile. Select them again.");
    } catch (error) {
      this.#callbacks.failed(error);
    }
  }
}

/**
 * The index in the answer of the photo that an event is about; -1 for none.
 * @param {EventTarget | null} target
 */
function indexOf(target) {
  const item = target instanceof Element ? target.closest("li") : null;
  return item?.dataset.index ? Number(item.dataset.index) : -1;
}

/**
 * @param {HTMLElement} item
 * @param {import("./pages.js").Place} place
 */
function lay(item, { left, top, width, height }) {
  item.style.transform = `translate(${left}px, ${top}px)`;
  item.style.width = `${width}px`;
  item.style.height = `${height}px`;
}
