// Creates and finds elements. Text is always inserted as text, never as HTML.

const SVG = "http://www.w3.org/2000/svg";

/**
 * The first element that a selector matches; throws if there is none or it is of another kind.
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
 * The first element that a selector matches, if any.
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {HTMLElement | null}
 */
export const seek = (selector, within = document) => within.querySelector(selector);

/**
 * @typedef {string | number | boolean | null | undefined} Attribute
 *   `true` sets the attribute without a value; `false`, `null` and `undefined` omit it.
 */

/**
 * Creates an element. An attribute `onEVENT` adds an event listener.
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

/**
 * Creates one of the page's icons.
 * @param {string} name
 */
export function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `#icon-${name}` }));
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
 * Formats a date. Cameras record no time zone, so the time is parsed and shown unchanged.
 * @param {string | null} local
 * @param {Intl.DateTimeFormatOptions} [style]
 */
export function date(local, style = { dateStyle: "long" }) {
  return local ? new Intl.DateTimeFormat(undefined, { ...style, timeZone: "UTC" }).format(new Date(`${local}Z`)) : "";
}

/** The message of an error. @param {unknown} error */
export const reason = (error) => (error instanceof Error ? error.message : String(error));

/** Whether a request was aborted on purpose. @param {unknown} error */
export const wasAborted = (error) => error instanceof DOMException && error.name === "AbortError";

/**
 * Creates an SVG element.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} attributes
 * @param {(Node | string)[]} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/**
 * @param {string} selector
 * @param {() => unknown} act
 */
export const onClick = (selector, act) => find(selector).addEventListener("click", () => act());

/**
 * Copies a text, or shows it if the browser does not let the page use the clipboard.
 * @param {string} text
 * @param {string} done The message to show after copying.
 */
export async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    toast(done);
  } catch {
    toast(text);
  }
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let fading;

/**
 * Shows a message for a while, optionally with a button.
 * @param {string} message
 * @param {{ name: string, act: () => void }} [offer]
 */
export function toast(message, offer) {
  const place = find("#toast");
  // Inside an open dialog, because the dialog would cover it otherwise.
  const open = [...document.querySelectorAll("dialog[open]")].at(-1);
  (open ?? document.body).append(place);
  const button = offer && element("button", { type: "button", onclick: offer.act }, offer.name);
  place.replaceChildren(message, ...(button ? [" ", button] : []));
  place.classList.toggle("offers", Boolean(offer));
  place.classList.add("shown");
  clearTimeout(fading);
  fading = setTimeout(() => place.classList.remove("shown"), offer ? 12_000 : 4000);
}
