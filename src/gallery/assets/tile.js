// A photo in the grid.

import * as api from "./api.js";
import { date, element, find, icon, plural } from "./dom.js";
import { percent } from "./emotions.js";

/**
 * @typedef {import("./api.js").Tile} Tile
 * @typedef {{ emotion: string | undefined, index: number, total: number, selected: boolean }} Standing
 */

/**
 * @param {Tile} photo
 * @returns {HTMLLIElement}
 */
export function makeTile(photo) {
  const picture = element("img", { src: api.thumbnail(photo.id), alt: "", decoding: "async" });
  const link = element("a", { href: `?photo=${photo.id}`, tabindex: "-1" }, picture);
  const caption = element("div", { class: "caption", "aria-hidden": "true" }, element("b"), element("span"));
  picture.addEventListener("load", () => picture.classList.add("loaded"), { once: true });
  picture.addEventListener("error", () => link.classList.add("missing"), { once: true });
  const pick = element("button", { type: "button", class: "pick", tabindex: "-1", "aria-label": `Select ${photo.name}` }, icon("check"));
  return element("li", { "data-id": photo.id }, link, caption, pick);
}

/**
 * Describes a photo and its position among the others.
 * @param {HTMLLIElement} item
 * @param {Tile} photo
 * @param {Standing} standing
 */
export function describeTile(item, photo, { emotion, index, total, selected }) {
  const score = emotion ? percent(photo.score) : "";
  find(".caption b", HTMLElement, item).textContent = score;
  const day = date(photo.taken, { dateStyle: "medium" });
  find(".caption span", HTMLElement, item).textContent = day && photo.taken_from_file ? `${day} (file)` : day;
  const when = day && photo.taken_from_file ? `file dated ${date(photo.taken)}` : date(photo.taken);
  const label = [photo.name, emotion && `${emotion} ${score}`, when, plural(photo.faces, "face"), selected && "selected"];
  find("a", HTMLElement, item).setAttribute("aria-label", label.filter(Boolean).join(", "));
  find(".pick", HTMLElement, item).setAttribute("aria-pressed", String(selected));
  item.classList.toggle("selected", selected);
  item.dataset.index = String(index);
  item.setAttribute("aria-posinset", String(index + 1));
  item.setAttribute("aria-setsize", String(total));
}
