// The filters in force. They are stored in the page's address, so that a reload, the back button and a
// bookmark keep them.

import { settled } from "./address.js";
import { element, find, icon, number } from "./dom.js";
import { BY_INTEREST, EMOTIONS, label } from "./emotions.js";
import { InWords } from "./in_words.js";

/**
 * @typedef {import("./api.js").Emotion} Emotion
 * @typedef {HTMLInputElement | HTMLSelectElement} Field
 */

// The filters that an address may have, in the order in which they are described: those of `fer-index query`, the text
// that a person typed, and the minimum score in percent.
// prettier-ignore
const NAMES = [
  "emotion", "text", "not", "who", "min", "min-score", "all", "faces", "since", "until", "taken", "file-dates", "under",
  "album", "near", "within", "away", "camera", "person", "words", "min-face-size", "min-detection", "order", "seed",
  "one-per-burst", "raws", "limit",
];
// Removes the emotion that the text asks for.
const ANY = "any";
// The values of filters that are given without one.
/** @type {Record<string, string>} */
const WITHOUT_VALUE = { all: "yes", "file-dates": "yes", "one-per-burst": "yes", away: "100" };
// The filters that have controls outside the panel.
const ABOVE = ["emotion", "text"];
// The filters in the panel.
const IN_PANEL = ["since", "until", "file-dates", "near", "under", "words", "camera", "person", "faces", "who", "min"];
const TYPING = 250;
// The server's default for the minimum score, in percent.
const MIN = "50";
// The step of the minimum score when a person chooses it; an address may have any other.
const STEP = "5";

