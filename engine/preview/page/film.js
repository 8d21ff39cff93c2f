// The film as the page shows it: the player, what is to be known of it, and what stands there before the first one.
// @ts-check
import { parts, point, write } from "./dom.js";
import { Reel } from "./reel.js";
import { share } from "./state.js";
import { clock, count, standing, told } from "./words.js";

/** @typedef {import("./state.js").State} State */

export class FilmView {
  #root;
  #parts;
  #follows;
  #reel;

  /**
   * @param {HTMLElement} root
   * @param {() => boolean} follows
   * @param {(film: import("./state.js").Film) => void} shown
   * @param {() => void} moved
   */
  constructor(root, follows, shown, moved) {
    this.#root = root;
    this.#parts = parts(root);
    this.#follows = follows;
    this.shown = shown;
    this.#reel = new Reel(this.#parts.frame);
    for (const video of root.querySelectorAll("video")) video.addEventListener("timeupdate", moved);
  }

  /** The film's place, in seconds. */
  get time() {
    return this.#reel.video.currentTime;
  }

  /** @param {number} seconds */
  seek(seconds) {
    this.#reel.video.currentTime = seconds;
  }

  toggle() {
    this.#reel.toggle();
  }

  /** @param {State} state */
  show(state) {
    const { film, format } = state;
    this.#root.style.setProperty("--ratio", `${format.width} / ${format.height}`);
    this.#root.classList.toggle("old", standing(state) !== "");
    write(this.#parts.note, standing(state) || facts(state));
    this.#parts.follow.hidden = !film;
    if (film) this.#film(state, film);
    else this.#nothing(state);
  }

  /**
   * @param {State} state
   * @param {import("./state.js").Film} film
   */
  async #film(state, film) {
    const start = this.#follows() ? film.starts[state.edited] : undefined;
    if (!(await this.#reel.show(film, state.language, start ?? null))) return;
    this.#parts.frame.hidden = false;
    this.#parts.empty.hidden = true;
    this.shown(film);
  }

  /** A film was there that may be shown no more. */
  #forget() {
    this.#reel.clear();
    this.#parts.frame.hidden = true;
    this.#parts.empty.hidden = false;
  }

  /** @param {State} state */
  #nothing(state) {
    if (this.#reel.busy || !this.#parts.frame.hidden) this.#forget();
    const { headline, line, bar, backdrop } = this.#parts;
    const [head, text] = EMPTY[state.phase](state);
    const still = state.phase === "rendering" ? newest(state) : "";
    write(headline, head);
    write(line, text);
    bar.hidden = state.phase !== "rendering";
    bar.value = share(state);
    backdrop.hidden = !still;
    if (still) point(backdrop, still);
  }
}

/** @type {Record<State["phase"], (state: State) => [string, string]>} */
const EMPTY = {
  checking: ({ storyboard }) => ["Reading the storyboard", storyboard],
  invalid: ({ storyboard }) => ["No film yet", `${storyboard} has to be mended first; it is read again at each save.`],
  rendering: (state) => ["The first film is being made", told(state).detail],
  failed: () => ["No film yet", "A step failed. What was made is kept; the next save goes on from there."],
  done: ({ scenes }) => [
    "No film yet",
    scenes.some((scene) => !scene.hold) ? "The next save makes one." : "Every scene is held. Release one to see it.",
  ],
};

/**
 * The picture that was made last, as far as the order of the scenes tells.
 * @param {State} state
 */
function newest({ scenes }) {
  const fresh = scenes.filter((scene) => scene.still && scene.state !== "kept");
  return (fresh.findLast((scene) => scene.state === "running") ?? fresh.at(-1))?.still ?? "";
}

/** @param {State} state */
function facts({ film, scenes, format, profile }) {
  if (!film) return "";
  const loudness = film.loudness === null ? "" : `${film.loudness.toFixed(1).replace("-", "−")} LUFS`;
  const held = scenes.filter((scene) => scene.hold).length;
  const parts = [clock(film.seconds), `${format.width} × ${format.height}`, `${profile} profile`, loudness];
  return [...parts, held ? `without ${count(held, "held scene")}` : ""].filter(Boolean).join(" · ");
}
