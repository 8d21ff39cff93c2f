"""A headless Chromium, and the moments at which something new was there to be seen in it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

from .place import HERE

sys.path.insert(0, str(HERE / "tests"))

# A picture is there when it is loaded, a video when its first frame can be shown; by the browser's own clock. With what
# was seen goes its address, or the captions' text: what a page shows on its way to the new is not the new.
LISTEN = """() => {
    window.seen = [];
    const note = (what, text) =>
        window.seen.push([what, text, (performance.timeOrigin + performance.now()) / 1000]);
    const path = (address) => new URL(address).pathname;
    document.addEventListener("load", ({ target }) => target.tagName === "IMG" &&
        note("still", path(target.currentSrc)), true);
    document.addEventListener("loadeddata", ({ target }) => target.tagName === "VIDEO" &&
        note(target.closest("#film") ? "film" : "scene", path(target.currentSrc)), true);
    new MutationObserver((all) => all.forEach(({ target }) => {
        const cues = (target.nodeType === 1 ? target : target.parentElement)?.closest("[data-part=cues]");
        if (cues) note("captions", cues.textContent);
    })).observe(document, { subtree: true, childList: true, characterData: true });
}"""
SEEN = """([begun, wanted]) => {
    const found = Object.entries(wanted).map(([what, text]) => [what,
        window.seen.find((seen) => seen[0] === what && seen[1].includes(text) && seen[2] > begun)?.[2]]);
    return found.every(([, when]) => when) ? Object.fromEntries(found) : null;
}"""


@contextmanager
def chromium() -> Iterator[Page]:
    """A page of a browser."""
    from chromium_kit import browser

    with browser() as started:
        yield started.new_page(viewport={"width": 1280, "height": 800})


def arrivals(page: Page) -> None:
    """Note from now on when something new can be seen."""
    page.add_init_script(f"({LISTEN})()")


def since(page: Page, begun: float, wanted: dict[str, str]) -> dict[str, float]:
    """Seconds from a moment until each of still, captions, scene and film, as their address or text says, was seen."""
    told = page.wait_for_function(SEEN, arg=[begun, wanted], timeout=60_000).json_value()
    return {what: when - begun for what, when in told.items()}
