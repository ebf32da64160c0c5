// The photos that were found, in rows that keep their shapes, as many as are scrolled to.

import * as api from "./api.js";
import { date, element, find, plural, seek, wasAborted } from "./dom.js";
import { percent } from "./emotions.js";

const PAGE = 60;
// More photos than this are not asked for at once when the index changes: the reader is asked.
const REFRESHED = 300;
const EARLY = "1200px";

/** @typedef {import("./api.js").Tile} Tile */

export class Grid {
  #list = find("#grid");
  /** @type {Tile[]} */
  #photos = [];
  /** @type {import("./api.js").Filters} */
  #filters = {};
  #more = false;
  /** @type {AbortController | null} */
  #asking = null;
  #open;
  #failed;

  /** @param {{ open: (id: number) => void, failed: (error: unknown) => void }} told */
  constructor({ open, failed }) {
    this.#open = open;
    this.#failed = failed;
    this.#list.addEventListener("keydown", (event) => this.#move(event));
    this.#list.addEventListener("focusin", ({ target }) => this.#rove(tileOf(target)));
    const near = new IntersectionObserver(([end]) => end?.isIntersecting && this.more(), { rootMargin: EARLY });
    near.observe(find("#end"));
  }

  get photos() {
    return this.#photos;
  }

  /**
   * Shows what these filters find, from the first on.
   * @param {import("./api.js").Filters} filters
   */
  async show(filters) {
    this.#filters = filters;
    await this.#ask(0, PAGE, ({ photos }) => {
      scrollTo({ top: 0 });
      this.#put(photos);
    });
  }

  // Shows the next photos; whether there were any.
  async more() {
    if (!this.#more || this.#asking) return false;
    const before = this.#photos.length;
    await this.#ask(before, PAGE, ({ photos }) => this.#put([...this.#photos, ...photos]));
    return this.#photos.length > before;
  }

  // Brings what is shown up to date, in place; whether that could be done.
  async refresh() {
    const shown = this.#photos.length;
    if (shown > REFRESHED) return false;
    await this.#ask(0, Math.max(shown, PAGE), ({ photos }) => this.#put(photos));
    return true;
  }

  /**
   * Which photo of the grid this is; -1 for none.
   * @param {number} id
   */
  indexOf(id) {
    return this.#photos.findIndex((photo) => photo.id === id);
  }

  /**
   * Puts the focus on a photo, or on the first where it is not in the grid.
   * @param {number | undefined} id
   */
  focus(id) {
    const tile = (id && this.#tile(id)) || seek("a", this.#list);
    tile?.focus();
    tile?.scrollIntoView({ block: "nearest" });
  }

  /**
   * @param {number} offset
   * @param {number} limit
   * @param {(answer: { photos: Tile[] }) => void} use
   */
  async #ask(offset, limit, use) {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    this.#list.setAttribute("aria-busy", "true");
    try {
      const answer = await api.photos(this.#filters, offset, limit, asking.signal);
      this.#more = answer.more;
      use(answer);
    } catch (error) {
      if (!wasAborted(error)) this.#failed(error);
    } finally {
      if (this.#asking === asking) {
        this.#asking = null;
        this.#list.removeAttribute("aria-busy");
      }
    }
  }

  /**
   * Puts photos into the list; what is there already stays where it is, picture and focus.
   * @param {Tile[]} photos
   */
  #put(photos) {
    const seen = new Set();
    this.#photos = photos.filter(({ id }) => !seen.has(id) && seen.add(id));
    /** @type {HTMLLIElement[]} */
    const items = [...this.#list.querySelectorAll("li")];
    const old = new Map(items.map((item) => [Number(item.dataset.id), item]));
    this.#photos.forEach((photo, index) => {
      const item = old.get(photo.id) ?? this.#make(photo);
      old.delete(photo.id);
      this.#describe(item, photo);
      const place = this.#list.children[index];
      if (place !== item) this.#list.insertBefore(item, place ?? null);
    });
    for (const item of old.values()) item.remove();
    if (!seek("a[tabindex='0']", this.#list)) seek("a", this.#list)?.setAttribute("tabindex", "0");
  }

  /** @param {Tile} photo */
  #make(photo) {
    const picture = element("img", { src: api.thumbnail(photo.id), alt: "", loading: "lazy", decoding: "async" });
    picture.addEventListener("load", () => picture.classList.add("loaded"), { once: true });
    picture.addEventListener("error", () => link.classList.add("missing"), { once: true });
    const link = element(
      "a",
      { href: `?photo=${photo.id}`, tabindex: "-1" },
      picture,
      element("span", { class: "caption", "aria-hidden": "true" }, element("b"), element("span")),
    );
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#open(photo.id);
    });
    const item = element("li", { "data-id": photo.id }, link);
    const ratio = photo.width / photo.height;
    item.style.setProperty("--ratio", Math.min(Math.max(ratio, 0.5), 3).toFixed(4));
    return item;
  }

  /**
   * @param {HTMLLIElement} item
   * @param {Tile} photo
   */
  #describe(item, photo) {
    const { emotion } = this.#filters;
    const score = emotion ? percent(photo.score) : "";
    find(".caption b", HTMLElement, item).textContent = score;
    find(".caption span", HTMLElement, item).textContent = date(photo.taken, { dateStyle: "medium" });
    const said = [photo.name, emotion && `${emotion} ${score}`, date(photo.taken), plural(photo.faces, "face")];
    find("a", HTMLElement, item).setAttribute("aria-label", said.filter(Boolean).join(", "));
  }

  /** @param {number} id */
  #tile(id) {
    return seek(`[data-id='${id}'] a`, this.#list);
  }

  /**
   * Tab goes to one tile and on; arrows go among them.
   * @param {Element | null} tile
   */
  #rove(tile) {
    if (!tile) return;
    for (const other of this.#list.querySelectorAll("a[tabindex='0']")) other.setAttribute("tabindex", "-1");
    tile.setAttribute("tabindex", "0");
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const here = tileOf(event.target);
    if (!here || event.altKey || event.ctrlKey || event.metaKey) return;
    const tiles = [...this.#list.querySelectorAll("a")];
    const index = tiles.indexOf(here);
    /** @type {Record<string, () => HTMLAnchorElement | null | undefined>} */
    const ways = {
      ArrowRight: () => tiles[index + 1],
      ArrowLeft: () => tiles[index - 1],
      ArrowDown: () => inNextRow(tiles.slice(index + 1), here),
      ArrowUp: () => inNextRow(tiles.slice(0, index).reverse(), here),
      Home: () => tiles[0],
      End: () => tiles.at(-1),
    };
    const to = ways[event.key]?.();
    if (!to) return;
    event.preventDefault();
    to.focus();
    to.scrollIntoView({ block: "nearest" });
  }
}

/**
 * The tile that an event is about.
 * @param {EventTarget | null} target
 */
const tileOf = (target) => (target instanceof Element ? target.closest("a") : null);

/**
 * Of tiles that lead away from one, the tile of the next row that lies nearest below or above it.
 * @param {HTMLAnchorElement[]} tiles
 * @param {HTMLAnchorElement} from
 */
function inNextRow(tiles, from) {
  /** @param {DOMRect} box */
  const middle = ({ left, right }) => (left + right) / 2;
  const own = from.getBoundingClientRect();
  /** @type {number | null} */
  let row = null;
  /** @type {{ tile: HTMLAnchorElement, distance: number } | null} */
  let best = null;
  for (const tile of tiles) {
    const box = tile.getBoundingClientRect();
    if (Math.abs(box.top - own.top) < 2) continue;
    row ??= box.top;
    if (Math.abs(box.top - row) > 2) break;
    const distance = Math.abs(middle(box) - middle(own));
    if (!best || distance < best.distance) best = { tile, distance };
  }
  return best?.tile;
}
