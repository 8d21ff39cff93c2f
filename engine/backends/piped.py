"""A backend on a pipeline of diffusers: what `still.flux` and `clip.wan` have in common beside their knobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import signatures
from .diffusion_knobs import Knobs, settled, spec

if TYPE_CHECKING:
    from .resident import Resident

NOTE = "mikebot:note"  # What a picture says of itself: rounded sizes, and how much of its prompt was read.


class Piped:
    """A backend whose model is a pipeline of diffusers, made as the knobs of its params say."""

    exact = False  # On a processor it is; a GPU adds in any order.

    def __init__(self) -> None:
        from .resident import Resident

        self._resident: Resident = Resident()

    settled = staticmethod(settled)

    def model(self, params: Knobs) -> str:
        return spec(params)

    def size(self, model: str) -> int:
        """Bytes that a model takes in memory, as far as its files say."""
        from .resident import size

        return size(model)

    def load(self, model: str) -> None:
        self._resident.load(model)

    def unload(self, model: str) -> None:
        self._resident.unload()


def longest(params: Knobs) -> int:
    """Tokens that the text encoder with the most room reads."""
    own = signatures.call(params.pipeline).get("max_sequence_length", 512)
    return int(params.call.get("max_sequence_length", own))


def noted(notes: Sequence[str]) -> Any:
    """What is written into a PNG beside its pixels."""
    from PIL import PngImagePlugin

    text = PngImagePlugin.PngInfo()
    if notes:
        text.add_text(NOTE, "\n".join(notes))
    return text
