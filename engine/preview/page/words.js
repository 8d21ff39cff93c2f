// How this page says things: numbers with their nouns, times, and what the session is doing.
// @ts-check
import { errors, share, warnings } from "./state.js";

/** @typedef {import("./state.js").State} State */

/**
 * @param {number} number
 * @param {string} noun
 */
export const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

/**
 * A short time, for reading.
 * @param {number | null} seconds
 */
export function lasting(seconds) {
  if (seconds === null) return "";
  return seconds < 60 ? `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s` : clock(seconds);
}

/**
 * A place in a film.
 * @param {number} seconds
 * @returns {string}
 */
export function clock(seconds, digits = 0) {
  const rest = (seconds % 60).toFixed(digits).padStart(digits ? 3 + digits : 2, "0");
  return rest.startsWith("60") ? clock(Math.round(seconds), digits) : `${Math.floor(seconds / 60)}:${rest}`;
}

/**
 * @typedef {{tone: string, icon: string, words: string, detail: string}} Told
 * @type {Record<State["phase"], (state: State) => Told>}
 */
const PHASES = {
  checking: ({ save }) => ({ tone: "busy", icon: "waiting", words: `reading save ${save}`, detail: "" }),
  rendering: ({ save, progress }) => ({
    tone: "busy",
    icon: "running",
    words: `rendering save ${save}`,
    detail: [`${progress.done} of ${count(progress.total, "step")}`, left(progress.seconds_left)]
      .filter(Boolean)
      .join(" · "),
  }),
  done: (state) => ({
    tone: "good",
    icon: "done",
    words: "up to date",
    detail: [`save ${state.save}`, state.seconds === null ? "" : `in ${lasting(state.seconds)}`, warned(state)]
      .filter(Boolean)
      .join(" · "),
  }),
  invalid: (state) => ({
    tone: "bad",
    icon: "failed",
    words: `${count(errors(state).length, "mistake")} in save ${state.save}`,
    detail: warned(state),
  }),
  failed: (state) => ({
    tone: "bad",
    icon: "failed",
    words: `${count(state.failures.length, "step")} failed`,
    detail: `save ${state.save}`,
  }),
};

/**
 * What the session is doing, in a few words.
 * @param {State} state
 */
export const told = (state) => PHASES[state.phase](state);

/**
 * The title of the browser's tab: the news first, because tabs are narrow.
 * @param {State} state
 */
export function tab(state) {
  const signs = { busy: "◌", good: "✓", bad: "✕" };
  const { tone, words } = told(state);
  const shorter = { rendering: `${Math.floor(100 * share(state))} %`, done: "" };
  const news = shorter[/** @type {keyof typeof shorter} */ (state.phase)] ?? words;
  const sign = signs[/** @type {keyof typeof signs} */ (tone)];
  return [[sign, news].filter(Boolean).join(" "), state.title || state.storyboard || "mikebot"].join(" · ");
}

/**
 * What is to be known of the film that is shown, when there is one.
 * @param {State} state
 */
export function standing({ film, phase, save }) {
  if (!film || phase === "done" || film.save === save) return "";
  if (phase === "invalid") return `the last good film, of save ${film.save}: save ${save} has mistakes`;
  if (phase === "failed") return `the last good film, of save ${film.save}: save ${save} failed`;
  return `showing save ${film.save} while ${save} renders`;
}

/** @param {number | null} seconds */
function left(seconds) {
  if (seconds == null) return "";
  if (seconds < 1) return "nearly there";
  return `about ${seconds < 60 ? `${Math.ceil(seconds)} s` : clock(seconds)} left`;
}

/** @param {State} state */
function warned(state) {
  const found = warnings(state).length;
  return found ? count(found, "warning") : "";
}
