// The few things that this page does to a document. Text goes in as text only: nothing here parses HTML.
// @ts-check

/**
 * A new element; properties that it has not are set as attributes.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [properties]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) Object.assign(node, { [name]: value });
    else node.setAttribute(name, String(value));
  }
  node.append(...children);
  return node;
}

/**
 * The element with this id.
 * @param {string} id
 */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`the page has no #${id}`);
  return node;
}

/**
 * What a part of the page consists of, by the names in `data-part`.
 * @param {Element} root
 * @returns {Record<string, any>}
 */
export function parts(root) {
  /** @type {Record<string, Element>} */
  const found = {};
  for (const node of root.querySelectorAll("[data-part]")) found[node.getAttribute("data-part") ?? ""] = node;
  return found;
}

/**
 * Write a text where it is not written yet: a selection or a screen reader notices every writing.
 * @param {Node} node
 * @param {string} text
 */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Point an element at a file, or at none; at the same one it is left alone.
 * @param {Element} node
 * @param {string} file
 */
export function point(node, file, attribute = "src") {
  if ((node.getAttribute(attribute) ?? "") === file) return false;
  if (file) node.setAttribute(attribute, file);
  else node.removeAttribute(attribute);
  return true;
}

/**
 * Where a link may lead: to an editor or a page, never to a script.
 * @param {string} link
 */
export function safe(link) {
  const scheme = /^\s*([a-z][a-z0-9+.-]*):/i.exec(link)?.[1].toLowerCase() ?? "";
  return scheme && !["javascript", "data", "vbscript", "blob"].includes(scheme) ? link : "";
}

/**
 * What shows one item of a list.
 * @template Item
 * @typedef {{node: HTMLElement, show: (item: Item) => void}} Shown
 */

/**
 * A list whose items are known by a key: what did not change is not touched, and keeps focus and place.
 * @template Item
 */
export class Keyed {
  /** @type {Map<string, Shown<Item> & {item?: Item}>} */
  #shown = new Map();
  #parent;
  #make;

  /**
   * @param {HTMLElement} parent
   * @param {(key: string) => Shown<Item>} make
   */
  constructor(parent, make) {
    this.#parent = parent;
    this.#make = make;
  }

  /**
   * The node of a key.
   * @param {string} key
   */
  node(key) {
    return this.#shown.get(key)?.node;
  }

  /**
   * @param {[string, Item][]} items
   */
  show(items) {
    const held = document.activeElement;
    const wanted = new Set(items.map(([key]) => key));
    for (const [key, { node }] of this.#shown) {
      if (wanted.has(key)) continue;
      node.remove();
      this.#shown.delete(key);
    }
    let next = this.#parent.firstElementChild;
    for (const [key, item] of items) next = this.#place(key, item, next);
    // Moving a node takes the focus from it.
    if (held instanceof HTMLElement && held.isConnected) held.focus({ preventScroll: true });
  }

  /**
   * @param {string} key
   * @param {Item} item
   * @param {Element | null} next
   */
  #place(key, item, next) {
    let shown = this.#shown.get(key);
    if (!shown) this.#shown.set(key, (shown = this.#make(key)));
    if (shown.item !== item) shown.show(item);
    shown.item = item;
    if (shown.node === next) return next.nextElementSibling;
    this.#parent.insertBefore(shown.node, next);
    return next;
  }
}
