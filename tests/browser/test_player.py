"""A film with every way into a scene, in a browser: it plays to its end, and its frames are those of the file."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from chromium_kit import browser
from playwright.sync_api import Page
from workshop import Workshop

SCENES = [("s0", "a desk", "fade"), ("s1", "a lake", "crossfade"), ("s2", "a tower", "dip")]
LOAD = """async () => {
    const film = await (await fetch('/film.mp4')).blob();
    const video = document.createElement('video');
    video.src = URL.createObjectURL(film);
    video.muted = true;
    document.body.append(video);
    await new Promise((done, fail) => { video.onloadeddata = done; video.onerror = () => fail(video.error.message); });
    return [video.videoWidth, video.videoHeight, video.duration];
}"""
PLAY = """async () => {
    const video = document.querySelector('video');
    video.playbackRate = 4;
    const ended = new Promise((done, fail) => {
        video.onended = done;
        video.onerror = () => fail(video.error.message);
    });
    await video.play();
    await ended;
    return video.currentTime;
}"""
SEEK = """async (time) => {
    const video = document.querySelector('video');
    video.pause();
    await new Promise(done => { video.onseeked = done; video.currentTime = time; });
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0);
    const seen = context.getImageData(0, 0, canvas.width, canvas.height).data;
    const mean = [0, 0, 0];
    seen.forEach((value, at) => { if (at % 4 < 3) mean[at % 4] += value; });
    return mean.map(sum => sum / (seen.length / 4));
}"""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """The film, and the first frame of each scene."""
    scenes = [
        {
            "id": name,
            "on_screen": False,
            "narration": f"This is {prompt}.",
            "image_prompt": prompt,
            "video_prompt": "pan left",
            "transition": way,
        }
        for name, prompt, way in SCENES
    ]
    root = tmp_path_factory.mktemp("player")
    shop = Workshop(root / "w", {"title": "T", "format": {"width": 160, "height": 90}, "scenes": scenes}, "draft")
    built = shop.render().built
    assert built is not None
    path = root / "served" / "film.mp4"
    path.parent.mkdir()
    project = shop.project()
    from engine.store import Store

    store = Store(project.store)
    try:
        store.checkout(built.results["film"].outputs["film"], path)
    finally:
        store.close()
    lengths = built.steps["film"].params["frames"]
    return path, [sum(lengths[:number]) for number in range(len(lengths))]


@pytest.fixture(scope="module")
def page(film: tuple[Path, list[int]]) -> Iterator[Page]:
    folder = film[0].parent
    (folder / "index.html").write_text("<!doctype html><title>film</title><body>")
    handler = functools.partial(Silent, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with browser() as started:
        page = started.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/index.html")
        yield page
    server.shutdown()
    server.server_close()


def seen(frame: av.VideoFrame) -> np.ndarray[Any, Any]:
    """A frame's colours as its tags say."""
    ranges = {"src_color_range": ColorRange.MPEG, "dst_color_range": ColorRange.JPEG}
    return frame.to_ndarray(format="rgb24", src_colorspace=Colorspace.ITU709, **ranges)


class Silent(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_: Any) -> None:
        """Requests are no news."""


def test_a_film_plays_to_its_end_and_seeks_into_every_joint(film: tuple[Path, list[int]], page: Page) -> None:
    path, starts = film
    with av.open(str(path)) as container:
        frames = [seen(frame) for frame in container.decode(video=0)]
    width, height, seconds = page.evaluate(LOAD)
    assert (width, height) == (160, 90)
    assert abs(seconds - len(frames) / 25) < 0.03
    assert abs(page.evaluate(PLAY) - seconds) < 0.1
    for start in starts:
        for number in (start + 1, start + 6, start + 11, start + 13):
            found = page.evaluate(SEEK, (number + 0.5) / 25)
            assert np.abs(np.array(found) - frames[number].mean(axis=(0, 1))).max() < 12, number
