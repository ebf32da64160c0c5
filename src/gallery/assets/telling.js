// What the page says of the answer: over the photos, in their place, and as its title.

import { find, number, plural } from "./dom.js";
import { label } from "./emotions.js";
import { MOST } from "./pages.js";

/** @typedef {import("./api.js").Counts} Counts */

/**
 * How many photos there are.
 * @param {Counts} counts
 */
const foundBy = ({ all, emotions, emotion }) => (emotion ? (emotions[emotion] ?? 0) : all);

/**
 * Says what was found; how many photos.
 * @param {Counts} counts
 * @param {boolean} isRestricted Whether any filter is in force.
 */
export function tell(counts, isRestricted) {
  const { emotion, read_as: readAs, indexed } = counts;
  const found = foundBy(counts);
  const order = emotion ? `, most ${emotion} first` : "";
  const part = found > MOST ? `; the first ${number(MOST)} are shown` : "";
  const understood = readAs.length ? ` (read as ${sayFlags(readAs)})` : "";
  find("#status").textContent = found || understood ? plural(found, "photo") + order + part + understood : "";
  find("#select").hidden = found === 0;
  const empty = find("#empty");
  empty.hidden = found > 0;
  /** @type {[string, string]} */
  const [title, text] = indexed
    ? ["No photo matches", isRestricted ? "Take a filter away, or lower how sure it must be." : "No face was found in any photo."]
    : ["Nothing is indexed yet", "Run: fer-index index ~/Pictures. The photos appear here as they are done."];
  find("h2", HTMLElement, empty).textContent = title;
  find("p", HTMLElement, empty).textContent = text;
  return found;
}

/**
 * The page's title.
 * @param {string} photo The name of the photo that is open.
 * @param {Counts | undefined} counts
 */
export function titleOf(photo, counts) {
  const heading = counts?.emotion ? `${label(counts.emotion)} photos` : "Your photos";
  find("#heading").textContent = heading;
  const parts = [photo || (counts ? `${heading} (${number(foundBy(counts))})` : ""), "fer-index"];
  return parts.filter(Boolean).join(" – ");
}

/**
 * `--near italy --who all` as "near italy, who all".
 * @param {string[]} flags
 */
const sayFlags = (flags) => flags.join(" ").split(/(?:^| )--/).filter(Boolean).join(", ");
