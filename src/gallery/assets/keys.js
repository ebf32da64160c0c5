// Keys that work everywhere on the page.

import { find } from "./dom.js";

const isTyping = (target) => target.matches("input:not([type=range]), select, textarea");

export function listen({ filters, view }) {
  const help = find("#help");
  const showHelp = () => (help.open ? help.close() : help.showModal());
  find("#show-help").addEventListener("click", showHelp);

  const inPhoto = {
    ArrowLeft: () => view.turn(-1),
    ArrowRight: () => view.turn(1),
    b: () => view.toggleBoxes(),
    c: () => view.copyPath(),
    o: () => view.reveal(),
  };
  const inGrid = {
    "/": () => filters.search(),
    f: () => filters.togglePanel(),
  };
  addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const digit = /^[0-8]$/.test(event.key) && !view.isOpen && (() => filters.choose(Number(event.key)));
    const act = event.key === "?" ? showHelp : help.open ? null : (view.isOpen ? inPhoto : inGrid)[event.key] || digit;
    if (!act) return;
    event.preventDefault();
    act();
  });
}