export class Filters {
  #callbacks;
  #form = find("#filters", HTMLFormElement);
  #text = find("#text", HTMLInputElement);
  #min = find("#min", HTMLInputElement);
  #inWords = new InWords(async (names) => {
    await this.set(Object.fromEntries(names.map((name) => [name, ""])));
    this.#callbacks.done();
  });
  #toggle = find("#show-filters");
  /** @type {Map<Emotion | "", HTMLButtonElement>} */
  #chips = new Map();
  /** The emotions in force, of which a photo shows at least one. @type {readonly Emotion[]} */
  #asked = [];
  // The least score at which a face shows one of them.
  #minScore = 0;
  #hasTypedEmotion = false;
  /** Runs while a person types. @type {ReturnType<typeof setTimeout> | undefined} */
  #typing;
  // The address that typing has made since the search got the focus. What is typed next takes its place, so that the history
  // has one entry for a typed search, and the one before it stays.
  #typed = "";

  /**
   * @param {object} callbacks
   * @param {() => void} callbacks.changed Called when other filters are in force.
   * @param {() => void} callbacks.done Called when a person has finished choosing and the photos should get the focus.
   */
  constructor(callbacks) {
    this.#callbacks = callbacks;
    this.#makeChips();
    this.#form.addEventListener("change", ({ target }) => this.#read(/** @type {Field} */ (target)));
    this.#form.addEventListener("reset", (event) => {
      event.preventDefault();
      this.set(Object.fromEntries(NAMES.filter((name) => !ABOVE.includes(name)).map((name) => [name, ""])));
    });
    this.#min.addEventListener("input", () => {
      this.#min.step = STEP;
      this.#showMin();
    });
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#toggle.addEventListener("click", () => this.togglePanel());
    this.#text.addEventListener("focus", () => (this.#typed = ""));
    this.#text.addEventListener("input", () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.#search(), TYPING);
    });
    find("#search").addEventListener("submit", async (event) => {
      event.preventDefault();
      this.#text.blur(); // so that keys are shortcuts and not text
      await this.#search();
      this.#callbacks.done();
    });
    this.show();
  }

  /**
   * The filters in force; a missing one does not restrict.
   * @returns {import("./api.js").Asked}
   */
  get() {
    const address = new URLSearchParams(location.search);
    const given = NAMES.flatMap((name) => address.getAll(name).map((value) => [name, value || (WITHOUT_VALUE[name] ?? "")]));
    return new URLSearchParams(given.filter(([, value]) => value));
  }

  /**
   * Changes some filters; an empty value removes a filter. A new place also resets the radius.
   * @param {Record<string, string>} some
   */
  async set(some) {
    // What was typed just before counts, too.
    if (this.#typing !== undefined) await this.#search();
    await this.#set(some);
  }

  // Searches for what is typed.
  #search() {
    clearTimeout(this.#typing);
    this.#typing = undefined;
    return this.#set({ text: this.#text.value.trim() }, { isTyped: true });
  }

  /** @param {Record<string, string>} some */
  async #set(some, { isTyped = false } = {}) {
    await settled();
    const address = new URL(location.href);
    address.searchParams.delete("photo");
    // A new text may ask for an emotion, and shuffles anew.
    const text = address.searchParams.get("text") ?? "";
    const isNewText = (some.text ?? text) !== text;
    if (isNewText || "order" in some) address.searchParams.delete("seed");
    if (!("emotion" in some) && isNewText && address.searchParams.get("emotion") === ANY) address.searchParams.delete("emotion");
    const place = "near" in some && some.near !== address.searchParams.get("near") ? { within: "" } : {};
    for (const [name, value] of Object.entries({ ...place, ...some })) {
      if (value) address.searchParams.set(name, value);
      else address.searchParams.delete(name);
    }
    if (address.href === location.href) return;
    history[isTyped && location.href === this.#typed ? "replaceState" : "pushState"]({}, "", address);
    if (isTyped) this.#typed = location.href;
    this.show({ isTyped });
    this.#callbacks.changed();
  }

  /**
   * Keeps the seed of a shuffled answer in the address, so that a reload, Back and other tabs show the same order.
   * @param {string} seed
   */
  keepSeed(seed) {
    const address = new URL(location.href);
    if (address.searchParams.has("seed")) return;
    const isTyped = location.href === this.#typed;
    address.searchParams.set("seed", seed);
    history.replaceState(history.state, "", address);
    if (isTyped) this.#typed = location.href;
  }

  /** @param {number} index */
  choose(index) {
    const emotion = index === 0 ? "" : BY_INTEREST[index - 1];
    if (emotion !== undefined) this.#chooseEmotion(emotion);
  }

  /** The emotions in force, whether a chip or the text chose them; none if photos are shown whatever they show. */
  get emotions() {
    return this.#asked;
  }

  /** The minimum score at which a face shows an emotion, 0 to 1. */
  get minScore() {
    return this.#minScore;
  }

  get isPanelOpen() {
    return !this.#form.hidden;
  }

  search() {
    this.#text.focus();
    this.#text.select();
  }

  togglePanel() {
    this.#form.hidden = !this.#form.hidden;
    this.#toggle.setAttribute("aria-expanded", String(!this.#form.hidden));
  }

  // Copies the filters from the address into the controls; what a person types stays as it is typed.
  show({ isTyped = false } = {}) {
    const filters = this.get();
    const named = filters.getAll("emotion").join().split(",");
    this.#press(EMOTIONS.filter((emotion) => named.includes(emotion)));
    if (!isTyped || document.activeElement !== this.#text) this.#text.value = filters.get("text") ?? "";
    const given = NAMES.map((name) => ({ name, values: filters.getAll(name) }));
    const isShown = given.filter(({ name, values }) => ABOVE.includes(name) || (IN_PANEL.includes(name) && this.#show(name, values)));
    this.#showMin();
    // The seed alone changes nothing that its removal would take away.
    this.#inWords.show(given.filter((filter) => filter.values.length && filter.name !== "seed" && !isShown.includes(filter)));
    const active = IN_PANEL.filter((name) => filters.has(name)).length;
    const badge = find("#filters-active");
    badge.hidden = active === 0;
    badge.replaceChildren(String(active), element("span", { class: "unseen" }, " in force"));
  }

  /**
   * Shows the number of photos for each emotion, the emotion in force, the filters in words, the folders, the cameras
   * and the people.
   * @param {import("./api.js").Counts} counts
   */
  showCounts({ all, emotions, asked, min_score: minScore, has_typed_emotion: hasTypedEmotion, in_words: inWords, folders, cameras, people }) {
    this.#inWords.describe(inWords);
    this.#hasTypedEmotion = hasTypedEmotion;
    this.#minScore = minScore;
    this.#press(asked);
    for (const [emotion, chip] of this.#chips) {
      const count = emotion === "" ? all : (emotions[emotion] ?? 0);
      find(".count", HTMLElement, chip).textContent = number(count);
      chip.classList.toggle("none", count === 0);
    }
    const indented = folders.map(({ path, name, depth }) => ({ value: path, text: "\u2003".repeat(depth) + name }));
    fill(this.#select("under"), indented);
    /** @param {string[]} names */
    const named = (names) => names.map((name) => ({ value: name, text: name }));
    fill(this.#select("camera"), named(cameras));
    fill(this.#select("person"), named(people));
  }

  // Shows no number of photos, where the filters have no answer.
  forgetCounts() {
    for (const chip of this.#chips.values()) {
      find(".count", HTMLElement, chip).textContent = "";
      chip.classList.remove("none");
    }
  }

  /**
   * @param {string} name
   * @returns {Field}
   */
  #field(name) {
    return find(`[name="${name}"]`, /** @type {new () => Field} */ (HTMLElement), this.#form);
  }

  /** @param {string} name */
  #select(name) {
    return find(`[name="${name}"]`, HTMLSelectElement, this.#form);
  }

  // Shows which emotions are in force.
  /** @param {readonly Emotion[]} asked */
  #press(asked) {
    this.#asked = asked;
    for (const [emotion, chip] of this.#chips) {
      chip.setAttribute("aria-pressed", String(emotion === "" ? asked.length === 0 : asked.includes(emotion)));
    }
  }

  /** @param {Emotion | ""} emotion */
  async #chooseEmotion(emotion) {
    const all = this.#hasTypedEmotion && this.get().has("text") ? ANY : "";
    await this.set({ emotion: emotion || all });
    this.#callbacks.done();
  }

  #makeChips() {
    /** @type {(emotion: Emotion | "", text: string) => HTMLButtonElement} */
    const chip = (emotion, text) => {
      const made = element(
        "button",
        { type: "button", class: emotion ? `chip is-${emotion}` : "chip", "aria-pressed": "false", "data-emotion": emotion },
        icon(emotion || "all"),
        element("span", {}, text),
        element("span", { class: "count" }),
      );
      made.addEventListener("click", () => this.#chooseEmotion(emotion));
      this.#chips.set(emotion, made);
      return made;
    };
    find("#emotions").append(chip("", "All"), ...BY_INTEREST.map((emotion) => chip(emotion, label(emotion))));
  }

  // Reads one field. The others keep their values in the address, which may have more than a field can show.
  /** @param {Field} field */
  #read(field) {
    const { name } = field;
    // A folder that is chosen may have spaces at the ends of its name.
    const given = field instanceof HTMLSelectElement ? field.value : field.value.trim();
    this.set({ [name]: name === "min" && given === MIN ? "" : given });
  }

  /**
   * Shows a filter in its field; returns whether the field says all of it.
   * @param {string} name
   * @param {string[]} values
   */
  #show(name, values) {
    const field = this.#field(name);
    const asked = values.length > 1 ? "" : (values[0] ?? "");
    if (name === "min") {
      this.#min.step = Number(asked) % Number(STEP) ? "any" : STEP;
      this.#min.value = asked || MIN;
    } else if (name === "file-dates") field.value = asked && "yes";
    else {
      if (asked && field instanceof HTMLSelectElement) offer(field, asked);
      field.value = asked;
    }
    return values.length < 2 && (name === "file-dates" || !asked || field.value === asked);
  }

  #showMin() {
    find("#min-value").textContent = `${this.#min.value} %`;
  }
}

/**
 * Replaces all options after the first one; the selected value stays selected.
 * @param {HTMLSelectElement} select
 * @param {{ value: string, text: string }[]} known
 */
function fill(select, known) {
  const chosen = select.value;
  const options = known.map(({ value, text }) => element("option", { value }, text));
  select.replaceChildren(...[...select.options].slice(0, 1), ...options);
  if (chosen) offer(select, chosen);
  select.value = chosen;
}

/**
 * Adds an option for a value of the address that is not offered: any number of faces, a folder that is not
 * indexed any more.
 * @param {HTMLSelectElement} select
 * @param {string} value
 */
function offer(select, value) {
  if ([...select.options].some((option) => option.value === value)) return;
  const text = select.name === "faces" ? value.replace(/^\.\./, "up to ").replace(/\.\.$/, " or more").replace("..", " to ") : value.split("/").at(-1);
  select.append(element("option", { value }, text || value));
}
