// The emotions, in the order of the server's scores.

import { element, icon } from "./dom.js";

/** @typedef {import("./api.js").Emotion} Emotion */

/** @type {readonly Emotion[]} */
export const EMOTIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt"];

/**
 * The order of the chips: the emotions that people look for most come first.
 * @type {readonly Emotion[]}
 */
export const BY_INTEREST = ["happy", "surprise", "neutral", "sad", "angry", "fear", "disgust", "contempt"];

/** @param {Emotion} emotion */
export const label = (emotion) => emotion.charAt(0).toUpperCase() + emotion.slice(1);

/** @param {number} score */
export const percent = (score) => {
  const rounded = Math.round(100 * score);
  return score > 0 && rounded === 0 ? "< 1 %" : `${rounded} %`;
};

/**
 * Emotions with their scores, highest score first.
 * @param {number[]} scores
 */
export const ranked = (scores) =>
  EMOTIONS.map((emotion, index) => ({ emotion, score: scores[index] ?? 0 })).sort((a, b) => b.score - a.score);

/**
 * The emotion that a face shows: a correction takes precedence over the model.
 * @param {import("./api.js").Face} face
 * @returns {Emotion}
 */
export const shown = (face) => face.corrected_to ?? ranked(face.scores)[0]?.emotion ?? "neutral";

/**
 * An emotion's icon and name.
 * @param {Emotion} emotion
 * @param {string} [text]
 */
export const badge = (emotion, text = label(emotion)) =>
  element("span", { class: `badge-emotion is-${emotion}` }, icon(emotion), element("span", {}, text));
