// A photo in the grid.

import { withPhoto } from "./address.js";
import * as api from "./api.js";
import { element, find, icon, plural } from "./dom.js";
import { percent } from "./emotions.js";
import { day } from "./taken.js";

/**
 * @typedef {import("./api.js").Tile} Tile
 * @typedef {{ emotion: string | undefined, index: number, total: number, selected: boolean }} Standing
 */

/**
 * @param {Tile} photo
 * @returns {HTMLLIElement}
 */
export function makeTile(photo) {
  const picture = element("img", { alt: "", decoding: "async" });
  const link = element("a", { tabindex: "-1" }, picture);
  const caption = element("div", { class: "caption", "aria-hidden": "true" }, element("b"), element("span"));
  picture.addEventListener("load", () => {
    picture.classList.add("loaded");
    link.classList.remove("missing");
  });
  picture.addEventListener("error", () => link.classList.add("missing"));
  const pick = element("button", { type: "button", class: "pick", tabindex: "-1", "aria-label": `Select ${photo.name}` }, icon("check"));
  const item = element("li", { "data-id": photo.id }, link, caption, pick);
  showPicture(item, photo);
  return item;
}

/**
 * Shows the picture of the photo as it is now, unless the tile shows it already.
 * @param {HTMLLIElement} item
 * @param {Tile} photo
 */
export function showPicture(item, photo) {
  if (item.dataset.version === photo.version) return;
  item.dataset.version = photo.version;
  find("img", HTMLImageElement, item).src = api.thumbnail(photo);
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
  const [short, long] = [day(photo, "medium"), day(photo, "long")];
  find(".caption span", HTMLElement, item).textContent = short && photo.taken_from_file ? `${short} (file)` : short;
  const when = long && photo.taken_from_file ? `file dated ${long}` : long;
  const label = [photo.name, emotion && `${emotion} ${score}`, when, plural(photo.faces, "face"), selected && "selected"];
  const link = find("a", HTMLAnchorElement, item);
  link.setAttribute("aria-label", label.filter(Boolean).join(", "));
  // In a tab of its own the photo is shown among the same photos.
  link.href = withPhoto(photo.id).href;
  find(".pick", HTMLElement, item).setAttribute("aria-pressed", String(selected));
  item.classList.toggle("selected", selected);
  item.dataset.index = String(index);
  item.setAttribute("aria-posinset", String(index + 1));
  item.setAttribute("aria-setsize", String(total));
}
