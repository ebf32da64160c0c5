// Creates the parts of the page and connects them.

import { goBack, photoInAddress, settled, withPhoto } from "./address.js";
import * as api from "./api.js";
import { find, onClick, reason, toast, wasAborted } from "./dom.js";
import { Filters } from "./filters.js";
import { Grid } from "./grid.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import { PhotoView } from "./photo.js";
import { Places } from "./places.js";
import { Selection } from "./selection.js";
import { showRefusal, showSummary, titleOf } from "./summary.js";
import { followTheme } from "./theme.js";
import { SelectionActions } from "./selection_actions.js";

/** @param {unknown} error */
const failed = (error) => {
  if (wasAborted(error)) return;
  if (error instanceof api.Refusal) refuse(error);
  else toast(reason(error));
};
const selection = new Selection();
const filters = new Filters({ changed: search, done: () => searching.then(focusGrid) });
const grid = new Grid({ open, failed, selection });
const view = new PhotoView(grid, { changed: refresh, closed, follow, shown: showTitle });
const places = new Places({ asked, chosen: (where) => filters.set(where) });
new SelectionActions(selection, filters, { changed: refresh });

// Moves the focus to the photos, unless a person has meanwhile begun another search.
function focusGrid() {
  if (document.activeElement?.id !== "text") grid.focus();
}

// The seed by which photos are shuffled if the order is random. All requests of a search have the same number, so that
// no photo is on two of its pages and a refresh leaves each in its place. An address of a shuffled answer gets it.
let seed = "";

function asked() {
  const all = filters.get();
  if (!all.has("seed")) all.set("seed", seed);
  return all;
}

/** @type {AbortController | undefined} */
let counting;
/** The counts of the last answer. @type {api.Counts | undefined} */
let counted;

// Shows how many photos the filters find. Waits until the grid has its first photos, and then passes it the number.
/** @param {Promise<unknown>} shown */
async function count(shown) {
  counting?.abort();
  counting = new AbortController();
  try {
    const counts = await api.counts(asked(), counting.signal);
    counted = counts;
    if (counts.order === "random") {
      filters.keepSeed(seed);
      searched = withPhoto(null).search;
    }
    filters.showCounts(counts);
    const found = showSummary(counts, filters.get());
    showTitle();
    await shown;
    if (counted === counts) grid.expect(found);
  } catch (error) {
    failed(error);
  }
}

// Shows, in place of the photos, why the filters have no answer, so that nobody mistakes the previous photos for it.
/** @param {api.Refusal} refusal */
function refuse(refusal) {
  counted = undefined;
  grid.clear(asked());
  filters.forgetCounts();
  showRefusal(refusal.message);
  showTitle();
}

function showTitle() {
  document.title = titleOf(view.name, counted);
}

/** @type {Promise<unknown>} */
let searching = Promise.resolve();
/** @type {string | undefined} */
let searched;

function search() {
  const address = withPhoto(null).search;
  if (address !== searched) seed = String(1 + Math.floor(Math.random() * 2 ** 32));
  searched = address;
  find("#changed").hidden = true;
  const shown = grid.show(asked());
  searching = Promise.all([shown, count(shown)]);
  return searching;
}

async function refresh() {
  const refreshed = grid.refresh();
  await count(refreshed);
  find("#changed").hidden = await refreshed;
}

/** @param {number} id */
async function open(id) {
  await settled();
  history.pushState({ opened: true }, "", withPhoto(id));
  await view.show(id);
}

/** @param {api.Filters} some */
async function follow(some) {
  view.close();
  await filters.set(some);
}

/** @param {Promise<number>} index That of the photo in the grid; -1 for none. */
async function closed(index) {
  // Goes back to the page that opened the photo; a photo that was opened by its address has none.
  if (photoInAddress()) {
    if (history.state?.opened) goBack();
    else history.replaceState({}, "", withPhoto(null));
  }
  showTitle();
  const at = await index;
  if (!view.isOpen && document.activeElement?.id !== "text") grid.focusAt(at);
}

async function startSlideshow() {
  const photo = grid.current;
  if (!photo) return;
  await open(photo.id);
  view.slideshow.toggle();
}

function followAddress() {
  const id = photoInAddress();
  if (id) view.show(id);
  else view.close();
}

addEventListener("popstate", async () => {
  filters.show();
  if (withPhoto(null).search !== searched) await search();
  followAddress();
});

followTheme();
onClick("#changed", async () => {
  await search();
  grid.focus();
});
keys.listen({ filters, grid, view, places, selection, startSlideshow });
live.follow(async () => {
  await refresh();
  await view.refresh();
});

await search();
if (photoInAddress()) followAddress();
else grid.focus();
