// Making and finding elements. Text is only ever set as text.

const SVG = "http://www.w3.org/2000/svg";

export const find = (selector, within = document) => within.querySelector(selector);

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

export function icon(name) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("class", "icon");
  picture.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  picture.append(use);
  return picture;
}

const NUMBER = new Intl.NumberFormat();
export const number = (value) => NUMBER.format(value);

export const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

// Camera time has no zone: read and shown as it stands.
export function date(local, style = { dateStyle: "long" }) {
  return local ? new Intl.DateTimeFormat(undefined, { ...style, timeZone: "UTC" }).format(new Date(`${local}Z`)) : "";
}

let fading;
export function toast(message) {
  const place = find("#toast");
  // Inside of an open dialog, or it would be behind it.
  (find("dialog[open]") ?? document.body).append(place);
  place.textContent = message;
  place.classList.add("shown");
  clearTimeout(fading);
  fading = setTimeout(() => place.classList.remove("shown"), 4000);
}
