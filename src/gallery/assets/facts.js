// The facts about a photo; many of them lead to all photos that share the fact.

import { date, element } from "./dom.js";

/**
 * @typedef {import("./api.js").Photo} Photo
 * @typedef {{ name: string, value: string, filters?: import("./api.js").Filters }} Fact
 */

/** @param {Photo} photo */
export const fileName = (photo) => lastPart(photo.paths[0] ?? "");

/** @param {string} path */
const lastPart = (path) => path.split(/[\\/]/).at(-1) ?? path;

/** @param {string} path */
const folderOf = (path) => path.slice(0, Math.max(0, path.length - lastPart(path).length - 1));

/** @param {number} bytes */
const length = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

/**
 * The facts as the items of a list.
 * @param {Photo} photo
 * @param {(filters: import("./api.js").Filters) => void} follow Shows all photos that match the filters.
 */
export function listFacts(photo, follow) {
  return facts(photo).flatMap(({ name, value, filters }) => {
    const shown = filters
      ? element("button", { type: "button", class: "fact", title: "Show all of these", onclick: () => follow(filters) }, value)
      : value;
    return [element("dt", {}, name), element("dd", {}, shown)];
  });
}

/**
 * @param {Photo} photo
 * @returns {Fact[]}
 */
function facts(photo) {
  const day = photo.taken?.slice(0, 10) ?? "";
  const position = photo.position?.map((degrees) => degrees.toFixed(4)).join(", ") ?? "";
  /** @type {Fact[]} */
  const known = [
    {
      name: photo.taken_from_file ? "File dated" : "Taken",
      value: date(photo.taken, { dateStyle: "full", timeStyle: "short" }),
      filters: photo.taken_from_file ? { since: day, until: day, "file-dates": "yes" } : { since: day, until: day },
    },
    { name: "About", value: photo.description ?? "" },
    { name: "Place", value: photo.place ?? position, filters: { near: position.replace(" ", "") } },
    ...photo.keywords.map((keyword, index) => ({ name: index ? "" : "Keywords", value: keyword, filters: { words: keyword } })),
    { name: "Camera", value: photo.camera ?? "", filters: { camera: photo.camera ?? "" } },
    { name: "Lens", value: photo.lens ?? "" },
    { name: "Picture", value: `${photo.width} × ${photo.height}, ${photo.format}, ${length(photo.bytes)}` },
    ...photo.paths.map((path) => ({ name: "File", value: lastPart(path) })),
    ...photo.paths.map((path) => ({ name: "Folder", value: folderOf(path), filters: { under: folderOf(path) } })),
  ];
  return known.filter(({ value }) => value);
}
