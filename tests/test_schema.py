"""The quick check and jsonschema agree on every document, and the quick one knows every keyword we use."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import jsonschema
import pytest

from engine.document import parse
from engine.explain import _validator
from engine.schema import accepts, compiled, mistakes, schema

NAMES = ("storyboard", "persona", "profile")
REGION = {"x": 0.5, "y": 0.6, "width": 0.3, "height": 0.1}
GOOD: dict[str, Any] = {
    "storyboard": {
        "title": "T",
        "persona": "mikebot",
        "seed": 7,
        "language": "en-GB",
        "format": {"width": 1280, "height": 720, "fps": "30000/1001"},
        "captions": "burned",
        "loudness": -16.0,
        "poster": "one",
        "pronunciation": {"YAML": "yammel"},
        "scenes": [
            {"id": "one", "on_screen": True, "narration": "Hi.", "image_prompt": "a", "video_prompt": "b", "take": 2},
            {"id": "two", "on_screen": False, "duration": 2.5, "video": "v.mp4", "hold": True, "seed": 2**53},
        ],
    },
    "persona": {
        "name": "Mike",
        "drawn": False,
        "consent": {
            "who": "Ada",
            "scope": {"projects": ["a"], "purposes": ["voice"]},
            "from": "2026-01-01",
            "evidence": {"file": "a.pdf", "sha256": "0" * 64},
        },
        "look": {"lora": "l.bin", "weight": 0.5},
        "portrait": {"image": "p.png", "mouth": REGION, "eyes": [REGION]},
        "voice": {"espeak": {"pitch": 4, "voice": "en"}},
    },
    "profile": {
        "name": "final",
        "extends": "draft",
        "kinds": {"clip": {"backend": "x", "params": {"a": [1]}, "limits": {"seconds": 5, "fps": 16}}},
        "given": {"still": {"backend": "given"}},
    },
}
VALUES = (
    None,
    True,
    "",
    " ",
    "a\n",
    "A",
    "é\x07",
    "25/1",
    0,
    1,
    -1,
    17,
    7.0,
    2.5,
    2**60,
    [],
    {},
    [1],
    {"x": 1},
    "a" * 6000,
)


def places(data: Any) -> list[tuple[Any, Any]]:
    """Every container of a document, with each of its keys or indexes."""
    inner = list(data.items()) if isinstance(data, dict) else list(enumerate(data)) if isinstance(data, list) else []
    return [(data, key) for key, _ in inner] + [place for _, value in inner for place in places(value)]


def mutated(data: Any, chance: random.Random) -> Any:
    data = copy.deepcopy(data)
    for _ in range(chance.randint(1, 3)):
        where = places(data)
        if not where:
            return data
        holder, key = chance.choice(where)
        if chance.random() < 0.2:
            del holder[key]
        elif chance.random() < 0.2 and isinstance(holder, dict):
            holder[chance.choice(("naration", "", "hold", "video", "x"))] = holder[key]
        else:
            holder[key] = chance.choice(VALUES)
    return data


@pytest.mark.parametrize("name", NAMES)
def test_quick_check_and_jsonschema_agree(name: str) -> None:
    chance, quick, full = random.Random(name), accepts(name), _validator(schema(name))
    assert quick(GOOD[name])
    assert full.is_valid(GOOD[name])
    judged = [0, 0]
    for _ in range(600):
        data = mutated(GOOD[name], chance)
        assert quick(data) == full.is_valid(data), data
        judged[quick(data)] += 1
    assert min(judged) > 20  # Both answers were put to the test.


@pytest.mark.parametrize("name", NAMES)
def test_what_is_refused_is_always_explained(name: str) -> None:
    chance = random.Random(name)
    for _ in range(200):
        document = parse(json.dumps(mutated(GOOD[name], chance)).encode(), "x.yaml")
        if not document.mistakes:
            assert bool(mistakes(document, name)) != accepts(name)(document.data), document.text


def test_every_keyword_of_our_schemas_is_known() -> None:
    for name in NAMES:
        jsonschema.Draft202012Validator.check_schema(schema(name))
        compiled(schema(name))
    with pytest.raises(ValueError, match=r"^keywords that the quick check does not know: uniqueItems$"):
        compiled({"type": "array", "uniqueItems": True})


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_described(name: str) -> None:
    root = schema(name)

    def walk(part: dict[str, Any]) -> None:
        for key, field in part.get("properties", {}).items():
            assert field.get("description"), key
            walk(field)
        if isinstance(part.get("items"), dict):
            walk(part["items"])

    for part in (root, *root.get("$defs", {}).values()):
        walk(part)
