"""still.card: what stands for a picture in a draft: its prompt, well set, on a drawn ground."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import BackendError
from ..kinds import Inputs, Still, Tell
from . import Light


@dataclass(frozen=True)
class CardParams(Still):
    """`text`: whether words of the prompt are set on the card."""

    text: bool = True


class Card(Light):
    """Draws what the prompt names in the colours of the theme; the persona stands on it."""

    kind = "still"
    name = "card"
    version = "3"
    likeness = False
    Params = CardParams

    def check(self, params: CardParams) -> list[str]:
        sides = {"width": params.width, "height": params.height}
        return [
            f"{name} is {side}, but must be from 16 to 11520 pixels"
            for name, side in sides.items()
            if not 16 <= side <= 11520  # A picture of 7680 at the draft's scale of 1.5.
        ]

    def run(self, params: CardParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        from . import drawing, fonts, layout

        reasons = self.check(params)
        if reasons:
            raise BackendError(reasons[0])
        tell.progress(0, 3)
        fonts.use(inputs.many("font"))
        figure = drawing.portrait(inputs["portrait"]) if "portrait" in inputs else None
        card = drawing.begun(params)
        if figure is None and (params.persona or {}).get("silhouette"):
            from .silhouette import silhouette

            figure = silhouette(card, *params.persona["silhouette"])  # type: ignore[index]
        tell.progress(1, 3)
        place = None
        if figure is not None:
            box = layout.window_box if params.beside else layout.portrait_box
            more = () if params.beside else (card.left,)
            place = box(params.width, params.height, figure.width / figure.height, *more)
        if not params.beside:
            drawing.draw(card, figure is not None)
        if figure is not None and place is not None:
            drawing.stand(card, figure, place)
        if params.text and not params.beside:
            drawing.words(card, params, figure is not None)
        tell.progress(2, 3)
        drawing.save(card.picture, out / "image", place)
        tell.progress(3, 3)
