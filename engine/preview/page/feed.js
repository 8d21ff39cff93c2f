// Brings what the session says into this page, over one connection for all tabs where the browser has shared workers.
// @ts-check
import { Source } from "./source.js";

const WORKER = "/feed-worker.js";

/**
 * @param {string} name Another for each session: a worker lives as long as any tab that knows it.
 * @param {(news: import("./source.js").News) => void} hear
 */
export function listen(name, hear) {
  if (!("SharedWorker" in globalThis)) {
    new Source(hear);
    return;
  }
  const worker = new SharedWorker(trusted(WORKER), { type: "module", name });
  worker.onerror = () => new Source(hear); // A browser whose workers know no modules.
  const { port } = worker;
  port.onmessage = ({ data }) => hear(data);
  port.postMessage("join");
  addEventListener("pagehide", () => port.postMessage("leave"));
  addEventListener("pageshow", ({ persisted }) => persisted && port.postMessage("join"));
}

/**
 * The page's policy lets this address alone become a script.
 * @param {string} address
 */
function trusted(address) {
  const types = /** @type {any} */ (globalThis).trustedTypes;
  return types ? types.createPolicy("mikebot", { createScriptURL: () => WORKER }).createScriptURL(address) : address;
}
