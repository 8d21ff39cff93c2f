// Single keys that act, unless they are meant for something else: a field, a button, a player, or the browser.
// @ts-check

const TYPING = "input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]";
const OWN_SPACE = "button, a, summary, video, audio, input, [role=button]";
const OWN_ARROWS = "video, audio, input, select";

/**
 * @param {Record<string, () => void>} acts What each key does.
 * @param {() => boolean} wanted Whether keys act at all.
 */
export function keys(acts, wanted) {
  document.addEventListener("keydown", (event) => {
    const act = acts[event.key];
    if (!act || !wanted() || taken(event)) return;
    event.preventDefault();
    act();
  });
}

/** @param {KeyboardEvent} event */
function taken(event) {
  const { target } = event;
  if (event.defaultPrevented || event.isComposing || event.repeat) return true;
  if (event.ctrlKey || event.altKey || event.metaKey) return true;
  if (document.querySelector("dialog[open]")) return true;
  if (!(target instanceof Element)) return false;
  if (event.key === " " && target.closest(OWN_SPACE)) return true;
  if (event.key.startsWith("Arrow") && target.closest(OWN_ARROWS)) return true;
  return target.closest(TYPING) !== null;
}
