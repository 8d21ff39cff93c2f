// One connection to the session: whole states and patches, and whether it stands. Runs in a page or in a shared worker.
// @ts-check
import { patched } from "./state.js";

const AGAIN = 1000; // Milliseconds until a refused connection is tried again; a lost one the browser tries itself.

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Patch} Patch
 * @typedef {{kind: "state", data: State} | {kind: "patch", data: Patch} | {kind: "up" | "down"}} News
 */

/** The connection, and the state as it is by now, for whoever comes late. */
export class Source {
  /** @type {State | null} */
  #state = null;
  #standing = false;
  #tell;

  /** @param {(news: News) => void} tell */
  constructor(tell) {
    this.#tell = tell;
    this.#connect();
  }

  /**
   * What somebody who comes now has to be told.
   * @returns {News[]}
   */
  get news() {
    return this.#state ? [{ kind: "state", data: this.#state }, { kind: this.#standing ? "up" : "down" }] : [];
  }

  #connect() {
    const events = new EventSource("/events");
    events.addEventListener("state", ({ data }) => this.#whole(JSON.parse(data)));
    events.addEventListener("patch", ({ data }) => this.#change(JSON.parse(data)));
    events.addEventListener("error", () => {
      this.#stands(false);
      if (events.readyState === EventSource.CLOSED) setTimeout(() => this.#connect(), AGAIN);
    });
  }

  /** @param {State} state */
  #whole(state) {
    this.#state = state;
    this.#tell({ kind: "state", data: state });
    this.#stands(true);
  }

  /** @param {Patch} patch */
  #change(patch) {
    if (!this.#state) return;
    this.#state = patched(this.#state, patch);
    this.#tell({ kind: "patch", data: patch });
  }

  /** @param {boolean} standing */
  #stands(standing) {
    if (this.#standing === standing) return;
    this.#standing = standing;
    this.#tell({ kind: standing ? "up" : "down" });
  }
}
