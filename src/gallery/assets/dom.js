// Making and finding elements. Text is only ever set as text.

const SVG = "http://www.w3.org/2000/svg";

/**
 * The first element that a selector finds; an error where there is none, or one of another kind.
 * @template {Element} [T=HTMLElement]
 * @param {string} selector
 * @param {new () => T} [kind]
 * @param {ParentNode} [within]
 * @returns {T}
 */
export function find(selector, kind, within = document) {
  const found = seek(selector, within);
  const wanted = /** @type {new () => T} */ (kind ?? HTMLElement);
  if (found instanceof wanted) return found;
  throw new Error(`The page has no ${wanted.name} ${selector}.`);
}

/**
 * The first element that a selector finds, if any.
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {HTMLElement | null}
 */
export const seek = (selector, within = document) => within.querySelector(selector);

/**
 * @typedef {string | number | boolean | null | undefined} Attribute
 *   `true` sets it without a value; `false`, `null` and `undefined` leave it out.
 */

/**
 * Makes an element. An attribute `onEVENT` is a listener.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, Attribute | ((event: any) => void)>} [attributes]
 * @param {(Node | string | null | undefined)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.replace(/^on/, ""), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

/** @param {string} name */
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

/** @param {number} value */
export const number = (value) => NUMBER.format(value);

/**
 * @param {number} count
 * @param {string} noun
 */
export const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

/**
 * Camera time has no zone: read and shown as it stands.
 * @param {string | null} local
 * @param {Intl.DateTimeFormatOptions} [style]
 */
export function date(local, style = { dateStyle: "long" }) {
  return local ? new Intl.DateTimeFormat(undefined, { ...style, timeZone: "UTC" }).format(new Date(`${local}Z`)) : "";
}

/** What an error says. @param {unknown} error */
export const reason = (error) => (error instanceof Error ? error.message : String(error));

/** Whether a request was given up on purpose. @param {unknown} error */
export const wasAborted = (error) => error instanceof DOMException && error.name === "AbortError";

/** @type {ReturnType<typeof setTimeout> | undefined} */
let fading;

/** @param {string} message */
export function toast(message) {
  const place = find("#toast");
  // Inside of an open dialog, or it would be behind it.
  const open = [...document.querySelectorAll("dialog[open]")].at(-1);
  (open ?? document.body).append(place);
  place.textContent = message;
  place.classList.add("shown");
  clearTimeout(fading);
  fading = setTimeout(() => place.classList.remove("shown"), 4000);
}
