// Shows one photo in large, with its faces and facts.

import { withPhoto } from "./address.js";
import * as api from "./api.js";
import { Cursor } from "./cursor.js";
import { copy, find, onClick, reason, seek, toast } from "./dom.js";
import { drawBoxes, listFaces } from "./faces.js";
import { fileName, listFacts } from "./facts.js";
import { Slideshow } from "./slideshow.js";
import { Zoom } from "./zoom.js";

// The maximum magnification; a small photo does not fill the whole screen.
const ENLARGED = 2.5;
// How many pixels a finger must move to show the next photo.
const SWIPE = 60;

/**
 * @typedef {object} Callbacks
 * @property {() => Promise<void>} changed Called after a face was corrected.
 * @property {(index: Promise<number>) => void} closed Called with the photo's index in the grid; -1 for none.
 * @property {(filters: api.Filters) => void} follow Called to show other photos.
 * @property {() => void} shown Called when another photo is shown.
 */

export class PhotoView {
  #dialog = find("#photo", HTMLDialogElement);
  #picture = find("#picture", HTMLImageElement);
  #cursor;
  #callbacks;
  /** @type {api.Photo | null} */
  #photo = null;
  // The photo requested last; `null` after the view was closed, so that a late answer is ignored.
  /** @type {number | null} */
  #wanted = null;
  zoom = new Zoom(find("#photo .stage"), find("#photo .frame"), () => this.#showZoom());
  slideshow = new Slideshow(
    () => this.turn(1),
    () => this.#picture.decode().catch(() => {}),
  );

  /**
   * @param {import("./grid.js").Grid} grid
   * @param {Callbacks} callbacks
   */
  constructor(grid, callbacks) {
    this.#cursor = new Cursor(grid);
    this.#callbacks = callbacks;
    onClick(".turn.previous", () => this.turn(-1));
    onClick(".turn.next", () => this.turn(1));
    onClick("#photo .zoom-in", () => this.zoom.in());
    onClick("#photo .zoom-out", () => this.zoom.out());
    onClick("#slideshow", () => this.slideshow.toggle());
    onClick("#toggle-boxes", () => this.toggleBoxes());
    onClick("#copy-path", () => this.copyPath());
    onClick("#reveal", () => this.reveal());
    onClick("#close-photo", () => this.#dialog.close());
    this.#picture.addEventListener("error", () => this.#dialog.classList.add("missing"));
    this.#picture.addEventListener("load", () => this.#dialog.classList.remove("missing", "loading"));
    this.#dialog.addEventListener("cancel", (event) => this.#stepBack(event));
    this.#dialog.addEventListener("close", () => {
      this.#photo = this.#wanted = null;
      this.slideshow.stop();
      this.zoom.reset();
      this.#callbacks.closed(this.#cursor.index());
    });
    this.#dialog.addEventListener("click", ({ target }) => {
      // A button handles its click itself: the one that starts a slideshow must not also end it.
      if (!(target instanceof Element) || target.closest("button")) return;
      if (this.slideshow.isOn) this.slideshow.stop();
      else if (target.matches(".stage") && !this.zoom.isClose) this.#dialog.close();
    });
    this.#swipes();
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /** The name of the photo that is open. */
  get name() {
    return this.#photo ? fileName(this.#photo) : "";
  }

  /** @param {number} id */
  async show(id) {
    this.#wanted = id;
    const found = this.#cursor.follow(id);
    let photo;
    try {
      photo = await api.photo(id);
      if (this.#wanted !== id) return;
    } catch (error) {
      if (this.#wanted !== id) return;
      this.close();
      toast(reason(error));
      return;
    }
    // Faces are numbered from left to right.
    photo.faces.sort((a, b) => a.box[0] - b.box[0] || a.id - b.id);
    const before = this.#photo;
    // A file whose metadata are changed is the same photo, but may be turned.
    const same = before?.id === id && before.width === photo.width && before.height === photo.height;
    this.#photo = photo;
    if (!same) {
      this.#dialog.classList.add("loading");
      this.zoom.reset();
    }
    if (!same || before.version !== photo.version) this.#picture.src = api.view(photo);
    this.#picture.alt = photo.description ?? fileName(photo);
    const { style } = find("#photo .frame");
    style.setProperty("--ratio", (photo.width / photo.height).toFixed(5));
    style.setProperty("--most", `${ENLARGED * photo.width}px`);
    find("#photo-name").textContent = fileName(photo);
    find("#facts").replaceChildren(...listFacts(photo, this.#callbacks.follow));
    find("#reveal").hidden = !photo.can_reveal;
    // Keeps the controls if no face has changed, because a person may be about to use one.
    if (!same || JSON.stringify(before.faces) !== JSON.stringify(photo.faces)) this.#showFaces(photo);
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#showTurns();
    found.then(() => this.#showTurns());
    this.#callbacks.shown();
  }

  close() {
    this.#wanted = null;
    if (this.#dialog.open) this.#dialog.close();
  }

  /**
   * Shows a neighbour in the grid; returns whether there is one.
   * @param {number} by
   */
  async turn(by) {
    const next = await this.#cursor.step(by);
    if (!next || !this.isOpen) return false;
    history.replaceState(history.state, "", withPhoto(next.id));
    await this.show(next.id);
    return true;
  }

  toggleBoxes() {
    const shown = this.#dialog.classList.toggle("no-boxes") === false;
    find("#toggle-boxes").setAttribute("aria-pressed", String(shown));
  }

  async copyPath() {
    const path = this.#photo?.paths[0];
    if (path) await copy(path, "Path copied.");
  }

  async reveal() {
    if (!this.#photo?.can_reveal) return;
    try {
      await api.reveal(this.#photo.id);
    } catch (error) {
      toast(reason(error));
    }
  }

  /** Updates the faces, for example after the index has changed. */
  async refresh() {
    if (this.#wanted !== null) await this.show(this.#wanted);
  }

  // Escape ends what was started last.
  /** @param {Event} event */
  #stepBack(event) {
    if (event.target !== this.#dialog || !(this.slideshow.isOn || this.zoom.isClose)) return;
    event.preventDefault();
    if (this.slideshow.isOn) this.slideshow.stop();
    else this.zoom.reset();
  }

  /** @param {api.Photo} photo */
  #showFaces(photo) {
    const focused = document.activeElement?.closest("[data-face]")?.getAttribute("data-face");
    drawBoxes(find("#boxes"), photo, { chosen: (face) => this.#choose(face) });
    listFaces(find("#faces"), photo, this.#picture, {
      changed: async () => {
        await this.#callbacks.changed();
        await this.refresh();
      },
    });
    if (focused) seek(`.face[data-face='${focused}']`)?.focus();
  }

  /** @param {number} face */
  #choose(face) {
    const card = seek(`.face[data-face='${face}']`);
    card?.focus({ preventScroll: true });
    card?.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  #showTurns() {
    find(".turn.previous", HTMLButtonElement).disabled = !this.#cursor.hasPrevious;
    find(".turn.next", HTMLButtonElement).disabled = !this.#cursor.hasNext;
  }

  #showZoom() {
    find("#photo .zoom-out", HTMLButtonElement).disabled = !this.zoom.isClose;
  }

  #swipes() {
    /** @type {PointerEvent | null} */
    let start = null;
    const stage = find("#photo .stage");
    stage.addEventListener("pointerdown", (event) => {
      start = event.pointerType === "touch" && event.isPrimary && !this.zoom.isClose ? event : null;
    });
    stage.addEventListener("pointerup", (event) => {
      if (!start || this.zoom.isClose) return;
      const [x, y] = [event.clientX - start.clientX, event.clientY - start.clientY];
      if (Math.abs(x) > SWIPE && Math.abs(x) > 2 * Math.abs(y)) this.turn(x < 0 ? 1 : -1);
      start = null;
    });
  }
}
