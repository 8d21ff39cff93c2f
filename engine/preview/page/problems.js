// What is wrong: each mistake at its place in the file, and each step that failed with its scene.
// @ts-check
import { el, Keyed, parts, safe, write } from "./dom.js";
import { errors, warnings } from "./state.js";
import { marked } from "./source_line.js";
import { count } from "./words.js";

/**
 * @typedef {import("./state.js").Failure} Failure
 * @typedef {import("./state.js").Mistake} Mistake
 * @typedef {import("./state.js").State} State
 */

export class Problems {
  #root;
  #parts;
  #errors;
  #warned;
  #failures;

  /**
   * @param {HTMLElement} root
   * @param {(scene: string) => void} choose
   */
  constructor(root, choose) {
    this.#root = root;
    this.#parts = parts(root);
    this.#errors = new Keyed(this.#parts.errors, mistake);
    this.#warned = new Keyed(this.#parts.warned, mistake);
    this.#failures = new Keyed(this.#parts.failures, () => failure(choose));
  }

  /** @param {State} state */
  show(state) {
    const [wrong, warned, failed] = [errors(state), warnings(state), state.failures];
    this.#root.hidden = wrong.length + warned.length + failed.length === 0;
    this.#root.classList.toggle("mild", wrong.length + failed.length === 0);
    this.#errors.show(keyed(wrong));
    this.#warned.show(keyed(warned));
    this.#failures.show(failed.map((found) => [found.step, found]));
    this.#parts.warnings.hidden = warned.length === 0;
    write(this.#parts.count, count(warned.length, "warning"));
    write(this.#parts.title, title(wrong.length, failed.length));
    const film = wrong.length + failed.length ? state.film : null;
    write(this.#parts.stays, film ? `The film of save ${film.save} stays until this is mended.` : "");
  }
}

/**
 * @param {number} wrong
 * @param {number} failed
 */
function title(wrong, failed) {
  const said = [wrong ? count(wrong, "mistake") : "", failed ? `${count(failed, "step")} failed` : ""];
  return said.filter(Boolean).join(", ") || "Good to know";
}

/**
 * Mistakes by what they say, so that one that stays is not touched when another goes.
 * @param {Mistake[]} mistakes
 * @returns {[string, Mistake][]}
 */
function keyed(mistakes) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  return mistakes.map((found) => {
    const said = JSON.stringify(found);
    seen.set(said, (seen.get(said) ?? 0) + 1);
    return [`${said}${seen.get(said)}`, found];
  });
}

/** @returns {import("./dom.js").Shown<Mistake>} */
function mistake() {
  const node = el("li");
  const show = (/** @type {Mistake} */ found) => {
    const place = `${found.file}:${found.line}:${found.column}`;
    const link = safe(found.link);
    node.replaceChildren(
      el("p", { className: "place" }, link ? el("a", { href: link, title: "Open it in the editor" }, place) : place),
      el("p", { className: "message" }, found.message),
      ...(found.source ? [marked(found)] : []),
      ...(found.hint ? [el("p", { className: "hint" }, found.hint)] : []),
    );
  };
  return { node, show };
}

/**
 * @param {(scene: string) => void} choose
 * @returns {import("./dom.js").Shown<Failure>}
 */
function failure(choose) {
  const node = el("li");
  const show = (/** @type {Failure} */ found) => {
    const scene = el("button", { type: "button", className: "link" }, found.step);
    scene.addEventListener("click", () => choose(found.scene));
    node.replaceChildren(
      el("p", { className: "place" }, found.scene ? scene : found.step),
      el("p", { className: "message" }, found.message),
      ...(found.hint ? [el("p", { className: "hint" }, found.hint)] : []),
    );
  };
  return { node, show };
}
