// The signs of this page, drawn: a state is told by its shape and its word, not by a colour alone.
// @ts-check

const SHAPES = {
  held: "M6 4v8M10 4v8",
  waiting: "M8 3a5 5 0 1 0 0 10 5 5 0 0 0 0-10",
  running: "M13 8a5 5 0 1 1-5-5M8 5.5V8l2 1.5",
  failed: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  done: "M3.5 8.5l3 3 6-7",
  kept: "M4 6.5h8M4 9.5h8",
  play: "M5 3.5v9l7.5-4.5z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  sound: "M3 6.5v3h2l3 2.5v-8L5 6.5zM10.5 6a3 3 0 0 1 0 4M12 4.2a5.4 5.4 0 0 1 0 7.6",
  mute: "M3 6.5v3h2l3 2.5v-8L5 6.5zM11 6.5l3 3M14 6.5l-3 3",
};
const SVG = "http://www.w3.org/2000/svg";

/** An icon that says nothing by itself; `draw` gives it a shape. */
export function icon(name = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  svg.append(document.createElementNS(SVG, "path"));
  draw(svg, name);
  return svg;
}

/**
 * @param {SVGElement} svg
 * @param {string} name
 */
export function draw(svg, name) {
  if (svg.dataset.shape === name) return;
  svg.dataset.shape = name;
  svg.firstElementChild?.setAttribute("d", SHAPES[/** @type {keyof typeof SHAPES} */ (name)] ?? "");
}
