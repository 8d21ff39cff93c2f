"""What the live page's tests stand on: two films, a browser, a session by script, pages that do not complain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from live_kit import Desk, Shown, Stage, chromium, rendered, served
from playwright.sync_api import BrowserContext, Page, expect
from workshop import Workshop

from engine.preview.server import Server

FORMAT = {"width": 320, "height": 180}


def board(words: str) -> dict[str, Any]:
    scenes = [
        {"id": name, "on_screen": False, "narration": text, "image_prompt": f"a {name}", "video_prompt": "pan left"}
        for name, text in (("door", "A door. It is shut."), ("lake", words), ("tower", "A tower stands here."))
    ]
    return {"title": "Three places", "format": FORMAT, "scenes": scenes}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shown, Shown]:
    """A film, and the next one, in which the lake says more."""
    shop = Workshop(tmp_path_factory.mktemp("live") / "w", board("A lake lies here."), "draft")
    first = rendered(shop.folder, "draft", shop.store, 1)
    shop.write(board("A lake lies here, and over it the morning mist."))
    return first, rendered(shop.folder, "draft", shop.store, 2)


@pytest.fixture(scope="module")
def browser() -> Iterator[Callable[..., BrowserContext]]:
    with chromium() as context:
        yield context


@pytest.fixture
def stage(films: tuple[Shown, Shown]) -> Stage:
    return Stage(films[0])


@pytest.fixture
def server(stage: Stage) -> Iterator[Server]:
    with served(stage) as server:
        yield server


@pytest.fixture
def desk(browser: Callable[..., BrowserContext], server: Server) -> Iterator[Desk]:
    """Closed before the server is: a page whose server goes says so on the console."""
    desk = Desk(browser)
    yield desk
    assert desk.close() == []


@pytest.fixture
def page(desk: Desk, server: Server) -> Page:
    page = desk.page(server.url)
    expect(page.locator("#film [data-part=frame]")).to_be_visible()
    return page
