"""A headless Chromium for tests and benchmarks: one list of switches, and one way to start it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
)


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser of its own process, which makes no connection of itself and plays without a click."""
    found = shutil.which("chromium")
    assert found, "chromium is needed: apt-get install chromium"
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=found, headless=True, args=list(SWITCHES))
        try:
            yield started
        finally:
            started.close()
