// Two video elements that are one player: while one is seen, the other makes the next film ready, and then they swap.
// A film that comes keeps the place, the sound and the captions of the one before it, without a black frame between.
// @ts-check

/** @typedef {import("./state.js").Film} Film */

export class Reel {
  #wanted = "";
  #turn = 0; // Which film came last; an older one that is still loading gives way wherever it waits.
  /** @type {HTMLVideoElement} */
  #seen;
  /** @type {HTMLVideoElement} */
  #next;

  /** @param {Element} frame Holds the two videos. */
  constructor(frame) {
    [this.#seen, this.#next] = frame.querySelectorAll("video");
  }

  /** Whether a film is shown, or will be. */
  get busy() {
    return this.#wanted !== "";
  }

  /** The video that is seen. */
  get video() {
    return this.#seen;
  }

  toggle() {
    if (this.#seen.paused) this.#seen.play().catch(() => {}); // A browser may want a click first.
    else this.#seen.pause();
  }

  /**
   * Show a film once its frame is there: at the place of the one before, or at `start`. One that could not be had is
   * asked for again when it is wanted again.
   * @param {Film} film
   * @param {string} language
   * @param {number | null} start
   * @returns {Promise<boolean>} Whether it is shown from now on; not when it was before, or a newer one came meanwhile.
   */
  async show(film, language, start) {
    if (this.#wanted === film.digest) return false;
    this.#wanted = film.digest;
    const turn = ++this.#turn;
    await visible(this.#seen);
    if (turn !== this.#turn) return false;
    const [seen, next] = [this.#seen, aloft(this.#seen) ? this.#seen : this.#next];
    const playing = !seen.paused && !seen.ended;
    const place = start ?? (seen.ended ? film.seconds : seen.currentTime);
    fill(next, film, language, captions(seen));
    next.currentTime = Math.min(place, Math.max(0, film.seconds - 0.1));
    next.muted = next !== seen || seen.muted;
    const loaded = await ready(next);
    if (turn !== this.#turn) return false;
    if (!loaded) return this.#giveUp(next, seen);
    if (next !== seen) return this.#swap(turn, playing, start);
    if (playing) await next.play().catch(() => {});
    return true;
  }

  /**
   * What could not be had leaves nothing behind.
   * @param {HTMLVideoElement} next
   * @param {HTMLVideoElement} seen
   */
  #giveUp(next, seen) {
    this.#wanted = "";
    if (next !== seen) empty(next);
    return false;
  }

  /** Show nothing, and hold nothing that was shown. */
  clear() {
    this.#wanted = "";
    this.#turn += 1;
    for (const video of [this.#seen, this.#next]) empty(video);
  }

  /**
   * @param {number} turn
   * @param {boolean} playing
   * @param {number | null} start
   * @returns {Promise<boolean>} Whether they swapped; not when a newer film came.
   */
  async #swap(turn, playing, start) {
    const [seen, next] = [this.#seen, this.#next];
    const paused = seen.paused; // The author may have stopped it while the next one loaded, or sought elsewhere.
    if (start === null && Math.abs(next.currentTime - seen.currentTime) > 0.2 && !seen.ended) {
      next.currentTime = Math.min(seen.currentTime, Math.max(0, next.duration - 0.1));
      await ready(next);
    }
    next.playbackRate = seen.playbackRate;
    next.volume = seen.volume;
    if (playing && !paused) await next.play().catch(() => {});
    if (turn !== this.#turn) return false;
    next.muted = seen.muted;
    const focused = document.activeElement === seen;
    next.inert = false;
    next.controls = true; // Only now: controls that loaded unseen would still show how they wait.
    next.classList.remove("next");
    seen.classList.add("next");
    seen.inert = true;
    if (focused) next.focus({ preventScroll: true });
    [this.#seen, this.#next] = [next, seen];
    empty(seen);
    return true;
  }
}

/**
 * Whether a video is somewhere that only it can be: in full screen, or in a window of its own.
 * @param {HTMLVideoElement} video
 */
const aloft = (video) => document.fullscreenElement === video || document.pictureInPictureElement === video;

/**
 * A hidden tab that plays nothing waits: fifty of them would load fifty films at each save.
 * @param {HTMLVideoElement} video
 */
async function visible(video) {
  while (document.hidden && video.paused) {
    await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
  }
}

/** @param {HTMLVideoElement} video */
const captions = (video) => (video.getAttribute("src") ? video.textTracks[0].mode : "showing");

/**
 * @param {HTMLVideoElement} video
 * @param {Film} film
 * @param {string} language
 * @param {TextTrackMode} mode
 */
function fill(video, film, language, mode) {
  video.preload = "auto";
  video.poster = film.poster;
  video.src = film.video;
  const track = /** @type {HTMLTrackElement} */ (video.querySelector("track"));
  track.srclang = language;
  track.src = film.captions;
  track.track.mode = mode;
}

/** @param {HTMLVideoElement} video */
function empty(video) {
  video.pause();
  video.controls = false;
  video.removeAttribute("src");
  video.removeAttribute("poster");
  video.querySelector("track")?.removeAttribute("src");
  video.load(); // Gives the connection back.
}

/**
 * Whether the frame at the video's place is there; false when the file cannot be had. That the video was emptied says
 * nothing: the event comes late, when the next film is loading already.
 * @param {HTMLVideoElement} video
 * @returns {Promise<boolean>}
 */
function ready(video) {
  return new Promise((resolve) => {
    const events = ["loadeddata", "seeked", "error"];
    const look = (/** @type {Event | undefined} */ event) => {
      const failed = event?.type === "error";
      if (!failed && (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.seeking)) return;
      for (const name of events) video.removeEventListener(name, look);
      resolve(!failed);
    };
    for (const name of events) video.addEventListener(name, look);
    look(undefined);
  });
}
