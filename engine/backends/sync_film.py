"""A talking video as a stream: its frames are decoded twice, once to find faces and once to give them mouths.

    pass 1  footage ── faces ── tracks ── smooth ──► plan
    pass 2  footage ── crops ── windows ── crossfade ── paste ──► frames, one by one, in order

What is held depends on the length of a window, and not on that of the video.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate, groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from ..errors import BackendError
from ..kinds import rate
from .diffusion import library
from .faces import Face, FaceFinder, Pixels
from .faces_smooth import matrices
from .faces_track import Seen, Tracker
from .footage import Footage
from .sync_knobs import PARITY, LatentSyncParams
from .sync_models import Models
from .sync_plan import Matrix, Plan, planned
from .sync_sound import Hearing

if TYPE_CHECKING:
    from torch import Tensor

Value = TypeVar("Value")
_OWN_RATE = Fraction(25)  # What the model was trained on.
_GAP = 0.4  # Seconds for which a face may be lost.
Tell = Callable[[float], None]  # Told which share of the work is done; may raise.


def settled(params: LatentSyncParams) -> LatentSyncParams:
    """What `parity` makes of the other knobs."""
    return replace(params, **PARITY) if params.parity else params


class Shown:
    """The clips at the film's rate, in their own size."""

    def __init__(self, clips: Sequence[Path], frames: int, fps: Fraction) -> None:
        self._clips, self._frames, self._fps = clips, frames, fps

    def frames(self) -> Iterator[Pixels]:
        """Each frame of the film; where the same one is shown again, the very same array."""
        footage = Footage(self._clips, (0, 0), self._fps, lambda: None)
        shown = footage.key(0)
        pixels = footage.pixels()
        for frame in range(self._frames):
            key = footage.key(frame)
            if key != shown:
                shown, pixels = key, footage.pixels()
            yield pixels


def looked(
    shown: Shown, finder: FaceFinder, params: LatentSyncParams, spoken: Sequence[bool], resolution: int, tell: Tell
) -> Plan:
    """The first pass: what is to be done with every frame. Raises BackendError where that is too little."""
    fps = rate(params.fps)
    tracker = Tracker(round(_GAP * fps), params.which or ("largest" if params.parity else ""))
    counts: list[int] = []  # How often each picture is shown in a row.
    found: list[Face] = []
    last: Pixels | None = None
    for frame, pixels in enumerate(shown.frames()):
        tell(frame / params.frames)
        if last is None or not (pixels is last or np.array_equal(pixels, last)):
            found = finder.faces(pixels)
            counts.append(0)
        last = pixels
        counts[-1] += 1
        tracker.add(found)
    seen = tracker.seen()
    if params.parity:
        placed = _upstream(seen, resolution)
    else:
        firsts = [seen[stop - count] for count, stop in zip(counts, accumulate(counts), strict=True)]
        placed = _repeated(_smooth(firsts, resolution, _pace(counts, fps), params.smooth), counts)
    return planned(seen, placed, spoken, fps, params.least, fading=not params.parity)


def _pace(counts: Sequence[int], fps: Fraction) -> float:
    """Pictures a second. One that stands still for longer than a face may be lost says nothing of it."""
    most = max(1, round(_GAP * fps))
    return float(len(counts) / sum(min(count, most) for count in counts) * fps)


def _repeated(values: Sequence[Value], counts: Sequence[int]) -> list[Value]:
    return [one for one, count in zip(values, counts, strict=True) for _ in range(count)]


def _smooth(seen: Sequence[Seen], resolution: int, each: float, seconds: float) -> list[Matrix | None]:
    found: list[Matrix | None] = []
    for _, group in groupby(seen, lambda one: (one.track, one.reason)):
        run = list(group)
        points = [one.points for one in run if one.points is not None]
        found += matrices(points, resolution, each, seconds) if points else [None] * len(run)
    return found


def _upstream(seen: Sequence[Seen], resolution: int) -> list[Matrix | None]:
    """Points rounded to whole pixels, and the little that is carried from frame to frame."""
    from ..models.latentsync.align import Aligner

    aligner = Aligner(resolution)
    return [None if one.points is None else aligner.matrix(np.rint(one.points)) for one in seen]


