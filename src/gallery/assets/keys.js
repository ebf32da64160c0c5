// Keyboard shortcuts of the whole page.

import { find, onClick } from "./dom.js";

/**
 * @typedef {object} Page
 * @property {import("./filters.js").Filters} filters
 * @property {import("./grid.js").Grid} grid
 * @property {import("./photo.js").PhotoView} view
 * @property {import("./places.js").Places} places
 * @property {import("./selection.js").Selection} selection
 * @property {() => void} startSlideshow
 *
 * @typedef {Record<string, () => unknown>} Keys The action of each key.
 */

/**
 * Whether a key press in this element enters text.
 * @param {EventTarget | null} target
 */
const isTyping = (target) => target instanceof HTMLElement && target.matches("input:not([type=range]), select, textarea");

/**
 * Whether a control itself uses a key.
 * @param {EventTarget | null} target
 * @param {string} key
 */
const isTaken = (target, key) =>
  target instanceof HTMLElement &&
  (target.matches("input[type=range]") ? /^(Arrow|Home|End)/.test(key) : key === " " && target.matches("button, a"));

/** @param {Page} page */
export function listen({ filters, grid, view, places, selection, startSlideshow }) {
  const help = find("#help", HTMLDialogElement);
  const showHelp = () => (help.open ? help.close() : help.showModal());
  onClick("#show-help", showHelp);
  onClick("#close-help", () => help.close());

  /** @type {(zoom: import("./zoom.js").Zoom) => Keys} */
  const closer = (zoom) => ({ "+": () => zoom.in(), "=": () => zoom.in(), "-": () => zoom.out() });
  /** @type {(zoom: import("./zoom.js").Zoom) => Keys} */
  const moving = (zoom) => ({
    ArrowLeft: () => zoom.pan(-1, 0),
    ArrowRight: () => zoom.pan(1, 0),
    ArrowUp: () => zoom.pan(0, -1),
    ArrowDown: () => zoom.pan(0, 1),
  });
  /** @type {Keys} */
  const inPhoto = {
    ArrowLeft: () => view.turn(-1),
    ArrowRight: () => view.turn(1),
    ArrowUp: () => view.turn(-1),
    ArrowDown: () => view.turn(1),
    b: () => view.toggleBoxes(),
    c: () => view.copyPath(),
    o: () => view.reveal(),
    s: () => view.slideshow.toggle(),
    ...closer(view.zoom),
  };
  /** @type {Keys} */
  const inPlaces = { m: () => places.close(), ...closer(places.zoom), ...moving(places.zoom) };
  /** @type {Keys} */
  const inGrid = {
    "/": () => filters.search(),
    f: () => filters.togglePanel(),
    m: () => places.open(),
    s: startSlideshow,
    x: () => grid.pick(),
    Escape: () => {
      if (selection.isOn) selection.clear();
      else if (filters.isPanelOpen) filters.togglePanel();
      grid.focus();
    },
    // Arrows lead into the grid from any element; inside the grid, the grid handles them.
    ...Object.fromEntries(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].map((key) => [key, () => grid.focus()])),
  };
  for (let digit = 0; digit <= 8; digit++) inGrid[digit] = () => filters.choose(digit);

  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    if (isTyping(event.target)) {
      // An open dialog closes by itself.
      if (event.key === "Escape" && !document.querySelector("dialog[open]")) grid.focus();
      return;
    }
    if (isTaken(event.target, event.key)) return;
    const keys = help.open
      ? {}
      : view.isOpen
        ? { ...inPhoto, ...(view.zoom.isClose ? moving(view.zoom) : {}) }
        : places.isOpen
          ? inPlaces
          : document.querySelector("dialog[open]")
            ? {}
            : inGrid;
    const act = event.key === "?" ? showHelp : keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
