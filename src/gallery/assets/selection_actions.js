// Acts on all selected photos: corrects faces, copies paths, makes an album.

import * as api from "./api.js";
import { copy, element, find, number, onClick, plural, reason, toast } from "./dom.js";
import { BY_INTEREST, label, shown } from "./emotions.js";

/** @typedef {import("./api.js").Emotion} Emotion */

// How many requests run at the same time.
const AT_ONCE = 6;

export class SelectionActions {
  #bar = find("#selection-bar");
  #emotion = find("#selection-emotion", HTMLSelectElement);
  #name = find("#album-name", HTMLInputElement);
  #dialog = find("#album", HTMLDialogElement);
  #selection;
  #filters;
  #changed;

  /**
   * @param {import("./selection.js").Selection} selection
   * @param {import("./filters.js").Filters} filters
   * @param {{ changed: () => Promise<void> }} callbacks
   */
  constructor(selection, filters, { changed }) {
    this.#selection = selection;
    this.#filters = filters;
    this.#changed = changed;
    this.#emotion.append(...BY_INTEREST.map((emotion) => element("option", { value: emotion }, label(emotion))));
    selection.follow(() => this.#show());
    this.#emotion.addEventListener("change", () => this.#try(() => this.#correct()));
    onClick("#copy-selected", () => this.#try(() => this.copyPaths()));
    onClick("#make-album", () => this.askForAlbum());
    onClick("#end-selection", () => selection.clear());
    onClick("#album-cancel", () => this.#dialog.close());
    onClick("#album-add", () => this.#try(() => this.#makeAlbum("add")));
    onClick("#album-replace", () => this.#try(() => this.#makeAlbum("replace")));
    this.#name.addEventListener("input", () => this.#askAboutAlbum(""));
    find("form", HTMLFormElement, this.#dialog).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#try(() => this.#makeAlbum());
    });
  }

  async copyPaths() {
    const photos = await this.#photos();
    await copy(photos.map(({ paths }) => paths[0] ?? "").join("\n"), `${plural(photos.length, "path")} copied.`);
  }

  askForAlbum() {
    find("#album-title").textContent = `An album of ${plural(this.#selection.ids.length, "photo")}`;
    this.#askAboutAlbum("");
    this.#dialog.showModal();
  }

  /**
   * Asks what to do with an existing album or, without a question, offers to make one.
   * @param {string} question
   */
  #askAboutAlbum(question) {
    find("#album-exists").textContent = question;
    for (const id of ["#album-add", "#album-replace"]) find(id).hidden = !question;
    find("#album-submit").hidden = Boolean(question);
    if (question) find("#album-add").focus();
  }

  #show() {
    const { ids, isOn } = this.#selection;
    this.#bar.hidden = !isOn;
    find("#selection-count").textContent = ids.length ? `${number(ids.length)} selected` : "Choose photos";
    for (const control of this.#bar.querySelectorAll(".acts")) control.toggleAttribute("disabled", ids.length === 0);
  }

  // Corrects the faces that show an emotion in force, or all faces if there is none.
  async #correct() {
    const corrected = BY_INTEREST.find((emotion) => emotion === this.#emotion.value);
    this.#emotion.value = "";
    if (!corrected) return;
    const { emotions } = this.#filters;
    const faces = (await this.#photos())
      .flatMap((photo) => photo.faces)
      .filter((face) => face.counts && face.corrected_to !== corrected && (!emotions.length || emotions.includes(shown(face))));
    await inParallel(faces, (face) => api.correctFace(face.id, corrected));
    const undo = () =>
      this.#try(async () => {
        await inParallel(faces, (face) => (face.corrected_to ? api.correctFace(face.id, face.corrected_to) : api.undoCorrection(face.id)));
        await this.#changed();
      });
    await this.#changed();
    toast(`${plural(faces.length, "face")} set to ${corrected}.`, { name: "Undo", act: undo });
  }

  /** @param {"add" | "replace"} [existing] What becomes of an album of that name. */
  async #makeAlbum(existing) {
    const name = this.#name.value.trim();
    try {
      const { folder } = await api.makeAlbum(name, this.#selection.ids, existing);
      this.#dialog.close();
      toast(`The album is in ${folder}`);
    } catch (error) {
      if (!(error instanceof api.Refusal && error.status === api.CONFLICT)) throw error;
      this.#askAboutAlbum(`There is an album “${name}”.`);
    }
  }

  #photos() {
    return inParallel(this.#selection.ids, (id) => api.photo(id));
  }

  /** @param {() => Promise<void>} act */
  async #try(act) {
    try {
      await act();
    } catch (error) {
      toast(reason(error));
    }
  }
}

/**
 * Sends a request for each item, a few at a time.
 * @template T, Answer
 * @param {T[]} all
 * @param {(one: T) => Promise<Answer>} ask
 */
async function inParallel(all, ask) {
  /** @type {Answer[]} */
  const answers = [];
  for (let first = 0; first < all.length; first += AT_ONCE) {
    answers.push(...(await Promise.all(all.slice(first, first + AT_ONCE).map(ask))));
  }
  return answers;
}
