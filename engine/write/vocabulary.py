"""Words that notes use, and things that stand for them in a picture; how pictures are seen, and what moves in them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

# Where nothing that is said can be drawn: pauses for the eye.
QUIET = (
    "a winding road between stone walls, mist beyond",
    "a small house with one lit window at dusk",
    "a folded boat on dark water",
    "an oak on a hill, its leaves moving",
    "a desk by a window, rain outside",
    "a signpost with three arrows at a fork",
    "a sailing boat leaving harbour in the morning",
    "brass gears, each turning the next",
    "a lantern in the fog",
    "a full moon above one lit window",
    "a path of lanterns through a wood",
    "an old clock with its glass open",
)

# Said of a thing that is in no list, so that it makes a picture.
FRAMES = (
    "{a} {thing} in close-up, the background soft",
    "{a} {thing} on a workbench, seen from above",
    "{a} {thing} on white linen, long shadows",
    "{a} {thing} by a window, dust in the air",
)
PLURAL = (
    "{thing} laid out in rows on white linen",
    "a handful of {thing} on a workbench",
    "{thing} in close-up, the background soft",
    "{thing} on a windowsill, seen from low down",
)
SHOTS = (
    "", "soft haze", "seen from above", "long shadows", "seen from low down", "a warm glow from the left",
    "dust in the air", "close-up", "the background soft", "muted colours", "wide shot", "rain on the glass",
)  # fmt: skip
WITH = (
    "{who} beside {thing}", "{who} pointing at {thing}", "{who} turning towards {thing}",
    "{who} looking closely at {thing}", "{who} walking past {thing}", "{who} in front of {thing}",
)  # fmt: skip
MOVES = (
    "slow push in", "slow pan right", "slow pull back", "slow tilt up", "slow pan left", "slow push in from above",
    "gentle drift to the left", "slow tilt down", "slow pull back until the whole place is seen", "slow orbit",
)  # fmt: skip
MOVES_WITH = (
    "a nod to us, slow push in", "a look at it, then at us, hold still", "one hand points it out, slow push in",
    "leans in to listen, slow push in", "thinks for a moment, then smiles, hold still",
    "a small gesture with both hands, slow pan right", "looks round, puzzled, slow pan left",
)  # fmt: skip
LAST_MOVE = "nods to us, slow pull back"


@cache
def things() -> Mapping[str, tuple[str, ...]]:
    """The phrases of a word, in the order of things.txt; of two lines that name a word the first counts."""
    found: dict[str, tuple[str, ...]] = {}
    for line in (Path(__file__).parent / "things.txt").read_text("utf-8").splitlines():
        words, colon, phrases = line.partition(": ")
        if colon and not line.startswith("#"):
            ways = tuple(phrase.strip() for phrase in phrases.split("|"))
            for word in words.split():
                found.setdefault(word, ways)
    return found


@cache
def no_things() -> frozenset[str]:
    """Words that name no thing, however often an article stands before them."""
    return frozenset((Path(__file__).parent / "no_things.txt").read_text("utf-8").split())


@cache
def small_words() -> frozenset[str]:
    """English words that hold sentences together."""
    return frozenset((Path(__file__).parent / "small_words.txt").read_text("utf-8").split())
