// The filters that no control shows, in words. Each can be removed.

import { element, find, icon } from "./dom.js";

/** @typedef {{ name: string, values: string[] }} Filter */

// The flags of filters that have another name in the address.
/** @type {Record<string, string>} */
const FLAGS = { min: "min-score", words: "text" };

export class InWords {
  #list = find("#in-words");
  #remove;
  /** @type {Filter[]} */
  #filters = [];
  // The server's description of each filter; empty if the previous filter's description includes it.
  /** @type {Map<string, string>} */
  #words = new Map();

  /** @param {(names: string[]) => void} remove Called to remove filters. */
  constructor(remove) {
    this.#remove = remove;
  }

  /** @param {Filter[]} filters */
  show(filters) {
    this.#filters = filters;
    this.#draw();
  }

  /**
   * Sets the words in which the server describes the filters in force.
   * @param {[string, string][]} parts
   */
  describe(parts) {
    const words = new Map(parts);
    for (const filter of this.#filters) this.#words.set(key(filter), words.get(FLAGS[filter.name] ?? filter.name) ?? "");
    this.#draw();
  }

  #draw() {
    /** @type {{ names: string[], text: string }[]} */
    const described = [];
    for (const filter of this.#filters) {
      const words = this.#words.get(key(filter));
      const last = described.at(-1);
      if (words === "" && last) last.names.push(filter.name);
      else described.push({ names: [filter.name], text: words || `${filter.name} ${filter.values.join(", ")}` });
    }
    const items = described.map(({ names, text }) => {
      const remove = () => this.#remove(names);
      const button = element("button", { type: "button", class: "chip", title: "Remove this filter", onclick: remove }, element("span", {}, text), icon("close"));
      return element("li", {}, button);
    });
    this.#list.replaceChildren(...items);
    this.#list.hidden = items.length === 0;
  }
}

/** @param {Filter} filter */
const key = ({ name, values }) => [name, ...values].join("\n");
