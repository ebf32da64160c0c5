// The facts about a photo; many of them lead to all photos that share the fact.

import { element } from "./dom.js";
import { period } from "./taken.js";

/**
 * @typedef {import("./api.js").Photo} Photo
 * @typedef {{ name: string, value: string, filters?: import("./api.js").Filters, source?: string | null | undefined }} Fact
 */

/** The sources of facts in words. */
const SOURCES = new Map([
  ["exif", "EXIF"],
  ["exif_digitized", "EXIF: made digital"],
  ["exif_changed", "EXIF: last change"],
  ["gps", "GPS time"],
  ["xmp", "XMP"],
  ["xmp_digitized", "XMP: made digital"],
  ["iptc", "IPTC"],
  ["windows", "EXIF of Windows"],
  ["jpeg", "comment of the JPEG"],
  ["png", "PNG text"],
  ["png_changed", "PNG: last change"],
  ["sidecar", "sidecar"],
  ["takeout", "Google Takeout"],
  ["picasa", "Picasa"],
  ["file_name", "name of the file"],
  ["folder", "name of the folder"],
  ["file", "time of the file"],
  ["estimated", "estimated"],
]);

/** @param {Photo} photo */
export const fileName = (photo) => lastPart(photo, photo.paths[0] ?? "");

/** @type {(photo: Photo, path: string) => string} */
const lastPart = ({ separator }, path) => path.split(separator).at(-1) ?? path;

/** @type {(photo: Photo, path: string) => string} */
const folderOf = (photo, path) => path.slice(0, Math.max(0, path.length - lastPart(photo, path).length - 1));

// Whether the search finds a word: it has a letter, a digit or a symbol.
const FINDABLE = /[\p{L}\p{N}\p{S}]/u;

// What stands in a path for bytes that are not Unicode; such a folder cannot be named in an address.
const NOT_UNICODE = "\uFFFD";

/** @type {(folder: string) => Pick<Fact, "filters">} */
const below = (folder) => (folder.includes(NOT_UNICODE) ? {} : { filters: { under: folder } });

/** @param {number} bytes */
const length = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

/**
 * The facts as the items of a list.
 * @param {Photo} photo
 * @param {(filters: import("./api.js").Filters) => void} follow Shows all photos that match the filters.
 */
export function listFacts(photo, follow) {
  return facts(photo).flatMap(({ name, value, filters, source }) => {
    const shown = filters
      ? element("button", { type: "button", class: "fact", title: "Show all of these", onclick: () => follow(filters) }, value)
      : value;
    const origin = SOURCES.get(source ?? "");
    const said = origin ? [shown, " ", element("small", { class: "source" }, origin)] : [shown];
    return [element("dt", {}, name), element("dd", {}, ...said)];
  });
}

/**
 * @param {Photo} photo
 * @returns {Fact[]}
 */
function facts(photo) {
  const { sources } = photo;
  const taken = period(photo);
  const position = photo.position?.map((degrees) => degrees.toFixed(4)).join(", ") ?? "";
  /** @type {Fact[]} */
  const all = [
    {
      name: photo.taken_from_file ? "File dated" : "Taken",
      value: taken.shown,
      filters: { since: taken.since, until: taken.until, ...(photo.taken_from_file ? { "file-dates": "yes" } : {}) },
      source: photo.taken_source,
    },
    { name: "Title", value: photo.title ?? "", source: sources.title },
    { name: "About", value: photo.description ?? "", source: sources.description },
    { name: "Place", value: photo.place ?? position, filters: { near: position.replace(" ", "") }, source: sources.position },
    ...photo.keywords.map((keyword, index) => ({ name: index ? "" : "Keywords", value: keyword, ...(FINDABLE.test(keyword) ? { filters: { words: keyword } } : {}) })),
    ...photo.people.map((person, index) => ({ name: index ? "" : "People", value: person, filters: { person } })),
    { name: "Rating", value: stars(photo.rating), source: sources.rating },
    { name: "Camera", value: photo.camera ?? "", filters: { camera: photo.camera ?? "" }, source: sources.camera },
    { name: "Lens", value: photo.lens ?? "", source: sources.lens },
    { name: "Scores", value: (photo.learning ?? "").replace(/^scores /, "") },
    { name: "Picture", value: `${photo.width} × ${photo.height}, ${photo.format}, ${length(photo.bytes)}` },
    ...photo.paths.map((path) => ({ name: "File", value: lastPart(photo, path) })),
    ...photo.same_shot.map((path) => ({ name: "Same shot", value: lastPart(photo, path) })),
    ...photo.paths.map((path) => ({ name: "Folder", value: folderOf(photo, path), ...below(folderOf(photo, path)) })),
  ];
  return all.filter(({ value }) => value);
}

/** @param {number | null} rating */
const stars = (rating) => (rating === null || rating === 0 ? "" : rating < 0 ? "rejected" : "★".repeat(rating));
