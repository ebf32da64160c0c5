// The faces of the open photo: bounding boxes, scores, and buttons that correct them.

import * as api from "./api.js";
import { element, icon, plural, reason, toast } from "./dom.js";
import { badge, label, percent, ranked, shown } from "./emotions.js";

const CROP = 112;

/**
 * @typedef {import("./api.js").Photo} Photo
 * @typedef {import("./api.js").Face} Face
 * @typedef {import("./api.js").Emotion} Emotion
 */

/** @type {(face: Face, index: number) => string} */
const nameOf = (face, index) => (face.person ? `Face ${index + 1}, ${face.person}` : `Face ${index + 1}`);

/**
 * Draws the bounding boxes over the picture.
 * @param {HTMLElement} place
 * @param {Photo} photo
 * @param {{ chosen: (face: number) => void }} callbacks
 */
export function drawBoxes(place, photo, { chosen }) {
  place.replaceChildren(
    ...photo.faces.map((face, index) => {
      const [x, y, width, height] = face.box;
      const box = element(
        "button",
        {
          type: "button",
          class: `box ${face.counts ? `is-${shown(face)}` : "rejected"}`,
          "data-face": face.id,
          "aria-label": `${nameOf(face, index)}: ${face.counts ? shown(face) : noFace(face).toLowerCase()}`,
          onclick: () => chosen(face.id),
        },
        element("span", { class: "number" }, String(index + 1)),
        element("span", { class: "tag" }, face.counts ? label(shown(face)) : noFace(face)),
      );
      /** @type {(value: number, whole: number) => string} */
      const part = (value, whole) => `${(100 * value) / whole}%`;
      box.style.left = part(x, photo.width);
      box.style.top = part(y, photo.height);
      box.style.width = part(width, photo.width);
      box.style.height = part(height, photo.height);
      return box;
    }),
  );
}

/**
 * Shows a card for each face; `changed` is called after each correction.
 * @param {HTMLElement} place
 * @param {Photo} photo
 * @param {HTMLImageElement} picture
 * @param {{ changed: () => Promise<void> }} callbacks
 */
export function listFaces(place, photo, picture, { changed }) {
  const heading = element("h3", {}, countFaces(photo.faces));
  const hint = element("p", { class: "hint" }, "Wrong? Choose the emotion that you see; your choice is kept.");
  const cards = photo.faces.map((face, index) => card(face, index, photo, picture, changed));
  place.replaceChildren(heading, ...(photo.faces.length ? [hint] : []), ...cards);
}

/**
 * The number of faces, as the grid and the filters count them.
 * @param {Face[]} faces
 */
function countFaces(faces) {
  if (!faces.length) return "No face found";
  const count = faces.filter((face) => face.counts).length;
  const others = faces.length - count;
  return plural(count, "face") + (others ? `, and ${others} marked as none` : "");
}

/**
 * @param {Face} face
 * @param {number} index
 * @param {Photo} photo
 * @param {HTMLImageElement} picture
 * @param {() => Promise<void>} changed
 */
function card(face, index, photo, picture, changed) {
  /** @param {() => Promise<unknown>} saying */
  const say = async (saying) => {
    try {
      await saying();
      await changed();
    } catch (error) {
      toast(reason(error));
    }
  };
  /** @type {(kind: string, text: string, saying: () => Promise<unknown>) => HTMLElement} */
  const act = (kind, text, saying) => element("button", { type: "button", class: kind, onclick: () => say(saying) }, text);
  const name = nameOf(face, index);
  const corrected = face.corrected_to || face.rejected;
  const verdict = !face.counts
    ? element("span", { class: "badge-emotion" }, icon("close"), element("span", {}, noFace(face)))
    : badge(shown(face), face.corrected_to ? label(face.corrected_to) : `${label(shown(face))} ${percent(Math.max(...face.scores))}`);
  return element(
    "section",
    { class: `face ${face.counts ? "" : "rejected"}`, "data-face": face.id, "aria-label": name, tabindex: "-1" },
    element(
      "div",
      { class: "face-head" },
      crop(face, photo, picture),
      element("div", {}, element("h4", { class: "hint" }, name), verdict, aside(face)),
    ),
    element(
      "div",
      { class: "bars", role: "group", "aria-label": `${name} shows` },
      ...ranked(face.scores).map(({ emotion, score }) => bar(face, emotion, score, () => say(() => api.correctFace(face.id, emotion)))),
    ),
    element(
      "div",
      { class: "face-tools" },
      face.rejected ? null : act("reject", "Not a face", () => api.rejectFace(face.id)),
      corrected ? act("undo", "Undo", () => api.undoCorrection(face.id)) : null,
    ),
  );
}

/**
 * What to call a face that counts as none.
 * @param {Face} face
 */
const noFace = (face) => (face.rejected ? "Not a face" : "Not a human face");

/** @param {Face} face */
function aside(face) {
  const source = face.carried_from === null ? "corrected by you" : `corrected by you on ${face.carried_from || "a file that is gone"}`;
  const text = face.rejected || face.corrected_to ? source : !face.counts || face.detection < 0.75 ? "a doubtful face" : "";
  return element("p", { class: "hint" }, text);
}

/**
 * @param {Face} face
 * @param {Emotion} emotion
 * @param {number} score
 * @param {() => void} choose
 */
function bar(face, emotion, score, choose) {
  const fill = element("span", { class: "fill" });
  fill.style.width = `${100 * score}%`;
  return element(
    "button",
    {
      type: "button",
      class: `bar is-${emotion}`,
      "data-emotion": emotion,
      "aria-pressed": String(face.corrected_to === emotion),
      title: `Say that it is ${emotion}`,
      onclick: choose,
    },
    icon(emotion),
    element("span", { class: "name" }, label(emotion)),
    element("span", { class: "track" }, fill),
    element("span", { class: "score" }, percent(score)),
  );
}

/**
 * The face, cut from the displayed picture with a margin.
 * @param {Face} face
 * @param {Photo} photo
 * @param {HTMLImageElement} picture
 */
function crop(face, photo, picture) {
  const canvas = element("canvas", { width: CROP, height: CROP, "aria-hidden": "true" });
  const draw = () => {
    const scale = picture.naturalWidth / photo.width;
    const [x, y, width, height] = face.box;
    const side = Math.max(width, height) * 1.25;
    const [left, top, size] = [x + (width - side) / 2, y + (height - side) / 2, side].map((value) => value * scale);
    canvas.getContext("2d")?.drawImage(picture, left ?? 0, top ?? 0, size ?? 0, size ?? 0, 0, 0, CROP, CROP);
  };
  if (picture.complete && picture.naturalWidth) draw();
  else picture.addEventListener("load", draw, { once: true });
  return canvas;
}
