// Describes the answer: over the photos, in the place of missing photos, and in the page's title.

import { find, number, plural } from "./dom.js";
import { label } from "./emotions.js";
import { MOST } from "./pages.js";

/** @typedef {import("./api.js").Counts} Counts */

/**
 * Shows how many photos were found and how the text was understood; returns the number of photos.
 * @param {Counts} counts
 * @param {import("./api.js").Asked} filters The filters in force.
 */
export function showSummary(counts, filters) {
  const { found, undated, understood, why_empty: whyEmpty, indexed } = counts;
  const order = describeOrder(counts);
  const part = found > MOST ? `; the first ${number(MOST)} are shown` : "";
  const description = filters.has("text") ? describeUnderstood(understood) : "";
  const without = undated ? `; ${plural(undated, "more photo")} without a date, see Filters` : "";
  const summary = plural(found, "photo") + order + part + without + description;
  find("#status").textContent = found || description || without ? summary : "";
  find("#select").hidden = found === 0;
  find("#empty").hidden = found > 0;
  const isRestricted = filters.toString() !== "";
  /** @type {[string, string]} */
  const [title, text] = indexed
    ? ["No photo matches", isRestricted ? describeReasons(whyEmpty) : "No face was found in any photo."]
    : ["Nothing is indexed yet", "Run: fer-index index ~/Pictures. Photos appear here as soon as they are indexed."];
  describeEmpty(title, text);
  return found;
}

/**
 * Shows in the place of the photos why the filters have no answer.
 * @param {string} reason
 */
export function showRefusal(reason) {
  find("#status").textContent = "";
  find("#select").hidden = true;
  find("#empty").hidden = false;
  describeEmpty("This search has no answer", sentence(reason));
}

/**
 * Fills the message in the place of the photos.
 * @param {string} title
 * @param {string} text
 */
function describeEmpty(title, text) {
  find("#empty h2").textContent = title;
  find("#empty p").textContent = text;
}

/**
 * The page's title.
 * @param {string} photo The name of the photo that is open.
 * @param {Counts | undefined} counts
 */
export function titleOf(photo, counts) {
  const heading = counts?.emotion ? `${label(counts.emotion)} photos` : "Your photos";
  find("#heading").textContent = heading;
  const parts = [photo || (counts ? `${heading} (${number(counts.found)})` : ""), "fer-index"];
  return parts.filter(Boolean).join(" – ");
}

/**
 * The order, unless photos are shown whatever they show, latest first.
 * @param {Counts} counts
 */
function describeOrder({ order, emotion, asked }) {
  if (order === "random") return ", shuffled";
  if (order === "date") return asked.length ? ", latest first" : "";
  return emotion ? `, most ${emotion} first` : ", highest score first";
}

/**
 * Which words became filters, which of them other filters replace, which were ignored, and which other words may have been meant.
 * @param {Counts["understood"]} understood
 */
function describeUnderstood({ filters, replaced, left_out: leftOut, suggestions, other_albums: albums, other_people: people }) {
  const description = filters.length ? `: ${filters.join("; ")}` : "";
  const past = replaced.length ? `. Replaced by the filters: ${replaced.join("; ")}` : "";
  const lost = leftOut.length ? `. Left out: ${leftOut.join(", ")}` : "";
  const meant = suggestions.map(([word, other]) => `. “${word}”: did you mean ${other}?`).join("");
  const others = albums.map((name) => `. There is an album of that name, too: search for “album ${name}”`).join("");
  const named = people.map((name) => `. There is a person called ${name}, too: choose that name among the filters`).join("");
  return description + past + lost + others + named + meant;
}

/**
 * The reasons why no photo is found, as a sentence.
 * @param {string[]} reasons
 */
function describeReasons(reasons) {
  const why = reasons.join("; ");
  return why ? sentence(why) : "Remove a filter, or lower how sure the emotion must be.";
}

/** @param {string} text */
const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
