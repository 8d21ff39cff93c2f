// What the author chose on this page: remembered in the browser, where it may be.
// @ts-check

/**
 * A choice as it was left, or as it is at first.
 * @param {string} name
 * @param {string} otherwise
 */
export function remembered(name, otherwise) {
  try {
    return localStorage.getItem(`mikebot.${name}`) ?? otherwise;
  } catch {
    return otherwise; // Storage is turned off: the choice lasts as long as the page.
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
export function remember(name, value) {
  try {
    localStorage.setItem(`mikebot.${name}`, value);
  } catch {
    // Storage is full or turned off; the page works without.
  }
}

const PLACE = "mikebot.place"; // Where this tab was, for when it is loaded again.

/** @param {{scene: string, time: number}} place */
export function leave(place) {
  try {
    sessionStorage.setItem(PLACE, JSON.stringify(place));
  } catch {
    // It begins at the start, then.
  }
}

/** @returns {Partial<{scene: string, time: number}>} */
export function left() {
  try {
    return JSON.parse(sessionStorage.getItem(PLACE) ?? "{}");
  } catch {
    return {};
  }
}

/**
 * A button that is pressed or not, and stays so.
 * @param {HTMLElement} button
 * @param {string} name
 */
export function toggle(button, name) {
  const show = (/** @type {boolean} */ on) => button.setAttribute("aria-pressed", String(on));
  const isOn = () => button.getAttribute("aria-pressed") === "true";
  show(remembered(name, "no") === "yes");
  button.addEventListener("click", () => {
    show(!isOn());
    remember(name, isOn() ? "yes" : "no");
  });
  return isOn;
}

const THEMES = ["system", "light", "dark"];
const SIGNS = { system: "◐", light: "○", dark: "●" };

/**
 * The button that goes through the schemes.
 * @param {HTMLElement} button
 */
export function themes(button) {
  const page = document.documentElement;
  const show = () => {
    const theme = /** @type {keyof typeof SIGNS} */ (page.dataset.theme ?? "system");
    button.textContent = SIGNS[theme] ?? SIGNS.system;
    button.setAttribute("aria-label", `Scheme: ${theme}`);
  };
  show();
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(page.dataset.theme ?? "system") + 1) % THEMES.length];
    page.dataset.theme = next;
    remember("theme", next);
    show();
  });
}
