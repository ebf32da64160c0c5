// Puts the page together.

import { goBack, settled, withPhoto } from "./address.js";
import * as api from "./api.js";
import { find, plural, toast } from "./dom.js";
import { Filters } from "./filters.js";
import { Grid } from "./grid.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import { PhotoView } from "./photo.js";

const THEMES = ["", "light", "dark"];

const failed = (error) => error.name !== "AbortError" && toast(error.message);
const filters = new Filters(() => search());
const grid = new Grid({ open, failed });
const view = new PhotoView(grid, { changed: refresh, closed });

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

// The sentence over the photos, or in their place.
function tell({ found, emotion, understood, why_empty: whyEmpty, indexed }) {
  const restricted = Object.keys(filters.get()).length > 0;
  const order = emotion ? `, most ${emotion} first` : "";
  const said = filters.get().text ? sayUnderstood(understood) : "";
  find("#status").textContent = found || said ? plural(found, "photo") + order + said : "";
  const empty = find("#empty");
  empty.hidden = found > 0;
  if (found > 0) return;
  const [title, text] = indexed
    ? ["No photo matches", restricted ? sayWhy(whyEmpty) : "No face was found in any photo."]
    : ["Nothing is indexed yet", "Run: fer-index index ~/Pictures. The photos appear here as they are done."];
  find("h2", empty).textContent = title;
  find("p", empty).textContent = text;
}

// What was made of the typed words, and what was not.
function sayUnderstood({ filters: parts, left_out: leftOut, suggestions }) {
  const said = parts.length ? `: ${parts.join("; ")}` : "";
  const lost = leftOut.length ? `. Left out: ${leftOut.join(", ")}` : "";
  const meant = suggestions.map(([word, other]) => `. “${word}”: did you mean ${other}?`).join("");
  return said + lost + meant;
}

// Why there is nothing to see, as a sentence.
function sayWhy(reasons) {
  const advice = "Take a filter away, or lower how sure it must be.";
  if (!reasons.length) return advice;
  const why = reasons.join("; ");
  return `${why[0].toUpperCase()}${why.slice(1)}.`;
}

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

async function open(id) {
  await settled();
  history.pushState({ opened: true }, "", withPhoto(id));
  view.show(id);
}

function closed(id) {
  // Back to where the photo was opened from; where it was opened by its address, there is no back.
  if (new URL(location).searchParams.has("photo")) {
    if (history.state?.opened) goBack();
    else history.replaceState({}, "", withPhoto(null));
  }
  grid.focus(id);
}

function followAddress() {
  const id = Number(new URL(location).searchParams.get("photo"));
  if (id) view.show(id);
  else view.close();
}

addEventListener("popstate", () => {
  filters.show();
  if (withPhoto(null).search !== searched) search();
  followAddress();
});

function chooseTheme(theme) {
  document.documentElement.dataset.theme = theme;
  find("#theme").setAttribute("aria-label", `Colours: ${theme || "as the system"}`);
  find("#theme").title = `Colours: ${theme || "as the system"}`;
}

chooseTheme(localStorage.getItem("theme") ?? "");
find("#theme").addEventListener("click", () => {
  const theme = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
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
