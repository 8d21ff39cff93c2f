"""The daily loop, whole: a real storyboard, a real session, the real page in a real browser."""

from __future__ import annotations

import hashlib
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_kit import ROOT, environment
from live_kit import Desk
from playwright.sync_api import BrowserContext, Page, expect
from watch_kit import replaced, settled, watching
from workshop import Workshop

from engine.preview.server import Server

BOARD = """\
title: Two doors
persona: mikebot
format: {width: 320, height: 180}
scenes:
  # The first thing that is seen.
  - id: red
    on_screen: true
    narration: This door is red.
    image_prompt: a red door
    video_prompt: slow push in
  - id: blue
    on_screen: false
    narration: That one is blue, and nobody knows why.
    image_prompt: a blue door
    video_prompt: pan left
"""
FRAME = """() => {
    const video = [...document.querySelectorAll('#film video')].find(one => !one.inert);
    return [new URL(video.currentSrc || 'none:/').pathname, video.currentTime, video.readyState];
}"""


class Loop:
    """A storyboard that is watched, and its page."""

    def __init__(self, shop: Workshop, desk: Desk, page: Page, follower: Any, server: Server) -> None:
        self.desk = desk
        self.file = shop.folder / "storyboard.yaml"
        self.built = shop.folder / "build" / "film.mp4"
        self.page = page
        self.follower = follower
        self.server = server

    def save(self, text: str) -> None:
        replaced(self.file, text)

    def film(self) -> str:
        """The digest of the film that the page shows, once it shows the newest."""
        want = f"/media/{hashlib.sha256(self.built.read_bytes()).hexdigest()}.mp4"
        self.page.wait_for_function(
            f"want => {{ const [src, , ready] = ({FRAME})(); return src === want && ready >= 2; }}", arg=want
        )
        return want


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    shop = Workshop(tmp_path, {})
    shop.write(BOARD)
    return shop


@pytest.fixture
def loop(shop: Workshop, browser: Callable[..., BrowserContext]) -> Iterator[Loop]:
    file, desk = shop.folder / "storyboard.yaml", Desk(browser)
    with watching(file, "short") as (session, follower, _), Server(session) as server:
        page = desk.page(server.url)
        follower.until(settled(BOARD))
        found = Loop(shop, desk, page, follower, server)
        found.film()
        yield found
        assert desk.close() == []


def test_an_edit_is_seen_and_the_film_keeps_its_place(loop: Loop) -> None:
    page = loop.page
    page.evaluate("() => { [...document.querySelectorAll('#film video')].find(one => !one.inert).currentTime = 1.5; }")
    before = loop.film()
    page.locator("#sheet li[data-id=blue] button").click()
    text = BOARD.replace("nobody knows why", "everybody knows why").replace("a blue door", "a blue boat")
    loop.save(text)
    expect(page.locator("#scene [data-part=narration]")).to_contain_text("everybody knows why")
    expect(page.locator("#scene [data-part=cues]")).to_contain_text("everybody")
    loop.follower.until(settled(text))
    assert loop.film() != before
    assert abs(page.evaluate(FRAME)[1] - 1.5) < 0.05
    expect(page.locator("#sheet li[data-id=red]")).to_have_attribute("data-state", "kept")
    expect(page.locator("#sheet li[data-id=blue]")).to_have_attribute("data-state", "done")
    expect(page.locator("#scene [data-part=reasons]")).to_contain_text("everybody")


def test_a_mistake_is_shown_and_goes_when_it_is_mended(loop: Loop) -> None:
    good = loop.film()
    loop.save(BOARD.replace("on_screen: false", "on_screen: maybe"))
    problems = loop.page.locator("#problems")
    expect(problems).to_contain_text("projects/film/storyboard.yaml:12:16")
    expect(problems.locator(".message")).to_have_text("on_screen must be true or false, not the text 'maybe'")
    assert loop.film() == good
    loop.save(BOARD)
    expect(problems).to_be_hidden()
    assert loop.film() == good


