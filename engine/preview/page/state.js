// What the session says: its shape, and how a patch changes it. Knows nothing of the page.
// @ts-check

/**
 * @typedef {{step: string, kind: string, state: string, seconds: number, progress: number, loading: boolean, reasons: string[]}} Step
 * @typedef {{take: number, still: string}} Take
 * @typedef {[number, number, string]} Cue
 * @typedef {{
 *   id: string, narration: string, image_prompt: string, video_prompt: string, chapter: string,
 *   on_screen: boolean, hold: boolean, take: number, seed: number, pinned: boolean, show: string, given: string[],
 *   state: string, progress: number, error: string, seconds: number | null,
 *   still: string, video: string, audio: string, cues: Cue[], reasons: string[], steps: Step[], takes: Take[],
 * }} Scene
 * @typedef {{
 *   file: string, line: number, column: number, end_line: number, end_column: number,
 *   severity: string, message: string, hint: string, source: string, link: string,
 * }} Mistake
 * @typedef {{step: string, scene: string, message: string, hint: string}} Failure
 * @typedef {{
 *   save: number, video: string, captions: string, poster: string, seconds: number, digest: string,
 *   starts: Record<string, number>, loudness: number | null,
 * }} Film
 * @typedef {{
 *   session: string, version: number, title: string, storyboard: string, link: string, links: string,
 *   lines: Record<string, number>, profile: string, base: string, save: number,
 *   phase: "checking" | "invalid" | "rendering" | "done" | "failed", mistakes: Mistake[], failures: Failure[],
 *   film: Film | null, edited: string, progress: {done: number, total: number, seconds_left: number | null},
 *   seconds: number | null, format: {width: number, height: number, fps: number}, language: string, file: string,
 *   scenes: Scene[],
 * }} State
 * @typedef {{version: number, top?: Partial<State>, scenes?: Record<string, Scene>, order?: string[], gone?: string[]}} Patch
 */

/**
 * The state after a patch. Scenes that the patch does not name are the same objects as before, so that
 * whoever shows them can tell at a glance that nothing happened to them. A patch that is no newer than the state, told
 * while the state was on its way, changes nothing.
 * @param {State} state
 * @param {Patch} patch
 * @returns {State}
 */
export function patched(state, patch) {
  if (patch.version <= state.version) return state;
  const scenes = new Map(state.scenes.map((scene) => [scene.id, scene]));
  for (const [id, scene] of Object.entries(patch.scenes ?? {})) scenes.set(id, scene);
  for (const id of patch.gone ?? []) scenes.delete(id);
  const order = patch.order ?? [...scenes.keys()];
  return { ...state, ...patch.top, scenes: order.flatMap((id) => scenes.get(id) ?? []) };
}

/**
 * Where a scene begins in the storyboard, and the address that opens the editor there.
 * @param {State} state
 * @param {string} id
 */
export function place({ lines, links }, id) {
  const line = lines[id] ?? 1;
  return { line, link: links.replaceAll("{line}", String(line)) };
}

/**
 * The mistakes that keep a film from being made.
 * @param {State} state
 */
export const errors = (state) => state.mistakes.filter((mistake) => mistake.severity !== "warning");

/**
 * What an author may want to look at.
 * @param {State} state
 */
export const warnings = (state) => state.mistakes.filter((mistake) => mistake.severity === "warning");

/**
 * How much of the running build is done, from 0 to 1.
 * @param {State} state
 */
export const share = ({ progress }) => (progress.total ? progress.done / progress.total : 0);
