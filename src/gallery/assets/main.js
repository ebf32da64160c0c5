// Puts the page together.

import { goBack, photoInAddress, settled, withPhoto } from "./address.js";
import * as api from "./api.js";
import { find, plural, reason, toast, wasAborted } from "./dom.js";
import { Filters } from "./filters.js";
import { Grid } from "./grid.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import { PhotoView } from "./photo.js";

const THEMES = ["", "light", "dark"];

/** @param {unknown} error */
const failed = (error) => {
  if (!wasAborted(error)) toast(reason(error));
};
const filters = new Filters(() => search());
const grid = new Grid({ open, failed });
const view = new PhotoView(grid, { changed: refresh, closed });

/** @type {AbortController | undefined} */
let counting;
async function count() {
  counting?.abort();
  counting = new AbortController();
  try {
    const counts = await api.counts(filters.get(), counting.signal);
    filters.showCounts(counts);
    tell(counts);
  } catch (error) {
    failed(error);
  }
}

/**
 * The sentence over the photos, or in their place.
 * @param {api.Counts} counts
 */
function tell({ all, emotions, emotion, read_as: readAs, indexed }) {
  const found = emotion ? (emotions[emotion] ?? 0) : all;
  const restricted = Object.keys(filters.get()).length > 0;
  const order = emotion ? `, most ${emotion} first` : "";
  const understood = readAs.length ? ` (read as ${sayFlags(readAs)})` : "";
  find("#status").textContent = found || understood ? plural(found, "photo") + order + understood : "";
  const empty = find("#empty");
  empty.hidden = found > 0;
  if (found > 0) return;
  /** @type {[string, string]} */
  const [title, text] = indexed
    ? ["No photo matches", restricted ? "Take a filter away, or lower how sure it must be." : "No face was found in any photo."]
    : ["Nothing is indexed yet", "Run: fer-index index ~/Pictures. The photos appear here as they are done."];
  find("h2", HTMLElement, empty).textContent = title;
  find("p", HTMLElement, empty).textContent = text;
}

/**
 * `--near italy --who all` as "near italy, who all".
 * @param {string[]} flags
 */
const sayFlags = (flags) => flags.join(" ").split(/(?:^| )--/).filter(Boolean).join(", ");

/** @type {string | undefined} */
let searched;
async function search() {
  searched = withPhoto(null).search;
  find("#changed").hidden = true;
  await Promise.all([grid.show(filters.get()), count()]);
}

async function refresh() {
  const [done] = await Promise.all([grid.refresh(), count()]);
  find("#changed").hidden = done;
}

/** @param {number} id */
async function open(id) {
  await settled();
  history.pushState({ opened: true }, "", withPhoto(id));
  view.show(id);
}

/** @param {number | undefined} id */
function closed(id) {
  // Back to where the photo was opened from; where it was opened by its address, there is no back.
  if (photoInAddress()) {
    if (history.state?.opened) goBack();
    else history.replaceState({}, "", withPhoto(null));
  }
  grid.focus(id);
}

function followAddress() {
  const id = photoInAddress();
  if (id) view.show(id);
  else view.close();
}

addEventListener("popstate", () => {
  filters.show();
  if (withPhoto(null).search !== searched) search();
  followAddress();
});

/** @param {string} theme */
function chooseTheme(theme) {
  document.documentElement.dataset.theme = theme;
  find("#theme").setAttribute("aria-label", `Colours: ${theme || "as the system"}`);
  find("#theme").title = `Colours: ${theme || "as the system"}`;
}

chooseTheme(localStorage.getItem("theme") ?? "");
find("#theme").addEventListener("click", () => {
  const theme = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "") + 1) % THEMES.length] ?? "";
  localStorage.setItem("theme", theme);
  chooseTheme(theme);
});
find("#changed").addEventListener("click", search);
keys.listen({ filters, view });
live.follow(async () => {
  await refresh();
  await view.refresh();
});

await search();
followAddress();