def test_another_take_is_one_line_of_the_file(loop: Loop) -> None:
    page = loop.page
    page.locator("#sheet li[data-id=blue] button").click()
    before = page.locator("#scene [data-part=still]").get_attribute("src")
    page.get_by_role("button", name="Another take").click()
    text = BOARD.replace("  - id: blue\n", "  - id: blue\n    take: 2\n")
    loop.follower.until(settled(text))
    assert loop.file.read_text("utf-8") == text
    expect(page.locator("#scene [data-part=takes] li")).to_have_count(2)
    assert page.locator("#scene [data-part=still]").get_attribute("src") != before
    loop.film()
    page.get_by_role("button", name=re.compile("^take 1")).click()
    loop.follower.until(settled(text.replace("take: 2", "take: 1")))
    expect(page.locator("#scene [data-part=still]")).to_have_attribute("src", before or "")


def test_hold_and_pin_and_a_refusal(loop: Loop) -> None:
    page = loop.page
    page.locator("#sheet li[data-id=red] button").click()
    page.keyboard.press("p")
    pinned = BOARD.replace("  - id: red\n", "  - id: red\n    seed: 0\n")
    loop.follower.until(settled(pinned))
    expect(page.get_by_role("button", name="Seed 0 is pinned")).to_be_visible()
    page.keyboard.press("h")
    held = BOARD.replace("  - id: red\n", "  - id: red\n    hold: true\n    seed: 0\n")
    loop.follower.until(settled(held))
    expect(page.locator("#sheet li[data-id=red]")).to_have_attribute("data-state", "held")
    loop.desk.permitted = "409"
    (loop.file.parent / ".#storyboard.yaml").symlink_to("author@elsewhere.1")
    page.keyboard.press("h")
    expect(page.locator("#scene [data-part=message]")).to_have_text(re.compile("emacs has unsaved changes", re.I))
    assert loop.file.read_text("utf-8") == held


def test_the_page_only_shows_films_that_were_whole(loop: Loop) -> None:
    """Saves of all kinds, faster than films can be made; whatever was loaded is looked at in the end."""
    page, luck = loop.page, random.Random(7)
    page.evaluate("""() => {
        window.shown = [];
        document.querySelector('#film').addEventListener('loadeddata', e => shown.push(e.target.currentSrc), true);
    }""")
    text = BOARD
    for number in range(40):
        text = BOARD.replace("nobody knows why", f"nobody knows {luck.choice(['why', 'when', 'how'])}")
        if number % 4 == 3:
            loop.save(text.replace("scenes:", "scenes: {"))
        else:
            loop.save(text)
        page.wait_for_timeout(luck.choice([0, 20, 100, 400]))
    loop.save(text)
    loop.follower.until(settled(text))
    last = loop.film()
    whole = {film["video"] for film in loop.follower.films}
    assert {src.removeprefix(loop.server.url.rstrip("/")) for src in page.evaluate("shown")} <= whole
    assert last in whole


def test_two_tabs_show_the_same(loop: Loop) -> None:
    other = loop.desk.page(loop.server.url)
    loop.save(BOARD.replace("Two doors", "A pair of doors"))
    for page in (loop.page, other):
        expect(page.locator("#title")).to_have_text("A pair of doors")


def test_it_finds_the_server_again(shop: Workshop, browser: Callable[..., BrowserContext]) -> None:
    """The same command, ended and started again at the same port; the page's old token would be refused."""
    desk = Desk(browser)
    process, port = started(shop)
    page = desk.page(f"http://127.0.0.1:{port}/")
    desk.permitted = "ERR_|Failed to load resource"
    expect(page.locator("#told")).to_contain_text(re.compile("up to date", re.I), timeout=60_000)
    ended(process)
    expect(page.locator("#lost")).to_be_visible()
    process, _ = started(shop, port)
    try:
        expect(page.locator("#lost")).to_be_hidden()
        page.locator("#sheet li[data-id=blue] button").click()
        page.get_by_role("button", name="Another take").click()
        expect(page.locator("#scene [data-part=facts]")).to_contain_text("take 2")
        assert "    take: 2\n" in (shop.folder / "storyboard.yaml").read_text("utf-8")
        assert desk.close() == []
    finally:
        ended(process)


def started(shop: Workshop, port: int = 0) -> tuple[subprocess.Popen[str], int]:
    command = [sys.executable, "-m", "engine.cli", "watch", str(shop.folder), "--profile", "short", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", cwd=ROOT, env=environment())
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(2)]
    return process, int(re.search(r":(\d+)/", told[1])[1])  # type: ignore[index]


def ended(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate(timeout=30)
