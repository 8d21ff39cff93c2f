// Shared by all tabs of this page: a browser makes only six connections to one address, and a film needs some of them.
// @ts-check
import { Source } from "./source.js";

/** @type {Set<MessagePort>} */
const pages = new Set();
const source = new Source((news) => {
  for (const page of pages) page.postMessage(news);
});

globalThis.addEventListener("connect", (event) => {
  const [page] = /** @type {MessageEvent} */ (event).ports;
  page.onmessage = ({ data }) => {
    pages.delete(page);
    if (data === "leave") return;
    pages.add(page);
    for (const news of source.news) page.postMessage(news);
  };
});
