// The chosen scene: its player, its texts, why it ran and how long that took, its takes, and what can be done with it.
// @ts-check
import { el, parts, safe, write } from "./dom.js";
import { Duet } from "./duet.js";
import { draw, icon } from "./icons.js";
import { captions, steps, takes } from "./lists.js";
import { place } from "./state.js";
import { stateOf } from "./strip.js";
import { clock, lasting } from "./words.js";

/**
 * @typedef {import("./state.js").Scene} Scene
 * @typedef {import("./state.js").State} State
 * @typedef {"take" | "seed" | "hold"} Field
 * @typedef {import("./edit.js").Refusal} Refusal
 * @typedef {(scene: string, field: Field, value: number | boolean) => Promise<Refusal | null>} Write
 */

export class ScenePanel {
  /** @type {Scene | null} */
  #scene = null;
  #busy = false;
  #sign = icon();
  #stateWords = el("span");
  #root;
  #parts;
  #write;
  #duet;
  #steps;
  #takes;
  #captions;

  /**
   * @param {HTMLElement} root
   * @param {Write} write
   * @param {(id: string) => void} go Shows the scene in the film.
   */
  constructor(root, write, go) {
    this.#root = root;
    this.#write = write;
    this.#parts = parts(root);
    this.#duet = new Duet(this.#parts, (seconds) => this.#moved(seconds));
    this.#steps = steps(this.#parts.steps);
    this.#takes = takes(this.#parts.takes, (take) => this.#edit("take", take));
    this.#captions = captions(this.#parts.cues, (seconds) => this.#duet.seek(seconds));
    this.#parts.state.append(this.#sign, this.#stateWords);
    this.#parts.take.addEventListener("click", () => this.take());
    this.#parts.pin.addEventListener("click", () => this.pin());
    this.#parts.hold.addEventListener("click", () => this.hold());
    this.#parts.there.addEventListener("click", () => go(this.#scene?.id ?? ""));
  }

  take() {
    if (this.#scene) this.#edit("take", this.#scene.take + 1);
  }

  pin() {
    if (this.#scene && !this.#scene.pinned) this.#edit("seed", this.#scene.seed);
  }

  hold() {
    if (this.#scene) this.#edit("hold", !this.#scene.hold);
  }

  toggle() {
    this.#duet.toggle();
  }

  /**
   * @param {State} state
   * @param {string} id
   */
  show(state, id) {
    const at = state.scenes.findIndex((scene) => scene.id === id);
    const scene = state.scenes[at];
    this.#root.hidden = !scene;
    if (!scene) return;
    if (scene.id !== this.#scene?.id) this.#fresh();
    write(this.#parts.number, String(at + 1));
    this.#film(state, scene);
    this.#place(state, scene);
    if (scene === this.#scene) return;
    this.#scene = scene;
    this.#texts(scene, state.language);
    this.#duet.show(scene);
    this.#actions(scene);
    this.#lists(scene);
  }

  /** Another scene begins at its top, without what was said about the last one. */
  #fresh() {
    this.#root.scrollTop = 0;
    this.#parts.refused.hidden = true;
  }

  /**
   * @param {State} state
   * @param {Scene} scene
   */
  #film({ film }, scene) {
    const start = film?.starts[scene.id];
    this.#parts.there.hidden = start === undefined;
    if (start !== undefined) write(this.#parts.there, `In the film at ${clock(start)}`);
  }

  /**
   * @param {Scene} scene
   * @param {string} language
   */
  #texts(scene, language) {
    const part = this.#parts;
    write(part.id, scene.id);
    draw(this.#sign, scene.state);
    part.state.dataset.state = scene.state;
    write(this.#stateWords, [stateOf(scene), lasting(scene.seconds)].filter(Boolean).join(" · "));
    reveal(part.chapter, scene.chapter);
    reveal(part.error, scene.error);
    reveal(part.narration, scene.narration, part.spoken);
    reveal(part["image-prompt"], scene.image_prompt, part.picture);
    reveal(part["video-prompt"], scene.video_prompt, part.movement);
    for (const text of [part.chapter, part.narration]) text.lang = language;
    this.#facts(scene);
  }

  /** @param {Scene} scene */
  #facts(scene) {
    const given = scene.given.map((kind) => `your own ${kind}`);
    const facts = [scene.on_screen ? "on screen" : "off screen", scene.show, ...given, `take ${scene.take}`, `seed ${scene.seed}`];
    write(this.#parts.facts, `${facts.filter(Boolean).join(" · ")} · `);
  }

  /**
   * Lines move when another scene grows: this scene did not change because of that.
   * @param {State} state
   * @param {Scene} scene
   */
  #place(state, scene) {
    const { line, link } = place(state, scene.id);
    const words = `line ${line}`;
    const address = safe(link);
    if (this.#parts.line.textContent === words && this.#parts.line.firstElementChild?.getAttribute("href") === (address || undefined)) return;
    this.#parts.line.replaceChildren(address ? el("a", { href: address }, words) : words);
  }

  /** @param {Scene} scene */
  #actions(scene) {
    const { pin, hold } = this.#parts;
    pin.setAttribute("aria-pressed", String(scene.pinned));
    pin.setAttribute("aria-disabled", String(scene.pinned));
    write(pin, scene.pinned ? `Seed ${scene.seed} is pinned` : `Pin seed ${scene.seed}`);
    hold.setAttribute("aria-pressed", String(scene.hold));
    write(hold, scene.hold ? "Release" : "Hold");
  }

  /** @param {Scene} scene */
  #lists(scene) {
    const part = this.#parts;
    part.gallery.hidden = scene.takes.length === 0;
    this.#takes.show(scene.takes.map((take) => [String(take.take), { ...take, now: take.take === scene.take }]));
    const going = scene.state === "waiting" || scene.state === "running";
    part.ran.hidden = scene.state === "held" || (going && !scene.reasons.length);
    write(part.why, going ? "Why it runs" : "Why it ran");
    const reasons = scene.reasons.map((reason) => el("li", {}, reason));
    part.reasons.replaceChildren(...(reasons.length ? reasons : [el("li", { className: "none" }, NOTHING)]));
    part.captions.hidden = scene.cues.length === 0;
    this.#captions.show(scene.cues.map((cue, at) => [String(at), cue]));
    part.work.hidden = scene.steps.length === 0;
    this.#steps.show(scene.steps.map((step) => [step.step, step]));
  }

  /** @param {number} seconds */
  #moved(seconds) {
    this.#scene?.cues.forEach(([start, end], at) => {
      this.#captions?.node(String(at))?.classList.toggle("now", start <= seconds && seconds < end);
    });
  }

  /**
   * @param {Field} field
   * @param {number | boolean} value
   */
  async #edit(field, value) {
    if (!this.#scene || this.#busy) return;
    const { id } = this.#scene;
    this.#busy = true;
    this.#parts.refused.hidden = true;
    const refusal = await this.#write(id, field, value);
    this.#busy = false;
    if (!refusal || this.#scene.id !== id) return;
    write(this.#parts.message, refusal.message);
    write(this.#parts.hint, refusal.hint);
    this.#parts.refused.hidden = false;
  }
}

const NOTHING = "Nothing of it had to be made for this save.";

/**
 * Show a text, or hide its place when there is none.
 * @param {HTMLElement} node
 * @param {string} text
 */
function reveal(node, text, place = node) {
  write(node, text);
  place.hidden = !text;
}
