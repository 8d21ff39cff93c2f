// Wires the page together: what the session says goes into the state, and from there into each part that shows it.
// @ts-check
import { leave, left, remember, remembered, themes, toggle } from "./choices.js";
import { byId, parts, point, safe, write } from "./dom.js";
import { edit } from "./edit.js";
import { listen } from "./feed.js";
import { FilmView } from "./film.js";
import { draw, icon } from "./icons.js";
import { keys } from "./keys.js";
import { Problems } from "./problems.js";
import { say, sayChange } from "./say.js";
import { ScenePanel } from "./scene.js";
import { patched, share } from "./state.js";
import { Strip } from "./strip.js";
import { tab, told } from "./words.js";

/** @typedef {import("./state.js").State} State */

const token = document.querySelector("meta[name=token]")?.getAttribute("content") ?? "";
const place = { scene: "", time: 0, ...left() };
/** @type {State | null} */
let state = null;
let chosen = String(place.scene);
let drawing = false;

const follows = toggle(byId("follow"), "follow");
themes(byId("theme"));
const strip = new Strip(byId("sheet"), choose);
const film = new FilmView(byId("film"), follows, shown, moved);
const scene = new ScenePanel(byId("scene"), ask, goTo);
const problems = new Problems(byId("problems"), choose);
const head = parts(byId("told"));
const sign = head.sign.appendChild(icon("waiting"));

/** @param {import("./source.js").News} news */
function hear(news) {
  if (news.kind === "state") take(news.data);
  else if (news.kind === "patch" && state) take(patched(state, news.data));
  else if (news.kind === "up" || news.kind === "down") byId("lost").hidden = news.kind === "up";
}

/** @param {State} now */
function take(now) {
  if (state && state.session !== now.session) {
    location.reload(); // The server was started again: this page and its token are old.
    return;
  }
  sayChange(state, now);
  chosen = choice(state, now);
  state = now;
  document.title = tab(now); // At once: a tab in the background draws nothing.
  if (!drawing) requestAnimationFrame(render);
  drawing = true;
}

/**
 * The scene to show: the edited one when the author follows the edit, else the same, or what stands in its place.
 * @param {State | null} before
 * @param {State} now
 */
function choice(before, now) {
  const ids = now.scenes.map((one) => one.id);
  if (follows() && before && (before.save !== now.save || before.edited !== now.edited) && ids.includes(now.edited)) {
    return now.edited;
  }
  if (ids.includes(chosen)) return chosen;
  const was = before?.scenes.findIndex((one) => one.id === chosen) ?? -1;
  return ids[Math.min(was, ids.length - 1)] ?? (ids.includes(now.edited) ? now.edited : (ids[0] ?? chosen));
}

function render() {
  drawing = false;
  if (!state) return;
  header(state);
  problems.show(state);
  film.show(state);
  strip.show(state, chosen);
  scene.show(state, chosen);
}

/** @param {State} now */
function header(now) {
  const { tone, icon: shape, words, detail } = told(now);
  const board = byId("board");
  write(byId("title"), now.title || "mikebot");
  write(board, now.storyboard);
  point(board, safe(now.link), "href");
  write(byId("profile"), now.profile);
  byId("profile").hidden = !now.profile;
  byId("told").dataset.tone = tone;
  draw(sign, shape);
  write(head.words, words);
  write(head.detail, detail);
  head.bar.hidden = now.phase !== "rendering";
  head.bar.value = share(now);
}

/** @param {string} id */
function choose(id) {
  if (!state || !id) return;
  chosen = id;
  strip.choose(id);
  scene.show(state, id);
}

/**
 * @param {string} id
 * @param {"take" | "seed" | "hold"} field
 * @param {number | boolean} value
 */
async function ask(id, field, value) {
  const refusal = await edit(token, { scene: id, field, value, base: state?.base ?? "" });
  say(refusal ? `refused: ${refusal.message}. ${refusal.hint}` : `written: ${field} of ${id}`);
  return refusal;
}

/** @param {string} id */
function goTo(id) {
  film.seek(state?.film?.starts[id] ?? film.time);
}

function shown() {
  if (place.time) film.seek(place.time);
  place.time = 0;
  say("film updated");
  moved();
}

/** Mark the scene that the film is in. */
function moved() {
  const starts = Object.entries(state?.film?.starts ?? {});
  const past = starts.filter(([, start]) => start <= film.time + 0.01);
  strip.playing(past.reduce((last, one) => (one[1] >= last[1] ? one : last), ["", -1])[0]);
}

function help() {
  /** @type {HTMLDialogElement} */ (byId("help")).showModal();
}

/** @param {number} steps */
function go(steps) {
  choose(strip.beside(steps));
}

const shortcuts = /** @type {HTMLInputElement} */ (byId("shortcuts"));
shortcuts.checked = remembered("shortcuts", "yes") === "yes";
shortcuts.addEventListener("change", () => remember("shortcuts", shortcuts.checked ? "yes" : "no"));
byId("help-button").addEventListener("click", help);
const [next, previous] = [() => go(1), () => go(-1)];
keys(
  {
    j: next,
    ArrowRight: next,
    k: previous,
    ArrowLeft: previous,
    " ": () => (state?.film ? film : scene).toggle(),
    s: () => scene.toggle(),
    t: () => scene.take(),
    p: () => scene.pin(),
    h: () => scene.hold(),
    f: () => byId("follow").click(),
    "?": help,
  },
  () => shortcuts.checked,
);
addEventListener("pagehide", () => leave({ scene: chosen, time: film.time }));
listen(token, hear);
