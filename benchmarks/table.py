"""What a benchmark found, and the one table that all of them are printed in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Figure(NamedTuple):
    """One number: what was measured, how good it should be, and what a peer took in the same run."""

    what: str
    value: float
    unit: str
    aim: float | None = None
    more: bool = False  # More is better.
    peer: str = ""
    peer_value: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the aim is reached; None where there is none."""
        if self.aim is None:
            return None
        return self.value >= self.aim if self.more else self.value <= self.aim


TITLES = ("what", "figure", "aim", "", "peer", "peer's figure", "ratio")


def row(figure: Figure) -> tuple[str, ...]:
    """A figure as cells. The ratio is how many times better than the peer we are."""
    met = figure.met
    ratio = ""
    if figure.peer_value:
        better = figure.value / figure.peer_value if figure.more else figure.peer_value / figure.value
        ratio = f"{better:.2g}x"
    return (
        figure.what,
        _number(figure.value, figure.unit),
        "" if figure.aim is None else _number(figure.aim, figure.unit),
        "" if met is None else "ok" if met else "MISSED",
        figure.peer,
        "" if figure.peer_value is None else _number(figure.peer_value, figure.unit),
        ratio,
    )


def table(figures: Iterable[Figure]) -> str:
    """All figures under each other."""
    cells = [TITLES, *map(row, figures)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _number(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 3 if abs(value) < 1 else 2
    return f"{value:.{digits}f} {unit}"
