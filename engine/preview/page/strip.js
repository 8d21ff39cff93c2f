// The scenes as a contact sheet: one button each, one of them reached by Tab, the others by the arrows.
// @ts-check
import { el, Keyed, parts, point, write } from "./dom.js";
import { draw, icon } from "./icons.js";
import { lasting } from "./words.js";

/**
 * @typedef {import("./state.js").Scene} Scene
 * @typedef {import("./state.js").State} State
 */

export class Strip {
  /** @type {string[]} */
  #ids = [];
  #chosen = "";
  #playing = "";
  #parts;
  #list;
  #choose;

  /**
   * @param {HTMLElement} root
   * @param {(id: string) => void} choose
   */
  constructor(root, choose) {
    this.#parts = parts(root);
    this.#choose = choose;
    this.#list = new Keyed(this.#parts.list, (id) => frame(id, choose));
    this.#parts.list.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event));
  }

  /**
   * @param {State} state
   * @param {string} chosen
   */
  show(state, chosen) {
    const held = this.#parts.list.contains(document.activeElement);
    this.#ids = state.scenes.map((scene) => scene.id);
    this.#list.show(state.scenes.map((scene) => [scene.id, scene]));
    this.#ids.forEach((id, at) => write(this.#part(id, ".number"), String(at + 1)));
    this.#parts.none.hidden = this.#ids.length > 0;
    this.#parts.list.hidden = this.#ids.length === 0;
    write(this.#parts.sum, sum(state.scenes));
    this.choose(chosen);
    if (held && !this.#parts.list.contains(document.activeElement)) this.#button(chosen)?.focus();
  }

  /** @param {string} id */
  choose(id) {
    if (id !== this.#chosen) this.#mark(this.#chosen, false);
    const fresh = id !== this.#chosen;
    this.#chosen = id;
    this.#mark(id, true);
    const node = this.#list.node(id);
    if (fresh && node) reveal(this.#parts.list, node);
  }

  /**
   * Mark the scene that the film is in.
   * @param {string} id
   */
  playing(id) {
    if (id === this.#playing) return;
    this.#list.node(this.#playing)?.classList.remove("playing");
    this.#list.node(id)?.classList.add("playing");
    this.#playing = id;
  }

  /**
   * The scene so many further on, or the last or first one.
   * @param {number} steps
   */
  beside(steps) {
    const at = this.#ids.indexOf(this.#chosen) + steps;
    return this.#ids[Math.max(0, Math.min(at, this.#ids.length - 1))] ?? "";
  }

  /**
   * @param {string} id
   * @param {boolean} chosen
   */
  #mark(id, chosen) {
    const button = this.#button(id);
    if (!button) return;
    button.tabIndex = chosen ? 0 : -1;
    if (chosen) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }

  /** @param {string} id */
  #button(id) {
    return this.#list.node(id)?.querySelector("button");
  }

  /**
   * @param {string} id
   * @param {string} selector
   */
  #part(id, selector) {
    return /** @type {Element} */ (this.#list.node(id)?.querySelector(selector));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const all = this.#ids.length;
    const row = this.#columns();
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: row, ArrowUp: -row, Home: -all, End: all }[event.key];
    if (!steps) return;
    event.preventDefault();
    const id = this.beside(steps);
    this.#choose(id);
    this.#button(id)?.focus();
  }

  #columns() {
    const items = [...this.#parts.list.children];
    const below = items.findIndex((item) => item.offsetTop > items[0].offsetTop);
    return below < 0 ? items.length : below;
  }
}

/**
 * One scene on the sheet.
 * @param {string} id
 * @param {(id: string) => void} choose
 * @returns {import("./dom.js").Shown<Scene>}
 */
function frame(id, choose) {
  const still = el("img", { alt: "", loading: "lazy", decoding: "async", hidden: true, draggable: false });
  const bar = el("progress", { max: 1, hidden: true, ariaHidden: "true" });
  const [time, words, sign] = [el("span", { className: "time" }), el("span"), icon()];
  const state = el("span", { className: "state" });
  state.append(sign, words);
  const button = el(
    "button",
    { type: "button", tabIndex: -1 },
    el("span", { className: "still" }, still, bar),
    el("span", { className: "name" }, el("span", { className: "number" }), " ", el("span", { className: "id" }, id)),
    " ",
    el("span", { className: "below" }, state, " ", time),
  );
  button.addEventListener("click", () => choose(id));
  const node = el("li", {}, button);
  node.dataset.id = id;
  const show = (/** @type {Scene} */ scene) => {
    node.dataset.state = scene.state;
    still.hidden = !scene.still;
    point(still, scene.still);
    bar.hidden = scene.state !== "running";
    bar.value = scene.progress;
    draw(sign, scene.state);
    write(words, stateOf(scene));
    write(time, lasting(scene.seconds));
  };
  return { node, show };
}

/**
 * Scroll a list as far as needed to show a node of it; the page stays where it is.
 * @param {HTMLElement} list
 * @param {HTMLElement} node
 */
function reveal(list, node) {
  const [out, box] = [list.getBoundingClientRect(), node.getBoundingClientRect()];
  const near = (/** @type {number} */ head, /** @type {number} */ end) => (head < 0 ? head : Math.max(0, end));
  list.scrollBy(near(box.left - out.left, box.right - out.right), near(box.top - out.top, box.bottom - out.bottom));
}

/**
 * A scene's state in a word or two.
 * @param {Scene} scene
 */
export function stateOf(scene) {
  const running = scene.steps.filter((step) => step.state === "running");
  if (running.length && running.every((step) => step.loading)) return "loading a model";
  return scene.state === "running" ? `running ${Math.floor(100 * scene.progress)} %` : scene.state;
}

/** @param {Scene[]} scenes */
function sum(scenes) {
  if (!scenes.length) return "";
  const names = ["running", "waiting", "failed", "held"];
  const told = names.map((name) => [scenes.filter((scene) => scene.state === name).length, name]);
  const some = told.filter(([number]) => number).map((pair) => pair.join(" "));
  return [scenes.length.toLocaleString("en"), ...some].join(" · ");
}
