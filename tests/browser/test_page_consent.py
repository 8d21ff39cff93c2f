"""A page that showed a real person shows nothing of them once they take their consent back."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from command_kit import ROOT
from consent_kit import BOARD, Place, consent, revoked
from live_kit import Desk
from odd_kit import forget
from playwright.sync_api import BrowserContext, expect
from watch_kit import settled, watching

from engine.preview.server import Server

SOURCES = "() => [...document.querySelectorAll('#film video')].map(one => one.getAttribute('src') || '').join('')"

# What the browser asked for in the very moment of the withdrawal is refused, and Chromium says so.
REFUSED = "the server responded with a status of 404 (Not Found)"


def test_what_is_revoked_is_gone_from_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, browser: Callable[..., BrowserContext]
) -> None:
    place, desk = Place(tmp_path), Desk(browser)
    monkeypatch.syspath_prepend(str(place.doors))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(place.doors), str(ROOT)]))
    forget()
    place.says(consent())
    with watching(place.board, "sharp") as (session, follower, _), Server(session) as server:
        page = desk.page(server.url)
        follower.until(settled(BOARD))
        film = follower.top["film"]["video"]
        page.wait_for_function(f"film => ({SOURCES})().includes(film)", arg=film)
        place.says(revoked())
        expect(page.locator("#problems")).to_contain_text("consent: was revoked on")
        page.wait_for_function(f"() => ({SOURCES})() === ''")
        expect(page.locator("#sheet li")).to_have_count(0)
        expect(page.locator("#film [data-part=headline]")).to_have_text("No film yet")
        place.says(consent())
        page.wait_for_function(f"film => ({SOURCES})().includes(film)", arg=film)
        expect(page.locator("#sheet li")).to_have_count(2)
        assert [line for line in desk.close() if not line.endswith(REFUSED)] == []
