// The colour theme: light, dark, or that of the system.

import { find, onClick } from "./dom.js";

const THEMES = ["", "light", "dark"];

export function followTheme() {
  choose(localStorage.getItem("theme") ?? "");
  onClick("#theme", () => {
    const now = THEMES.indexOf(document.documentElement.dataset.theme ?? "");
    const theme = THEMES[(now + 1) % THEMES.length] ?? "";
    localStorage.setItem("theme", theme);
    choose(theme);
  });
}

/** @param {string} theme */
function choose(theme) {
  document.documentElement.dataset.theme = theme;
  const name = `Colours: ${theme || "as the system"}`;
  find("#theme").setAttribute("aria-label", name);
  find("#theme").title = name;
}