class Mouths:
    """The second pass: frames with new mouths, in order; `tell` hears of each denoising step."""

    def __init__(self, models: Models, plan: Plan, params: LatentSyncParams, hearing: Hearing, tell: Tell) -> None:
        from ..models.latentsync.sync import Sync

        self._plan, self._params, self._hearing, self._tell = plan, params, hearing, tell
        self._resolution = models.resolution
        self._sync = Sync(models.unet, models.vae, models.resolution, params.seed)
        self._clock = Clock(rate(params.fps), params.own_rate)

    def frames(self, frames: Iterator[Pixels]) -> Iterator[Pixels]:
        """Every frame of the film; those that no mouth belongs to as they came, the very same."""
        reel, done = Reel(frames), 0
        for stretch in self._plan.stretches:
            for _ in range(done, stretch.start):
                yield reel.take()
            yield from self._spoken(stretch, reel)
            done = stretch.stop
        for _ in range(done, self._params.frames):
            yield reel.take()

    def _spoken(self, stretch: range, reel: Reel) -> Iterator[Pixels]:
        """A stretch of one person's frames: its windows see nothing beyond it."""
        from ..models.latentsync.crossfade import crossfaded

        moments = self._clock.moments(stretch)
        frame = stretch.start
        for place, face in crossfaded(self._made(stretch, moments, reel)):
            while frame < stretch.stop and self._clock.shown(frame) <= moments[place]:
                yield self._pasted(reel.take(), face, frame)
                frame += 1

    def _made(self, stretch: range, moments: range, reel: Reel) -> Iterator[tuple[range, Tensor]]:
        """Windows of mouths by place in the stretch, as many at once as are wanted."""
        from ..models.latentsync.crossfade import windows

        torch = library("torch")
        seen: dict[int, tuple[Tensor, Tensor]] = {}
        for group in batched(windows(len(moments), overlap=self._params.overlap), self._params.batch):
            for place in range(group[0].start, group[-1].stop):
                if place not in seen:
                    seen[place] = self._given(moments[place], self._clock.taken(moments[place], stretch), reel)
            given = [[seen[place] for place in span] for span in group]
            faces, audio = (torch.stack([torch.stack([one[part] for one in row]) for row in given]) for part in (0, 1))
            first, last = (self._clock.taken(moments[at], stretch) for at in (group[0].start, group[-1].stop - 1))
            made = self._synced(faces, audio, range(first, last + 1))
            yield from zip(group, made, strict=True)
            for place in [place for place in seen if place < group[-1].stop - self._params.overlap]:
                del seen[place]

    def _given(self, moment: int, frame: int, reel: Reel) -> tuple[Tensor, Tensor]:
        """A frame's face (3, R, R) and what it hears (S, D)."""
        from ..models.latentsync import warp

        matrix = self._plan.matrices[frame]
        assert matrix is not None  # noqa: S101  # A stretch has none without.
        cropped = warp.crop(reel.at(frame), matrix, self._resolution, self._params.rounded)
        face = warp.face(cropped, self._resolution)
        return library("torch").from_numpy(face.transpose(2, 0, 1).copy()), self._hearing.at(moment)

    def _synced(self, faces: Tensor, audio: Tensor, frames: range) -> Tensor:
        """(b, f, 3, R, R), of some frames of the film. Raises BackendError where the model's numbers are none."""

        def tell(done: int, total: int) -> None:
            self._tell((frames.start + len(frames) * done / total) / self._params.frames)

        made = self._sync.windows(faces, audio, self._params.steps, self._params.guidance, tell=tell)
        if not bool(made.isfinite().all()):
            message = "a mouth came out of the VAE with values that are no numbers"
            raise BackendError(message, "Set dtype: bfloat16 or float32.")
        return made

    def _pasted(self, pixels: Pixels, face: Tensor, frame: int) -> Pixels:
        from ..models.latentsync.mouth import paste_mouth
        from ..models.latentsync.paste import paste

        matrix = self._plan.matrices[frame]
        assert matrix is not None  # noqa: S101
        if self._params.mouth:
            return paste_mouth(pixels, face, matrix, self._plan.strengths[frame])
        return paste(pixels, face, matrix, self._params.rounded)


class Clock(NamedTuple):
    """Which frame of the model a frame of the film shows, and where the model's are taken from."""

    fps: Fraction
    own: bool  # The model's frames come 25 a second.

    def shown(self, frame: int) -> int:
        """The model's frame at the middle of one of the film."""
        return int((frame + Fraction(1, 2)) * _OWN_RATE / self.fps) if self.own else frame

    def moments(self, stretch: range) -> range:
        """All of the model's frames that a stretch of the film shows."""
        return range(self.shown(stretch.start), self.shown(stretch.stop - 1) + 1)

    def taken(self, moment: int, stretch: range) -> int:
        """The film's frame at the middle of one of the model's."""
        frame = int((moment + Fraction(1, 2)) * self.fps / _OWN_RATE) if self.own else moment
        return min(max(frame, stretch.start), stretch.stop - 1)


class Reel:
    """Frames that are decoded in order, each held until it is taken."""

    def __init__(self, frames: Iterator[Pixels]) -> None:
        self._frames = frames
        self._held: deque[Pixels] = deque()
        self._first = 0

    def at(self, frame: int) -> Pixels:
        """A frame that is not taken yet."""
        while self._first + len(self._held) <= frame:
            self._held.append(next(self._frames))
        return self._held[frame - self._first]

    def take(self) -> Pixels:
        """The next frame, for good."""
        frame = self.at(self._first)
        self._held.popleft()
        self._first += 1
        return frame


def batched(spans: Sequence[range], most: int) -> Iterator[list[range]]:
    """Windows in their order, as many together as are allowed and are of one length."""
    for _, group in groupby(spans, len):
        alike = list(group)
        yield from (alike[at : at + most] for at in range(0, len(alike), most))
