// Tells what happened to whoever listens rather than looks: the news of one moment in one sentence, politely.
// @ts-check
import { byId } from "./dom.js";
import { errors } from "./state.js";
import { count } from "./words.js";

const MOMENT = 250; // Milliseconds in which news gather: a quick render goes through three phases.

/** @typedef {import("./state.js").State} State */

let waiting = 0;

/**
 * Say something; what is said within the same moment replaces it.
 * @param {string} text
 */
export function say(text) {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    byId("say").textContent = text;
  }, MOMENT);
}

/**
 * Say what became of a session, if it is news.
 * @param {State | null} before
 * @param {State} now
 */
export function sayChange(before, now) {
  if (!before || (before.phase === now.phase && before.save === now.save)) return;
  const text = NEWS[now.phase]?.(now);
  if (text) say(text);
}

/** @type {Partial<Record<State["phase"], (state: State) => string>>} */
const NEWS = {
  rendering: ({ scenes }) => {
    const going = scenes.filter((scene) => scene.state === "waiting" || scene.state === "running").length;
    return going ? `saved: rendering ${count(going, "scene")}` : "saved: rendering";
  },
  invalid: (state) => `${count(errors(state).length, "mistake")}: ${errors(state)[0]?.message ?? ""}`,
  failed: ({ failures }) => `${count(failures.length, "step")} failed: ${failures[0]?.message ?? ""}`,
};
