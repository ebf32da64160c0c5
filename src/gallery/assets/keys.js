// Keys that work everywhere on the page.

import { find } from "./dom.js";

/** @param {EventTarget | null} target */
const isTyping = (target) => target instanceof HTMLElement && target.matches("input:not([type=range]), select, textarea");

/**
 * @param {{ filters: import("./filters.js").Filters, view: import("./photo.js").PhotoView }} page
 */
export function listen({ filters, view }) {
  const help = find("#help", HTMLDialogElement);
  const showHelp = () => (help.open ? help.close() : help.showModal());
  find("#show-help").addEventListener("click", showHelp);

  /** @type {Record<string, () => void>} */
  const inPhoto = {
    ArrowLeft: () => view.turn(-1),
    ArrowRight: () => view.turn(1),
    b: () => view.toggleBoxes(),
    c: () => view.copyPath(),
    o: () => view.reveal(),
  };
  /** @type {Record<string, () => void>} */
  const inGrid = {
    "/": () => filters.search(),
    f: () => filters.togglePanel(),
  };
  addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape") /** @type {HTMLElement} */ (event.target).blur();
      return;
    }
    const digit = () => filters.choose(Number(event.key));
    const known = view.isOpen ? inPhoto[event.key] : (inGrid[event.key] ?? (/^[0-8]$/.test(event.key) ? digit : null));
    const act = event.key === "?" ? showHelp : help.open ? null : known;
    if (!act) return;
    event.preventDefault();
    act();
  });
}
