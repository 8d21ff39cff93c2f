"""Every part of the key is needed: without it, what was made of something else is taken for what is asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import media_kit
import pytest
from workshop import Here, Workshop

from engine import backends, bench, graph
from engine.build import build
from engine.graph import Action, Step
from engine.store import Store

BOARD = {
    "title": "T",
    "format": {"width": 64, "height": 36, "fps": 25},
    "scenes": [{"id": "a", "on_screen": False, "duration": 0.32, "image_prompt": "a desk", "video_prompt": "hold"}],
}
PARTS = ("format", "kind", "backend", "version", "params", "inputs")


@pytest.fixture
def leave_out(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes keys that lack one part."""

    def without(part: str) -> None:
        whole = Action.canonical

        def canonical(action: Action) -> str:
            said = json.loads(whole(action))
            del said[PARTS.index(part)]
            return json.dumps(said)

        monkeypatch.setattr(Action, "canonical", canonical)

    return without


STRANGER = """\
import wave
from pathlib import Path

from PIL import Image

from engine.backends import Light
from engine.kinds import Narration, Speech, Still


class Plain(Light):
    kind, name, version, Params = "still", "plain", "{version}", Still

    def run(self, params, inputs, out, tell):
        Image.new("RGB", (params.width, params.height), "{colour}").save(out / "image", "PNG")


class Says(Light):
    kind, name, version, Params = "speech", "echo", "1", Speech

    def run(self, params, inputs, out, tell):
        for name in ("audio", "timing"):
            (out / name).write_text(f"the {{name}} of a speech")


class Tells(Says):
    kind, Params = "narration", Narration

    def run(self, params, inputs, out, tell):
        for name in ("audio", "timing"):
            (out / name).write_text(f"the {{name}} of a narration")
        return {{"samples": 1}}
"""
ENTRIES = """\
[mikebot.backends]
still.plain = stranger:Plain
speech.echo = stranger:Says
narration.echo = stranger:Tells
"""


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Installs somebody else's package of backends, or another release of it."""
    site = tmp_path / "site"
    about = site / "stranger-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1\n")
    (about / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # Two releases within a second have one time stamp.

    def forget() -> None:
        sys.modules.pop("stranger", None)
        for remembered in (backends.registered, backends.find, bench.instance):
            remembered.cache_clear()

    def install(version: str, colour: str) -> None:
        (site / "stranger.py").write_text(STRANGER.format(version=version, colour=colour))
        forget()

    yield install
    forget()


def shop_of(tmp_path: Path) -> Workshop:
    shop = Workshop(tmp_path / "w", BOARD, profile="draft")
    profile = "name: plain\nextends: draft\nkinds: {still: {backend: plain, limits: {scale: 1.5}}}\n"
    (shop.root / "profiles" / "plain.yaml").write_text(profile)
    media_kit.drawn(shop.folder / "a.png")
    return shop


def right(shop: Workshop) -> bool:
    """Whether the film is that of an empty store."""
    return shop.render().film == shop.clean()


@pytest.mark.parametrize("missing", ["", "params"])
def test_params(tmp_path: Path, leave_out: Callable[[str], None], missing: str) -> None:
    shop = shop_of(tmp_path)
    if missing:
        leave_out(missing)
    shop.render()
    shop.write({**BOARD, "title": "U"})
    assert right(shop) is not bool(missing)


@pytest.mark.parametrize("missing", ["", "inputs"])
def test_inputs(tmp_path: Path, leave_out: Callable[[str], None], missing: str) -> None:
    shop = shop_of(tmp_path)
    if missing:
        leave_out(missing)
    shop.write({**BOARD, "scenes": [{**BOARD["scenes"][0], "image": "a.png"}]})  # type: ignore[dict-item,index]
    shop.render()
    media_kit.drawn(shop.folder / "a.png", colour=(10, 90, 200))
    assert right(shop) is not bool(missing)


@pytest.mark.parametrize("missing", ["", "backend"])
def test_backend(
    tmp_path: Path, leave_out: Callable[[str], None], stranger: Callable[[str, str], None], missing: str
) -> None:
    shop = shop_of(tmp_path)
    stranger(backends.find("still", "card").version, "red")  # The same version as the one it is taken for.
    if missing:
        leave_out(missing)
    shop.render()
    shop.profile = "plain"
    assert right(shop) is not bool(missing)


@pytest.mark.parametrize("missing", ["", "version"])
def test_version(
    tmp_path: Path, leave_out: Callable[[str], None], stranger: Callable[[str, str], None], missing: str
) -> None:
    shop = shop_of(tmp_path)
    stranger("1", "red")
    if missing:
        leave_out(missing)
    shop.profile = "plain"
    shop.render()
    stranger("2", "blue")
    assert right(shop) is not bool(missing)


@pytest.mark.parametrize("missing", ["", "format"])
def test_format(
    tmp_path: Path,
    leave_out: Callable[[str], None],
    stranger: Callable[[str, str], None],
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
) -> None:
    """A new format forgets what was made before, whatever its makers call their version."""
    shop = shop_of(tmp_path)
    stranger("1", "red")
    if missing:
        leave_out(missing)
    shop.profile = "plain"
    shop.render()
    stranger("1", "blue")
    monkeypatch.setattr(graph, "FORMAT", graph.FORMAT + 1)
    assert right(shop) is not bool(missing)


class TwoKinds:
    """A plan of two steps that differ in nothing but their kind."""

    def begin(self) -> list[Step]:
        return [Step(kind, kind, "a", "echo", "1", {"text": "Hi."}, {}) for kind in ("speech", "narration")]

    def learn(self, step: str, facts: Mapping[str, int]) -> list[Step]:
        return []

    def guess(self, step: str) -> Mapping[str, int]:
        return {}

    def goals(self, steps: Mapping[str, Step]) -> list[str]:
        return ["narration"]


@pytest.mark.parametrize("missing", ["", "kind"])
def test_kind(
    tmp_path: Path, leave_out: Callable[[str], None], stranger: Callable[[str, str], None], missing: str
) -> None:
    stranger("1", "red")
    if missing:
        leave_out(missing)
    store = Store(tmp_path / "store")
    executor = Here(store)
    try:
        built = build(TwoKinds, store, executor, {}, lambda _: None)
        text = store.path(built.results["narration"].outputs["audio"].digest).read_text()
    finally:
        executor.close()
        store.close()
    assert text == ("the audio of a speech" if missing else "the audio of a narration")


def test_names_scenes_and_order_are_no_part_of_it() -> None:
    one = Step("hook/still", "still", "hook", "card", "1", {"seed": 1, "prompt": "a"}, {"look": graph.Artifact("0", 1)})
    other = Step("b/still", "still", "b", "card", "1", {"prompt": "a", "seed": 1}, {"look": graph.Artifact("0", 1)})
    assert one.resolve({}).key == other.resolve({}).key
    assert other.resolve({}).canonical() == '[1,"still","card","1",{"prompt":"a","seed":1},{"look":"0"}]'
