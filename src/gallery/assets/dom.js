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

/**
 * One of the page's icons.
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

/**
 * Makes an element of a drawing.
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
 * Copies a text, or shows it where the browser does not let the page copy.
 * @param {string} text
 * @param {string} done What to say then.
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
 * Says something for a while, perhaps with a button.
 * @param {string} message
 * @param {{ name: string, act: () => void }} [offer]
 */
export function toast(message, offer) {
  const place = find("#toast");
  // Inside of an open dialog, or it would be behind it.
  const open = [...document.querySelectorAll("dialog[open]")].at(-1);
  (open ?? document.body).append(place);
  const button = offer && element("button", { type: "button", onclick: offer.act }, offer.name);
  place.replaceChildren(message, ...(button ? [" ", button] : []));
  place.classList.toggle("offers", Boolean(offer));
  place.classList.add("shown");
  clearTimeout(fading);
  fading = setTimeout(() => place.classList.remove("shown"), offer ? 12_000 : 4000);
}
