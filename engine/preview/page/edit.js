// Asks for one value to be written into the storyboard.
// @ts-check

/** @typedef {{message: string, hint: string}} Refusal */

/**
 * @param {string} token
 * @param {{scene: string, field: "take" | "seed" | "hold", value: number | boolean, base: string}} wanted
 * @returns {Promise<Refusal | null>} Nothing when it is written.
 */
export async function edit(token, wanted) {
  try {
    const headers = { "content-type": "application/json", "x-mikebot-token": token };
    const answer = await fetch("/edit", { method: "POST", headers, body: JSON.stringify(wanted) });
    return answer.ok ? null : await answer.json();
  } catch {
    return { message: "the session does not answer", hint: "is `mikebot watch` still running?" };
  }
}
