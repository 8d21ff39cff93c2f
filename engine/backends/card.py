"""still.card: what stands for a picture in a draft: its prompt, well set, on a drawn ground."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import BackendError
from ..kinds import Inputs, Still, Tell
from . import Light


@dataclass(frozen=True)
class CardParams(Still):
    """`text`: whether the prompt is set on the card."""

    text: bool = True


class Card(Light):
    """Draws a card in two tones that the style, the prompt and the seed choose; the persona stands on it."""

    kind = "still"
    name = "card"
    version = "1"
    Params = CardParams

    def check(self, params: CardParams) -> list[str]:
        sides = {"width": params.width, "height": params.height}
        return [
            f"{name} is {side}, but must be from 16 to 11520 pixels"
            for name, side in sides.items()
            if not 16 <= side <= 11520  # A picture of 7680 at the draft's scale of 1.5.
        ]

    def run(self, params: CardParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        from . import drawing

        reasons = self.check(params)
        if reasons:
            raise BackendError(reasons[0])
        tell.progress(0, 3)
        portrait = drawing.portrait(inputs["portrait"]) if "portrait" in inputs else None
        card = drawing.ground(params.width, params.height, f"{params.style}\0{params.prompt}\0{params.seed}")
        tell.progress(1, 3)
        place = drawing.stand(card, portrait) if portrait else None
        if params.text:
            drawing.title(card, params.prompt, params.style, portrait is not None)
        tell.progress(2, 3)
        drawing.save(card.picture, out / "image", place)
        tell.progress(3, 3)
