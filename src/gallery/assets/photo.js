// One photo, large, with its faces and what is known of it.

import { withPhoto } from "./address.js";
import * as api from "./api.js";
import { date, element, find, reason, seek, toast } from "./dom.js";
import { drawBoxes, listFaces } from "./faces.js";

// A small photo is not blown up to the whole screen.
const ENLARGED = 2.5;

export class PhotoView {
  #dialog = find("#photo", HTMLDialogElement);
  #picture = find("#picture", HTMLImageElement);
  #grid;
  #changed;
  #closed;
  /** @type {api.Photo | null} */
  #photo = null;
  // The photo that was asked for last; none once the view was closed, however late an answer is.
  /** @type {number | null} */
  #wanted = null;
  // Where the photo was in the grid: a corrected photo may have left it.
  #index = -1;

  /**
   * @param {import("./grid.js").Grid} grid
   * @param {{ changed: () => Promise<void>, closed: (id: number | undefined) => void }} told
   */
  constructor(grid, { changed, closed }) {
    this.#grid = grid;
    this.#changed = changed;
    this.#closed = closed;
    find(".turn.previous").addEventListener("click", () => this.turn(-1));
    find(".turn.next").addEventListener("click", () => this.turn(1));
    find("#close-photo").addEventListener("click", () => this.#dialog.close());
    find("#toggle-boxes").addEventListener("click", () => this.toggleBoxes());
    find("#copy-path").addEventListener("click", () => this.copyPath());
    find("#reveal").addEventListener("click", () => this.reveal());
    this.#picture.addEventListener("error", () => this.#dialog.classList.add("missing"));
    this.#picture.addEventListener("load", () => this.#dialog.classList.remove("missing", "loading"));
    this.#dialog.addEventListener("close", () => {
      const id = this.#photo?.id;
      this.#photo = this.#wanted = null;
      this.#closed(id);
    });
    find(".stage").addEventListener("click", ({ target }) => {
      if (target instanceof Element && target.matches(".stage")) this.#dialog.close();
    });
    this.#swipes();
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /** @param {number} id */
  async show(id) {
    this.#wanted = id;
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
    const before = this.#photo;
    const same = before?.id === id;
    this.#photo = photo;
    const index = this.#grid.indexOf(id);
    if (index >= 0) this.#index = index;
    if (!same) {
      this.#dialog.classList.add("loading");
      this.#picture.src = api.view(photo.id);
      this.#picture.alt = photo.description ?? fileName(photo);
    }
    const { style } = find(".frame");
    style.setProperty("--ratio", (photo.width / photo.height).toFixed(5));
    style.setProperty("--most", `${ENLARGED * photo.width}px`);
    find("#photo-name").textContent = fileName(photo);
    find("#facts").replaceChildren(...facts(photo));
    find("#reveal").hidden = !photo.can_reveal;
    // Controls that nothing has changed stay: someone may be about to use one.
    if (!same || JSON.stringify(before.faces) !== JSON.stringify(photo.faces)) this.#showFaces(photo);
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#showTurns();
  }

  close() {
    this.#wanted = null;
    if (this.#dialog.open) this.#dialog.close();
  }

  /**
   * Goes to a neighbour in the grid.
   * @param {number} by
   */
  async turn(by) {
    const photos = this.#grid.photos;
    const stays = photos[this.#index]?.id === this.#photo?.id;
    // Where the photo has left the grid, the next one has taken its place.
    const index = this.#index + (stays || by < 0 ? by : 0);
    if (index >= photos.length && !(await this.#grid.more())) return;
    const next = this.#grid.photos[index];
    if (!next) return;
    this.#index = index;
    history.replaceState(history.state, "", withPhoto(next.id));
    await this.show(next.id);
  }

  toggleBoxes() {
    const shown = this.#dialog.classList.toggle("no-boxes") === false;
    find("#toggle-boxes").setAttribute("aria-pressed", String(shown));
  }

  async copyPath() {
    const path = this.#photo?.paths[0];
    if (!path) return;
    try {
      await navigator.clipboard.writeText(path);
      toast("The path is copied.");
    } catch {
      toast(path);
    }
  }

  async reveal() {
    if (!this.#photo?.can_reveal) return;
    try {
      await api.reveal(this.#photo.id);
    } catch (error) {
      toast(reason(error));
    }
  }

  // Brings the faces up to date, as after a change of the index.
  async refresh() {
    if (this.#wanted !== null) await this.show(this.#wanted);
  }

  /** @param {api.Photo} photo */
  #showFaces(photo) {
    const focused = document.activeElement?.closest("[data-face]")?.getAttribute("data-face");
    drawBoxes(find("#boxes"), photo, { chosen: (face) => this.#choose(face) });
    listFaces(find("#faces"), photo, this.#picture, {
      changed: async () => {
        await this.#changed();
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
    find(".turn.previous", HTMLButtonElement).disabled = this.#index <= 0;
    find(".turn.next", HTMLButtonElement).disabled = this.#index < 0;
  }

  #swipes() {
    /** @type {PointerEvent | null} */
    let start = null;
    const stage = find(".stage");
    stage.addEventListener("pointerdown", (event) => {
      start = event.pointerType === "touch" && event.isPrimary ? event : null;
    });
    stage.addEventListener("pointerup", (event) => {
      if (!start) return;
      const [x, y] = [event.clientX - start.clientX, event.clientY - start.clientY];
      if (Math.abs(x) > 60 && Math.abs(x) > 2 * Math.abs(y)) this.turn(x < 0 ? 1 : -1);
      start = null;
    });
  }
}

/** @param {api.Photo} photo */
const fileName = (photo) => (photo.paths[0] ?? "").split(/[\\/]/).at(-1) ?? "";

/** @param {number} bytes */
const length = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

/** @param {api.Photo} photo */
function facts(photo) {
  const size = `${photo.width} × ${photo.height}, ${photo.format}, ${length(photo.bytes)}`;
  const taken = date(photo.taken, { dateStyle: "full", timeStyle: "short" });
  const known = [
    [photo.taken_from_file ? "File dated" : "Taken", taken],
    ["About", photo.description],
    ["Place", photo.place ?? photo.position?.map((degrees) => degrees.toFixed(4)).join(", ")],
    ["Camera", photo.camera],
    ["Picture", size],
    [photo.paths.length > 1 ? "Files" : "File", photo.paths.join("\n")],
  ];
  return known
    .filter(([, value]) => value)
    .flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
}
