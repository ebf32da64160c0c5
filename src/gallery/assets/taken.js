// When a photo was taken, as exactly as it is known.

import { date } from "./dom.js";

/**
 * @typedef {object} Dated
 * @property {string | null} taken
 * @property {"second" | "day" | "month" | "year" | null} taken_precision
 */

/**
 * The day, or the month or year if no more is known.
 * @param {Dated} photo
 * @param {"long" | "medium"} style
 */
export function day({ taken, taken_precision: precision }, style) {
  if (precision === "year") return date(taken, { year: "numeric" });
  if (precision === "month") return date(taken, { year: "numeric", month: style === "long" ? "long" : "short" });
  return date(taken, { dateStyle: style });
}

/**
 * The same for the facts about a photo: with the time, if it is known, and as the first and last day for a filter.
 * @param {Dated} photo
 */
export function period(photo) {
  const taken = photo.taken ?? "";
  const [year, month, whole] = [taken.slice(0, 4), taken.slice(0, 7), taken.slice(0, 10)];
  switch (photo.taken_precision) {
    case "year":
      return { since: `${year}-01-01`, until: `${year}-12-31`, shown: day(photo, "long") };
    case "month":
      return { since: `${month}-01`, until: lastDay(month), shown: day(photo, "long") };
    case "day":
      return { since: whole, until: whole, shown: date(photo.taken, { dateStyle: "full" }) };
    default:
      return { since: whole, until: whole, shown: date(photo.taken, { dateStyle: "full", timeStyle: "short" }) };
  }
}

/**
 * The last day of a month.
 * @param {string} month As in 2019-07.
 */
function lastDay(month) {
  const day = new Date(`${month}-01T00:00Z`);
  day.setUTCMonth(day.getUTCMonth() + 1, 0);
  return day.toISOString().slice(0, 10);
}
