"use strict";
// One sound at a time: a button plays its own and pauses every other.
const sound = new Audio();
let now = null;

function show(button, playing) {
  button?.setAttribute("aria-pressed", String(playing));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-sound]");
  if (!button) return;
  if (button === now && !sound.paused) return sound.pause();
  if (button !== now) {
    show(now, false);
    now = button;
    sound.src = button.dataset.sound;
  }
  sound.play().catch(() => { button.disabled = true; button.title = "This sound is not beside the page any more."; });
});
sound.addEventListener("play", () => show(now, true));
sound.addEventListener("pause", () => show(now, false));
sound.addEventListener("timeupdate", () => {
  const line = now?.querySelector("line");
  const x = 144 * sound.currentTime / (sound.duration || 1);
  line?.setAttribute("x1", x);
  line?.setAttribute("x2", x);
});
