"""Boards that look unusual and are right: each renders, and its film says and shows what the board does."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from command_kit import mikebot, workspace
from PIL import Image

HEAD = "title: {title}\npersona: mikebot\nformat: {{width: {width}, height: {height}}}\n"
SCENE = """\
  - id: only
    on_screen: true
    narration: {narration}
    image_prompt: {prompt}
    video_prompt: slow push in
"""
BOARDS: dict[str, dict[str, str]] = {
    "one scene": {"narration": "Hello.", "shown": "Hello."},
    "emoji": {"title": "🤖 & 👩‍🚀", "narration": "Go 🚀 now!", "prompt": "a rocket 🚀👩‍🚀", "shown": "Go 🚀 now!"},
    "only emoji": {"narration": '"🚀"', "shown": ""},
    "arabic": {
        "language": "ar",
        "title": "جدار",
        "narration": "مرحبا بكم.",
        "prompt": "باب أحمر",
        "shown": "مرحبا بكم.",
    },
    "chinese": {
        "language": "zh",
        "title": "防火墙",
        "narration": "你好,世界。",
        "prompt": "红门",
        "shown": "你好,世界。",
    },
    "template": {
        "narration": "'{{ 7 * 7 }} is ${HOME}.'",
        "prompt": "'{% raw %} %s'",
        "shown": "{{ 7 * 7 }} is ${HOME}.",
    },
    "markup": {
        "title": "'<b> --> {x}'",
        "narration": "One <b>two</b> & three.",
        "shown": "One &lt;b&gt;two&lt;/b&gt; &amp; three.",
    },
}


def board(narration: str = "Hello.", title: str = "T", prompt: str = "a door", size: str = "64x36", **more: str) -> str:
    more.pop("shown", None)
    width, height = size.split("x")
    head = HEAD.format(title=title, width=width, height=height)
    extra = "".join(f"{key}: {value}\n" for key, value in more.items())
    return f"{head}{extra}scenes:\n{SCENE.format(narration=narration, prompt=prompt)}"


def film(root: Path, size: tuple[int, int]) -> str:
    """Render the workspace's board, decode its film, and return the captions beside it."""
    said = mikebot(root, "render", "projects/doors", "--json")
    assert (said.code, said.err) == (0, "")
    made = root / "projects/doors/build/doors.mp4"
    with av.open(str(made)) as container:
        frames = sum(1 for frame in container.decode(video=0) if (frame.width, frame.height) == size)
        container.seek(0)
        heard = sum(frame.samples for frame in container.decode(audio=0))
    assert frames >= 8
    assert abs(heard / 48000 - frames / 25) < 0.05
    return made.with_suffix(".vtt").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "captions"), [*((name, "burned") for name in BOARDS), ("emoji", "soft"), ("markup", "soft")]
)
def test_it_renders(tmp_path: Path, name: str, captions: str) -> None:
    root = workspace(tmp_path, board(**BOARDS[name], captions=captions))
    text = film(root, (64, 36)).replace("\n", " ")
    assert BOARDS[name]["shown"] in text


@pytest.mark.parametrize("size", ["36x64", "320x180", "16x16", "640x16"])
def test_any_shape_renders(tmp_path: Path, size: str) -> None:
    width, height = map(int, size.split("x"))
    film(workspace(tmp_path, board(size=size, captions="burned")), (width, height))


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_a_portrait_of_4k_renders(tmp_path: Path, mode: str) -> None:
    root = workspace(tmp_path, board())
    picture = Image.linear_gradient("L").resize((3840, 2160)).convert(mode)
    picture.save(root / "personas/mikebot/portrait.png", compress_level=1)
    film(root, (64, 36))


def test_a_silent_scene_renders(tmp_path: Path) -> None:
    text = board().replace("    narration: Hello.\n", "    duration: 0.5\n")
    assert film(workspace(tmp_path, text), (64, 36)) == "WEBVTT\n\n"
