"""From a save of the storyboard to what a browser shows of it, end to end, beside `mkdocs serve` in the same run.

A real headless Chromium shows the page of `mikebot watch`; a storyboard is saved as programs save (aside, then in the
place of the old one), and the page's own clock says when a new still, a scene's new picture, a new film is there.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .browser import arrivals, chromium, since
from .docs_site import reload_seconds
from .place import HERE, NOUNS, Options, Place, environment, mikebot, rendered, small_scenes, workspace
from .table import Figure

TRIES = 7
SCENES = 100
IDLE = 10.0  # Seconds that a watch is left alone.
PAUSE = 1.0  # Seconds between a film and the next save: who writes is slower still.


def figures(options: Options) -> Iterator[Figure]:
    """What an author waits for."""
    place = talkative(options.room / "live", SCENES)
    with watch(place) as (process, url):
        news = News(url)
        news.until(done)
        found = [edited(news, place, number) for number in range(TRIES)][1:]
        yield Figure(f"save to plan, {SCENES} scenes", statistics.median(found), "s", 0.1)
        yield from seen(url, news, place)
        yield Figure("save during a render to its own first step", overtaken(news, place), "s", 1.0)
        del process
    yield from many(options)


def talkative(root: Path, count: int) -> Place:
    """Scenes of about four seconds, half of them on screen, in 720p."""
    place = workspace(root, "talk", talk(count))
    shutil.copytree(HERE / "personas" / "mikebot", root / "personas" / "mikebot", dirs_exist_ok=True)
    return place


def talk(count: int, edits: Mapping[int, str] = MappingProxyType({})) -> str:
    """The storyboard; the edited scenes say and show something else."""
    lines = ["title: Many things", "persona: mikebot", "scenes:"]
    for number in range(count):
        noun = NOUNS[number % len(NOUNS)]
        own = edits.get(number, "")
        lines += [
            f"  - id: scene-{number:03}",
            f"    on_screen: {'true' if number % 2 else 'false'}",
            f"    narration: This is the {noun} that I told you about{own}.",
            f"    image_prompt: a {noun} in the evening light{own}, the {number}th of many",
            f"    video_prompt: slow pan right over the {noun}",
        ]
    return "\n".join(lines) + "\n"


@contextmanager
def watch(place: Place) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`mikebot watch` as a process of its own; gives the address of its page."""
    command = mikebot("watch", place.board, "--port", "0")
    with subprocess.Popen(
        command, cwd=HERE, env=environment(place.root.parent), stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        url = next(found[0] for line in process.stdout if (found := re.search(r"http://\S+", line)))
        threading.Thread(target=process.stdout.read, daemon=True).start()
        try:
            yield process, url
        finally:
            process.terminate()


class News:
    """The page's own stream of events, with the time at which each came."""

    def __init__(self, url: str) -> None:
        self._woken = threading.Condition()
        self.top: dict[str, Any] = {}
        self.scenes: dict[str, dict[str, Any]] = {}
        host = url.removeprefix("http://").rstrip("/")
        self._connection = http.client.HTTPConnection(host)
        self._connection.request("GET", "/events")
        self._answer = self._connection.getresponse()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            for line in self._answer:
                if line.startswith(b"data: "):
                    self._take(json.loads(line[6:]))
        except (OSError, ValueError):
            return  # The server has ended.

    def _take(self, said: dict[str, Any]) -> None:
        with self._woken:
            whole = "scenes" in said and isinstance(said["scenes"], list)
            self.top |= said if whole else said["top"]
            self.scenes |= {scene["id"]: scene for scene in said["scenes"]} if whole else said["scenes"]
            self._woken.notify_all()

    def until(self, ready: Callable[[News], Any]) -> float:
        """Wait until something was told; returns when, on the clock of time.time."""
        with self._woken:
            if not self._woken.wait_for(lambda: ready(self), 600):
                raise SystemExit(f"it never came: {self.top.get('phase')} {self.top.get('mistakes')}")
            return time.time()


def done(news: News) -> bool:
    return news.top.get("phase") == "done"


def rest(news: News) -> int:
    """Wait until nothing is to do, and a moment more; returns the number of the last save."""
    news.until(done)
    time.sleep(PAUSE)
    return int(news.top["save"])


def save(place: Place, text: str) -> float:
    """Replace the storyboard; returns when."""
    aside = place.board.with_suffix(".new")
    aside.write_text(text, "utf-8")
    begun = time.time()
    os.replace(aside, place.board)  # noqa: PTH105
    return begun


def edited(news: News, place: Place, number: int) -> float:
    """Seconds from a save to the plan of what it takes, as told to the page."""
    before = rest(news)
    begun = save(place, talk(SCENES, {SCENES // 2: f" today {number}"}))
    return news.until(lambda n: n.top["save"] > before) - begun


def seen(url: str, news: News, place: Place) -> Iterator[Figure]:
    """What a browser shows, and when."""
    with chromium() as page:
        arrivals(page)
        page.goto(url)
        page.wait_for_selector("#sheet li")
        if page.get_attribute("#follow", "aria-pressed") == "false":
            page.click("#follow")
        found: dict[str, list[float]] = {}
        edits: dict[int, str] = {}
        for number in range(SCENES // 2, SCENES // 2 + TRIES + 1):
            before, how = rest(news), f" tonight {number}"
            edits[number] = how
            begun = save(place, talk(SCENES, edits))
            news.until(lambda n, b=before: n.top["save"] > b and done(n))
            scene = news.scenes[f"scene-{number:03}"]
            wanted = {"still": scene["still"], "scene": scene["video"], "film": news.top["film"]["video"]}
            for what, seconds in since(page, begun, {"captions": how, **wanted}).items():
                found.setdefault(what, []).append(seconds)
        usual = {what: statistics.median(seconds[1:]) for what, seconds in found.items()}
    ours = usual["film"]
    yield Figure("save to the new still in the browser", usual["still"], "s", 0.3)
    yield Figure("save to the new captions in the browser", usual["captions"], "s", 0.3)
    yield Figure("save to the scene's new picture in the browser", usual["scene"], "s", 1.5)
    peer = reload_seconds(place.root.parent / "site", SCENES, TRIES)
    yield Figure(
        f"save to the whole new film in the browser, {SCENES} scenes", ours, "s", 2.0, False, "mkdocs serve", peer
    )


def overtaken(news: News, place: Place) -> float:
    """Seconds from a save in the middle of a render to the first step of its own that is made.

    Both lanes are busy with what the save makes stale, so that step can only be made once one of them was stopped.
    """
    found = []
    for number in range(TRIES):
        save(place, talk(SCENES).replace("title: Many", f"style: of paper {number}\ntitle: Many"))
        news.until(lambda n: sum("running" in states(n, name) for name in n.scenes) >= 2)
        time.sleep(0.3)
        name = f"scene-{number:03}"
        text = talk(SCENES, {number: f" at last {number}"})
        begun = save(place, text)
        before = news.top["save"]
        news.until(lambda n, b=before, s=name: n.top["save"] > b and "built" in states(n, s))
        found.append(time.time() - begun)
        news.until(done)
    return statistics.median(found)


def states(news: News, scene: str) -> set[str]:
    return {step["state"] for step in news.scenes[scene]["steps"]}


def many(options: Options) -> Iterator[Figure]:
    """A large storyboard: how fast it is decided, what waiting costs, and what two hundred saves leave behind."""
    place, count = rendered(options.room, options.scenes), options.scenes
    with watch(place) as (process, url):
        news = News(url)
        news.until(done)
        waits = []
        for number in range(TRIES):
            before = rest(news)
            begun = save(place, small_scenes(count, number, f"is another {number}"))
            waits.append(news.until(lambda n, b=before: n.top["save"] > b) - begun)
        yield Figure(f"save to plan, {count:,} scenes", statistics.median(waits[1:]), "s", 0.15)
        rest(news)
        before = busy(process.pid)
        time.sleep(IDLE)
        share = (busy(process.pid) - before) / IDLE * 100
        yield Figure(f"{count:,} idle watched scenes, share of a core", share, "%", 1.0)
        sizes = []
        for number in range(200):
            before_save = news.top["save"]
            save(place, small_scenes(count) + f"# {number}\n")
            news.until(lambda n, b=before_save: n.top["save"] > b and done(n))
            sizes.append(resident(process.pid))
        yield Figure("memory after 200 saves", sizes[-1], "MB", None, False, "after 20", sizes[19])


def busy(pid: int) -> float:
    """Seconds of CPU that a process has used, without its workers."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    """Megabytes of memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
