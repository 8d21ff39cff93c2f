"""A place in a still that is painted over and given back: each state is drawn once, then copied in."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from .picture import Pixels, Planes, planes_of

RING = 2  # Pixels around the painted part, whose chroma also depends on what lies beyond.


class Painted:
    """The pixels around a middle, and the window onto the planes that states are copied to."""

    def __init__(self, rgb: Pixels, planes: Planes, edges: tuple[float, float, float, float]) -> None:
        height, width = rgb.shape[:2]
        left, right = _even(edges[0], width), _even(edges[2] + 2, width)
        top, bottom = _even(edges[1], height), _even(edges[3] + 2, height)
        self.left, self.top = left, top
        self.fits = right - left > 3 * RING and bottom - top > 3 * RING
        if not self.fits:
            return
        self.own = rgb[top:bottom, left:right].copy()
        self._place = planes.part(left + RING, top + RING, right - left - 2 * RING, bottom - top - 2 * RING)
        self._drawn: dict[Hashable, Planes] = {None: self._inner(self.own)}

    def show(self, state: Hashable, paint: Callable[[], Pixels]) -> None:
        """Show a state, painted if it is new; None is the still's own."""
        if state not in self._drawn:
            self._drawn[state] = self._inner(paint())
        for below, above in zip(self._place, self._drawn[state], strict=True):
            below[:] = above

    def _inner(self, rgb: Pixels) -> Planes:
        height, across = rgb.shape[:2]
        inner = planes_of(rgb).part(RING, RING, across - 2 * RING, height - 2 * RING)
        return Planes(*(plane.copy() for plane in inner))


def _even(value: float, high: int) -> int:
    return int(min(high, max(0, value))) // 2 * 2
