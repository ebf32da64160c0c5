// The vocabulary, in the order of the server's scores.

import { element, icon } from "./dom.js";

export const EMOTIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt"];

// The order of the chips: what people look for first.
export const BY_INTEREST = ["happy", "surprise", "neutral", "sad", "angry", "fear", "disgust", "contempt"];

export const label = (emotion) => emotion[0].toUpperCase() + emotion.slice(1);

export const percent = (score) => {
  const rounded = Math.round(100 * score);
  return score > 0 && rounded === 0 ? "< 1 %" : `${rounded} %`;
};

// Emotions with their scores, the most probable first.
export const ranked = (scores) =>
  EMOTIONS.map((emotion, index) => ({ emotion, score: scores[index] })).sort((a, b) => b.score - a.score);

// What a face shows: a person's word before the model's.
export const shown = (face) => face.said ?? ranked(face.scores)[0].emotion;

// An emotion's face and name.
export const badge = (emotion, text = label(emotion)) =>
  element("span", { class: `badge-emotion is-${emotion}` }, icon(emotion), element("span", {}, text));
