// A scene's picture and its narration, two files played as one: the sound sets the pace, because an ear hears what an
// eye forgives. Each is there as soon as it is made; until the picture moves, its still stands in its place.
// @ts-check
import { point, write } from "./dom.js";
import { draw, icon } from "./icons.js";
import { clock } from "./words.js";

const APART = 0.1; // Seconds that picture and sound may differ before the picture jumps.

/** @typedef {import("./state.js").Scene} Scene */

export class Duet {
  playing = false;
  #id = "";
  #seconds = 0;
  /** @type {string} */
  #cues = "";
  #parts;
  #captions;
  #sign = icon("play");
  #voice = icon("sound");
  #moved;

  /**
   * @param {Record<string, any>} parts
   * @param {(seconds: number) => void} moved
   */
  constructor(parts, moved) {
    this.#parts = parts;
    this.#moved = moved;
    this.#captions = /** @type {HTMLVideoElement} */ (parts.video).addTextTrack("captions", "Captions");
    this.#captions.mode = "showing";
    parts.play.append(this.#sign);
    parts.mute.append(this.#voice);
    parts.play.addEventListener("click", () => this.toggle());
    parts.mute.addEventListener("click", () => this.#mute());
    parts.seek.addEventListener("input", () => this.seek(Number(parts.seek.value)));
    parts.video.addEventListener("loadeddata", () => this.#picture());
    parts.video.addEventListener("ended", () => this.#end());
    parts.audio.addEventListener("ended", () => this.#has(parts.video) || this.#end());
  }

  /** The place in the scene, in seconds. */
  get time() {
    return (this.#has(this.#parts.video) ? this.#parts.video : this.#parts.audio).currentTime;
  }

  /**
   * Show a scene, or what became of the one that is shown; the same one keeps its place.
   * @param {Scene} scene
   */
  show(scene) {
    const same = scene.id === this.#id;
    const [place, playing] = [same ? this.time : 0, same && this.playing];
    if (!same) this.pause();
    this.#id = scene.id;
    this.#seconds = scene.seconds ?? 0;
    const { still, video, audio, blank } = this.#parts;
    still.hidden = !scene.still;
    point(still, scene.still);
    blank.hidden = Boolean(scene.still || scene.video);
    const changed = [point(video, scene.video), point(audio, scene.audio)];
    if (changed[0]) this.#picture();
    this.#caption(scene);
    this.#reach();
    if (!same || changed.includes(true)) this.seek(place);
    if (playing && changed.includes(true)) this.play();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    const media = this.#media();
    if (!media.length) return;
    if (this.time >= this.#length() - 0.05) this.seek(0);
    this.#plays(true);
    for (const part of media) {
      // Past its end a sound would begin again.
      if (!(this.time >= part.duration - 0.05)) part.play().catch(() => this.pause());
    }
    this.#tick();
  }

  pause() {
    this.#plays(false);
    for (const part of this.#media()) part.pause();
  }

  /** @param {number} seconds */
  seek(seconds) {
    for (const part of this.#media()) part.currentTime = seconds;
    this.#show(seconds);
    if (this.playing) this.play();
  }

  #media() {
    return [this.#parts.video, this.#parts.audio].filter((part) => this.#has(part));
  }

  /** @param {HTMLMediaElement} part */
  #has(part) {
    return part.hasAttribute("src") && !part.error;
  }

  #length() {
    const [part] = this.#media();
    return part?.duration || this.#seconds;
  }

  #tick() {
    if (!this.playing) return;
    const { video, audio } = this.#parts;
    const sounds = this.#has(audio) && !audio.paused && !audio.ended;
    if (sounds && this.#has(video) && !video.seeking && Math.abs(video.currentTime - audio.currentTime) > APART) {
      video.currentTime = audio.currentTime;
    }
    this.#show(this.time);
    requestAnimationFrame(() => this.#tick());
  }

  #end() {
    this.pause();
    this.#show(this.#length());
  }

  /** The moving picture covers the still once it has a frame. */
  #picture() {
    const { video } = this.#parts;
    video.classList.toggle("ready", this.#has(video) && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA);
    this.#reach();
  }

  #reach() {
    const nothing = this.#media().length === 0;
    this.#parts.play.disabled = nothing;
    this.#parts.seek.disabled = nothing;
    this.#parts.mute.disabled = !this.#has(this.#parts.audio);
    this.#parts.seek.max = String(this.#seconds);
    this.#show(this.time);
  }

  /** @param {number} seconds */
  #show(seconds) {
    this.#parts.seek.value = String(seconds);
    this.#parts.seek.setAttribute("aria-valuetext", `${clock(seconds, 1)} of ${clock(this.#seconds, 1)}`);
    write(this.#parts.clock, `${clock(seconds, 1)} / ${clock(this.#seconds, 1)}`);
    this.#moved(seconds);
  }

  /** @param {boolean} playing */
  #plays(playing) {
    this.playing = playing;
    draw(this.#sign, playing ? "pause" : "play");
    this.#parts.play.setAttribute("aria-label", playing ? "Pause the scene" : "Play the scene");
  }

  #mute() {
    const { audio, mute } = this.#parts;
    audio.muted = !audio.muted;
    draw(this.#voice, audio.muted ? "mute" : "sound");
    mute.setAttribute("aria-pressed", String(!audio.muted));
  }

  /** @param {Scene} scene */
  #caption({ id, cues }) {
    const said = JSON.stringify([id, cues]);
    if (said === this.#cues) return;
    this.#cues = said;
    for (const cue of [...(this.#captions.cues ?? [])]) this.#captions.removeCue(cue);
    for (const [start, end, text] of cues) this.#captions.addCue(new VTTCue(start, end, literal(text)));
  }
}

/**
 * A cue is read as markup of its own: what stands in it literally is written with references.
 * @param {string} text
 */
const literal = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
