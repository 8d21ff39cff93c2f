// A line of a file with a caret under the character that is meant. The caret is drawn under the character itself, not
// after so many blanks: tabs, wide characters and marks above letters have the widths that the browser gives them.
// @ts-check
import { el } from "./dom.js";

const AROUND = 60; // Characters of a long line that are shown on each side.

/**
 * @param {import("./state.js").Mistake} mistake Its columns count characters (code points), from 1.
 */
export function marked({ source, line, column, end_line, end_column }) {
  const letters = [...source];
  const start = Math.min(Math.max(0, column - 1), letters.length);
  const end = end_line > line ? letters.length : Math.min(Math.max(end_column - 1, start), letters.length);
  const [first, rest] = headed(letters.slice(start).join(""), end - start);
  const [before, after] = [letters.slice(0, start), letters.slice(start + [...first, ...rest].length)];
  return el(
    "pre",
    { className: "source", dir: "ltr" },
    shortened(before, -AROUND),
    el("span", { className: "caret" }, first),
    el("span", { className: "meant" }, shortened([...rest], AROUND)),
    shortened(after, AROUND),
  );
}

/**
 * The first character as it is seen, with the marks that belong to it, and what else is meant.
 * @param {string} text
 * @param {number} length In code points.
 */
function headed(text, length) {
  const [first] = new Intl.Segmenter().segment(text);
  const head = first?.segment ?? "";
  const letters = [...text].slice([...head].length, Math.max(length, [...head].length));
  return [head, letters.join("")];
}

/**
 * The end (below 0) or the beginning of a long text.
 * @param {string[]} letters
 * @param {number} most
 */
function shortened(letters, most) {
  if (letters.length <= Math.abs(most)) return letters.join("");
  return most < 0 ? `…${letters.slice(most).join("")}` : `${letters.slice(0, most).join("")}…`;
}
