"""A headless Chromium, and the moments at which something new was there to be seen in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)

# A picture is there when it is loaded, a video when its first frame can be shown; by the browser's own clock.
LISTEN = """() => {
    window.seen = [];
    const note = (what, node) => window.seen.push([what, (performance.timeOrigin + performance.now()) / 1000,
        node.closest("li")?.dataset.id ?? node.closest("section, main, body").id]);
    document.addEventListener("load", (e) => e.target.tagName === "IMG" && note("img", e.target), true);
    document.addEventListener("loadeddata", (e) => e.target.tagName === "VIDEO" && note("video", e.target), true);
    new MutationObserver((all) => all.forEach(({ target }) => {
        const cues = (target.nodeType === 1 ? target : target.parentElement)?.closest("[data-part=cues]");
        if (cues) note("cues", cues);
    })).observe(document, { subtree: true, childList: true, characterData: true });
}"""
SEEN = """([begun, scene]) => {
    const first = (what, place) => window.seen.find((s) => s[0] === what && s[1] > begun && s[2] === place)?.[1];
    const found = { still: first("img", scene) ?? first("img", "scene"), captions: first("cues", "scene"),
        scene: first("video", "scene"), film: first("video", "film") };
    return Object.values(found).every(Boolean) ? found : null;
}"""


@contextmanager
def chromium() -> Iterator[Page]:
    """A page of a browser."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        try:
            yield browser.new_page(viewport={"width": 1280, "height": 800})
        finally:
            browser.close()


def arrivals(page: Page) -> None:
    """Note from now on when something new can be seen."""
    page.add_init_script(f"({LISTEN})()")


def since(page: Page, begun: float, scene: str) -> dict[str, float]:
    """Seconds from a moment until each of still, captions, scene and film of a scene was new."""
    told = page.wait_for_function(SEEN, arg=[begun, scene], timeout=60_000).json_value()
    return {what: when - begun for what, when in told.items()}
