// Acts on all selected photos: corrects faces, copies paths, makes an album.

import * as api from "./api.js";
import { copy, element, find, number, onClick, plural, reason, toast } from "./dom.js";
import { BY_INTEREST, EMOTIONS, label } from "./emotions.js";

/**
 * @typedef {import("./api.js").Emotion} Emotion
 * @typedef {import("./api.js").Face} Face
 */

// How many requests run at the same time.
const AT_ONCE = 6;

export class SelectionActions {
  #bar = find("#selection-bar");
  #emotion = find("#selection-emotion", HTMLSelectElement);
  #submit = find("#correct-selected", HTMLButtonElement);
  #name = find("#album-name", HTMLInputElement);
  #dialog = find("#album", HTMLDialogElement);
  #selection;
  #filters;
  #changed;
  #isBusy = false;

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
    // Arrow keys change the field's value emotion by emotion, so that only the button acts.
    this.#emotion.addEventListener("change", () => this.#show());
    onClick("#correct-selected", () => {
      const corrected = BY_INTEREST.find((emotion) => emotion === this.#emotion.value);
      if (corrected) this.#try(() => this.#correct(corrected));
    });
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
    const { photos, gone } = await this.#photos();
    await copy(photos.map(({ paths }) => paths[0] ?? "").join("\n"), `${plural(photos.length, "path")} copied.${gone}`);
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
    if (!isOn) this.#emotion.value = "";
    for (const control of this.#bar.querySelectorAll(".acts")) control.toggleAttribute("disabled", ids.length === 0);
    this.#submit.disabled ||= !this.#emotion.value;
  }

  // Corrects the faces that show an emotion in force, or all faces if there is none.
  /** @param {Emotion} corrected */
  async #correct(corrected) {
    const { emotions, minScore } = this.#filters;
    const { photos, gone } = await this.#photos();
    const all = photos.flatMap((photo) => photo.faces).filter((face) => face.counts && shows(face, emotions, minScore));
    const faces = all.filter((face) => face.corrected_to !== corrected);
    if (!faces.length) {
      toast(`${all.length ? `You have already said that they show ${corrected}` : "None of their faces shows the emotion that is chosen above"}.${gone}`);
      return;
    }
    const { done, failed } = await this.#each(faces, (face) => api.correctFace(face.id, corrected));
    if (!done.length) {
      toast(`No face was set to ${corrected}.${gone}${failed}`);
      return;
    }
    const undo = () =>
      this.#try(async () => {
        const { failed } = await this.#each(done, (face) => api.takeBack(face, corrected));
        toast(failed ? `Not all is as before.${failed}` : `${plural(done.length, "face")} as before.`);
      });
    toast(`${plural(done.length, "face")} set to ${corrected}.${gone}${failed}`, { name: "Undo", act: undo });
  }

  /**
   * Says something of each face; what fails for one face is done for the others, so that it can be undone. Returns the faces
   * for which it was done, and a sentence about the others.
   * @param {Face[]} faces
   * @param {(face: Face) => Promise<unknown>} say
   */
  async #each(faces, say) {
    /** @type {unknown[]} */
    const errors = [];
    const told = await inParallel(faces, async (face) => {
      try {
        await say(face);
        return true;
      } catch (error) {
        errors.push(error);
        return false;
      }
    });
    await this.#changed();
    const failed = errors.length ? ` It failed for ${plural(errors.length, "face")}: ${reason(errors[0])}` : "";
    return { done: faces.filter((_, index) => told[index]), failed };
  }

  /** @param {"add" | "replace"} [existing] What becomes of an album of that name. */
  async #makeAlbum(existing) {
    const name = this.#name.value.trim();
    try {
      const { folder, gone } = await api.makeAlbum(name, this.#selection.ids, existing);
      this.#dialog.close();
      toast(`The album is in ${folder}${gone ? `.${sayGone(gone)}` : ""}`);
    } catch (error) {
      if (!(error instanceof api.Refusal && error.status === api.CONFLICT)) throw error;
      this.#askAboutAlbum(`There is an album “${name}”.`);
    }
  }

  // The selected photos, and a sentence about those that are gone. They have no tiles by which a person could take them out
  // of the selection, so that they leave it by themselves.
  async #photos() {
    /** @type {number[]} */
    const gone = [];
    const photos = await inParallel(this.#selection.ids, async (id) => {
      try {
        return await api.photo(id);
      } catch (error) {
        if (!(error instanceof api.Refusal && error.status === api.NOT_FOUND)) throw error;
        gone.push(id);
        return null;
      }
    });
    if (gone.length) this.#selection.remove(gone);
    return { photos: photos.filter((photo) => photo !== null), gone: sayGone(gone.length) };
  }

  // Does one thing at a time: a second press of a button does not do it twice.
  /** @param {() => Promise<void>} act */
  async #try(act) {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      await act();
    } catch (error) {
      toast(reason(error));
    } finally {
      this.#isBusy = false;
    }
  }
}

/**
 * Whether a face shows one of some emotions, as the grid finds it; without emotions, any face does.
 * @param {Face} face
 * @param {readonly Emotion[]} emotions
 * @param {number} minScore
 */
function shows(face, emotions, minScore) {
  if (!emotions.length) return true;
  if (face.corrected_to) return emotions.includes(face.corrected_to);
  return EMOTIONS.some((emotion, index) => emotions.includes(emotion) && (face.scores[index] ?? 0) >= minScore);
}

/** @param {number} count The number of photos that are gone. */
const sayGone = (count) => (count ? ` ${plural(count, "photo")} ${count === 1 ? "is" : "are"} no longer in the index.` : "");

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
