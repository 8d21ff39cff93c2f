"""One person's face over time: faces of frame after frame become tracks, gaps are filled, others are told apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .faces import Face, Points

NOBODY = "no face"
TURNED = "the face is turned away"
SEVERAL = "several faces, and no choice"
SMALL = "a face of less than 50 pixels"
SHOWN = frozenset(("", TURNED, SEVERAL))  # Reasons of frames that show a face which the model could have been given.
_LEAST_WIDTH = 50  # Pixels: what upstream takes at least.
_BESIDE = 0.5  # Of the largest face's width: a smaller one is somebody in the background.


class Seen(NamedTuple):
    """What is known of a frame: the face's points and which track they are of, or why there are none."""

    points: Points | None
    track: int
    reason: str  # Empty where the face can be used.


class Track:
    """A face from the first frame that shows it to the last, with short gaps in between."""

    def __init__(self, frame: int, face: Face) -> None:
        self.frames = [frame]
        self.faces = [face]

    def takes(self, frame: int, face: Face, gap: int) -> bool:
        """Whether a face of a frame is this one's: not far from where it was, and of about its size."""
        last = self.faces[-1]
        near = self.far(face) < 0.5 * last.width
        alike = 0.6 < face.width / last.width < 1.7
        return self.frames[-1] < frame <= self.frames[-1] + gap + 1 and near and alike

    def far(self, face: Face) -> float:
        """Pixels from where it was."""
        return float(np.linalg.norm(face.middle - self.faces[-1].middle))

    def add(self, frame: int, face: Face) -> None:
        """Go on with a face that it takes."""
        self.frames.append(frame)
        self.faces.append(face)


class _Known(NamedTuple):
    """A track in one of its frames; no points where the face looks away."""

    points: Points | None
    width: float


class Tracker:
    """Takes the faces of each frame in order; `gap` is how many frames a face may be lost for."""

    def __init__(self, gap: int, which: str = "") -> None:
        self._gap = gap
        self._which = which
        self._tracks: list[Track] = []
        self._live: list[Track] = []
        self._count = 0

    def add(self, faces: Sequence[Face]) -> None:
        """The next frame's faces."""
        self._live = [track for track in self._live if track.frames[-1] + self._gap + 1 >= self._count]
        for face in faces:
            mine = [track for track in self._live if track.takes(self._count, face, self._gap)]
            if mine:
                min(mine, key=lambda track: track.far(face)).add(self._count, face)
            else:
                self._live.append(Track(self._count, face))
                self._tracks.append(self._live[-1])
        self._count += 1

    def seen(self) -> list[Seen]:
        """What is known of every frame. What was there for a moment only was no face."""
        least = min(self._gap // 2 + 1, self._count)
        there: list[dict[int, _Known]] = [{} for _ in range(self._count)]
        for number, track in enumerate(self._tracks):
            if len(track.frames) >= least:
                for frame, known in _filled(track, self._gap):
                    there[frame][number] = known
        return [self._chosen(tracks) for tracks in there]

    def _chosen(self, tracks: dict[int, _Known]) -> Seen:
        if not tracks:
            return Seen(None, -1, NOBODY)
        widest = max(known.width for known in tracks.values())
        near = [number for number, known in tracks.items() if known.width >= _BESIDE * widest]
        if len(near) > 1 and not self._which:
            return Seen(None, -1, SEVERAL)
        number = self._pick(near, tracks)
        points, width = tracks[number]
        if width < _LEAST_WIDTH:
            return Seen(None, number, SMALL)
        return Seen(points, number, "" if points is not None else TURNED)

    def _pick(self, near: list[int], tracks: dict[int, _Known]) -> int:
        if self._which in {"left", "right"}:
            choose = min if self._which == "left" else max
            return choose(near, key=lambda number: self._tracks[number].faces[0].box[0])
        return max(near, key=lambda number: (tracks[number].width, -number))


def _filled(track: Track, gap: int) -> Iterator[tuple[int, _Known]]:
    """Each frame of a track: points between two that are known, if they are not far from each other in time."""
    span = range(track.frames[0], track.frames[-1] + 1)
    widths = np.interp(span, track.frames, [face.width for face in track.faces])
    known = {frame: face.points for frame, face in zip(track.frames, track.faces, strict=True) if not face.turned}
    points = dict(known)
    for one, other in pairwise(known):
        if other - one - 1 <= gap:
            for frame in range(one + 1, other):
                share = (frame - one) / (other - one)
                points[frame] = (1 - share) * known[one] + share * known[other]
    for frame, width in zip(span, widths, strict=True):
        yield frame, _Known(points.get(frame), float(width))
