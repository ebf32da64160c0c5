// Shows a map of the places where photos were taken, over the towns of the world. Both come from the
// program; nothing is fetched from other servers.

import * as api from "./api.js";
import { element, find, number, onClick, plural, reason, svg, toast } from "./dom.js";
import { Zoom } from "./zoom.js";

// The margin around the places, and the smallest extent of the map, in degrees.
const AROUND = 4;
const LEAST = 24;
// The size of the names, in pixels.
const LETTERS = 14;
// The maximum number of places named on the map; the list names all of them.
const MOST_NAMES = 40;
// What another place replaces, and what decides only the order.
const NO_FILTERS = ["near", "within", "order", "seed"];

export class Places {
  #dialog = find("#places", HTMLDialogElement);
  #map = find("#map", SVGSVGElement);
  #zoom = new Zoom(find("#places .stage"), find("#places .frame"));
  #callbacks;

  /**
   * @param {object} callbacks
   * @param {() => api.Asked} callbacks.asked The filters in force.
   * @param {(filters: api.Filters) => void} callbacks.chosen Called to show the photos of a place.
   */
  constructor(callbacks) {
    this.#callbacks = callbacks;
    onClick("#show-places", () => this.open());
    onClick("#close-places", () => this.#dialog.close());
    onClick("#places .zoom-in", () => this.#zoom.in());
    onClick("#places .zoom-out", () => this.#zoom.out());
  }

  get isOpen() {
    return this.#dialog.open;
  }

  get zoom() {
    return this.#zoom;
  }

  // Opens before the places are fetched, so that keys pressed meanwhile, such as the one that closes the map, apply to
  // the map.
  async open() {
    this.#map.replaceChildren();
    find("#place-list").replaceChildren();
    find("#places-hint").textContent = "Loading…";
    this.#zoom.reset();
    this.#dialog.showModal();
    try {
      const asked = this.#callbacks.asked();
      const { towns, places } = await api.places(asked);
      this.#draw(towns, places);
      this.#list(places);
      const isRestricted = [...asked.keys()].some((name) => !NO_FILTERS.includes(name));
      find("#places-hint").textContent = hint(places, isRestricted);
    } catch (error) {
      this.#dialog.close();
      toast(reason(error));
    }
  }

  close() {
    this.#dialog.close();
  }

  /**
   * @param {[number, number][]} towns
   * @param {api.Place[]} places
   */
  #draw(towns, places) {
    const { left, top, width, height } = extent(places);
    this.#map.setAttribute("viewBox", `${left} ${top} ${width} ${height}`);
    find("#places .frame").style.setProperty("--ratio", String(width / height));
    // A line of length zero with square ends is drawn as a square.
    const squares = towns.map(([latitude, longitude]) => `M${longitude} ${-latitude}h0`).join("");
    const most = Math.max(...places.map(({ photos }) => photos), 1);
    const pixel = width / (this.#map.clientWidth || 1);
    const circles = places.map((place) => {
      const radius = pixel * (6 + 12 * Math.sqrt(place.photos / most));
      const circle = svg("circle", { class: "place", cx: place.longitude, cy: -place.latitude, r: radius }, svg("title", {}, describePlace(place)));
      circle.addEventListener("click", () => this.#choose(place));
      return circle;
    });
    this.#map.replaceChildren(svg("path", { class: "towns", d: squares }), ...circles, ...names(places, pixel, left, width));
  }

  /** @param {api.Place[]} places */
  #list(places) {
    const items = places.map((place) =>
      element(
        "li",
        {},
        element("button", { type: "button", class: "place-name", onclick: () => this.#choose(place) }, element("span", {}, place.name), element("span", { class: "count" }, number(place.photos))),
      ),
    );
    find("#place-list").replaceChildren(...items);
  }

  /** @param {api.Place} place */
  #choose({ near }) {
    this.#dialog.close();
    this.#callbacks.chosen({ near });
  }
}

/**
 * Labels for the places with the most photos, as many as fit; each is entirely on the map.
 * @param {api.Place[]} places
 * @param {number} pixel The size of a pixel in degrees.
 * @param {number} left The western edge of the map, in degrees.
 * @param {number} width Its width in degrees.
 */
function names(places, pixel, left, width) {
  const size = LETTERS * pixel;
  /** @type {{ x: number, y: number, length: number }[]} */
  const taken = [];
  return places.slice(0, MOST_NAMES).flatMap((place) => {
    const name = place.name.split(",")[0] ?? "";
    const [y, length] = [-place.latitude - 1.5 * size, name.length * size * 0.6];
    const x = Math.min(Math.max(place.longitude, left + length / 2), left + width - length / 2);
    const isFree = taken.every((other) => Math.abs(other.x - x) > (other.length + length) / 2 || Math.abs(other.y - y) > 1.2 * size);
    if (!isFree) return [];
    taken.push({ x, y, length });
    return [svg("text", { class: "place-label", x, y, "font-size": size, "text-anchor": "middle" }, name)];
  });
}

/**
 * @param {api.Place[]} places
 * @param {boolean} isRestricted Whether filters other than the place are in force.
 */
function hint({ length }, isRestricted) {
  if (!length) return isRestricted ? "No photo under the other filters contains a location." : "No photo contains a location.";
  return plural(length, "place") + (isRestricted ? " under the other filters" : "");
}

/** @param {api.Place} place */
const describePlace = ({ name, photos }) => `${name}: ${plural(photos, "photo")}`;

/**
 * The part of the world that contains these places.
 * @param {api.Place[]} places
 */
function extent(places) {
  if (!places.length) return { left: -180, top: -85, width: 360, height: 145 };
  const [across, down] = [places.map(({ longitude }) => longitude), places.map(({ latitude }) => -latitude)];
  const side = (/** @type {number[]} */ all, /** @type {number} */ least) => {
    const [from, to] = [Math.min(...all) - AROUND, Math.max(...all) + AROUND];
    const size = Math.max(to - from, least);
    return { from: (from + to - size) / 2, size };
  };
  const [x, y] = [side(across, LEAST), side(down, LEAST / 2)];
  return { left: x.from, top: y.from, width: x.size, height: y.size };
}
