"""A voice is written into persona.yaml, and not a character beside it changes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from engine.errors import MikebotError
from engine.splice import splice_voice, write_voice

SAID = {"checkpoint": "voice/ada.nemo", "dataset": "66508cab360a"}
FLOW = '{checkpoint: voice/ada.nemo, dataset: "66508cab360a"}'
FORMS = {
    "no voice": (
        "# c\nname: Ada  # her\ndrawn: true\n",
        f"# c\nname: Ada  # her\nvoice: {{nemo: {FLOW}}}\ndrawn: true\n",
    ),
    "another voice": (
        "name: Ada\nvoice:\n  # quiet\n  espeak: {voice: en-gb}  # x\nlook: {lora: a}",
        f"name: Ada\nvoice:\n  # quiet\n  espeak: {{voice: en-gb}}  # x\n  nemo: {FLOW}\nlook: {{lora: a}}",
    ),
    "an older one, on Windows": (
        "name: Ada\r\nvoice:\r\n  nemo:\r\n    checkpoint: old.nemo # old\r\n    cfg_scale: 2\r\n",
        "name: Ada\r\nvoice:\r\n  nemo:\r\n    checkpoint: voice/ada.nemo # old\r\n"
        '    dataset: "66508cab360a"\r\n    cfg_scale: 2\r\n',
    ),
    "JSON": (
        '{"name": "Ada", "voice": {"espeak": {"voice": "en"}}}',
        '{"name": "Ada", "voice": {"espeak": {"voice": "en"}, '
        '"nemo": {"checkpoint": "voice/ada.nemo", "dataset": "66508cab360a"}}}',
    ),
    "in braces": (
        "name: Ada\nvoice: {nemo: {reference: a.wav}}\n",
        'name: Ada\nvoice: {nemo: {reference: a.wav, dataset: "66508cab360a", checkpoint: voice/ada.nemo}}\n',
    ),
    "a name of several lines": (
        "name: >-\n  Ada\n  Example\n",
        f"name: >-\n  Ada\n  Example\nvoice: {{nemo: {FLOW}}}\n",
    ),
    "a byte order mark, no line's end": ("\ufeffname: Ada", f"\ufeffname: Ada\nvoice: {{nemo: {FLOW}}}"),
    "the same": (f"name: Ada\nvoice: {{nemo: {FLOW}}}\n", f"name: Ada\nvoice: {{nemo: {FLOW}}}\n"),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_way_to_write_a_persona(name: str) -> None:
    before, after = FORMS[name]
    assert splice_voice(before.encode(), "persona.yaml", "nemo", SAID).decode() == after


@pytest.mark.parametrize("text", ["name: Ada\nvoice:\n", "name: Ada\nvoice:\n  nemo: &v {speaker: 1}\n  other: *v\n"])
def test_what_cannot_be_written_alone_is_left_to_the_author(text: str) -> None:
    with pytest.raises(MikebotError) as refused:
        splice_voice(text.encode(), "persona.yaml", "nemo", SAID)
    message = "the voice cannot be written without changing more than that\n  write it by hand: "
    assert str(refused.value) == f"{message}voice: {{nemo: {FLOW}}}"


def test_a_persona_that_was_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "persona.yaml"
    file.write_text("name: Ada\n")
    base = hashlib.sha256(file.read_bytes()).hexdigest()
    file.write_text("name: Eve\n")
    with pytest.raises(MikebotError) as refused:
        write_voice(file, "nemo", SAID, base)
    assert str(refused.value) == "the persona was changed meanwhile\n  look at what it says now, and try again"
    assert file.read_text() == "name: Eve\n"
