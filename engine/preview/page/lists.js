// What a scene's panel lists: its steps, its takes and its captions.
// @ts-check
import { el, Keyed, point, write } from "./dom.js";
import { draw, icon } from "./icons.js";
import { clock, lasting } from "./words.js";

/**
 * @typedef {import("./state.js").Step} Step
 * @typedef {import("./state.js").Take} Take
 * @typedef {import("./state.js").Cue} Cue
 */

const SAID = { hit: "kept", built: "done", cancelled: "stopped" };
const SIGNS = { hit: "kept", built: "done", cancelled: "held" };

/**
 * A row for each step: what it is, how it stands, why it runs, and how long it took.
 * @param {HTMLElement} body
 */
export const steps = (body) =>
  new Keyed(body, (name) => {
    const [sign, words, reasons] = [icon(), el("span"), el("span", { className: "quiet" })];
    const [state, time] = [el("td", {}), el("td", { className: "figure" })];
    state.append(sign, " ", words);
    const title = name.split("/").slice(1).join(" ") || name; // The scene's id goes without saying.
    const node = el("tr", {}, el("th", { scope: "row" }, title, " ", reasons), state, time);
    const show = (/** @type {Step} */ step) => {
      node.dataset.state = step.state;
      draw(sign, SIGNS[/** @type {keyof typeof SIGNS} */ (step.state)] ?? step.state);
      const said = SAID[/** @type {keyof typeof SAID} */ (step.state)] ?? step.state;
      const far = step.loading ? "loading its model" : `${said} ${Math.floor(100 * step.progress)} %`;
      write(words, step.state === "running" ? far : said);
      write(reasons, step.reasons.join("; "));
      write(time, step.state === "built" ? lasting(step.seconds) : "");
    };
    return { node, show };
  });

/**
 * A button for each take that was seen; `now` says which one is in use.
 * @param {HTMLElement} list
 * @param {(take: number) => void} choose
 */
export const takes = (list, choose) =>
  new Keyed(list, (key) => {
    const [still, words] = [el("img", { alt: "", loading: "lazy" }), el("span")];
    const button = el("button", { type: "button" }, still, words);
    button.addEventListener("click", () => choose(Number(key)));
    const show = (/** @type {Take & {now: boolean}} */ { take, still: picture, now }) => {
      point(still, picture);
      button.setAttribute("aria-pressed", String(now));
      write(words, now ? `take ${take}, in use` : `take ${take}`);
    };
    return { node: el("li", {}, button), show };
  });

/**
 * A button for each caption, which goes to its place.
 * @param {HTMLElement} list
 * @param {(seconds: number) => void} seek
 */
export const captions = (list, seek) =>
  new Keyed(list, () => {
    let start = 0;
    const [time, words] = [el("span", { className: "time" }), el("span", { dir: "auto" })];
    const button = el("button", { type: "button" }, time, " ", words);
    button.addEventListener("click", () => seek(start));
    const show = (/** @type {Cue} */ cue) => {
      start = cue[0];
      write(time, clock(start, 1));
      write(words, cue[2].replaceAll("\n", " "));
    };
    return { node: el("li", {}, button), show };
  });
