"""Measure models of full size on this machine's GPU: `python -m benchmarks.gpu [still] [clip] [desktop] [lips]`.

One run of all takes under thirteen minutes of one H100, 60 GB of disk and 110 GB of memory. Where there is no GPU it
says so and runs the same on tiny models, in seconds: those figures tell that the harness works, and nothing of a real
model.
"""

from __future__ import annotations

import argparse
import datetime
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..table import Figure, table
from . import beside, capped, lips, measured, models
from .beside import Place
from .subjects import PLAIN, Subject, clip, still

NAMES = ("still", "clip", "desktop", "lips")
LEAST = 70e9  # Bytes of a device that models of full size need with plain settings.
EIGHT = {"backend": "torchao", "components": ["transformer"]}
EIGHT["options"] = {"quant_type": "Float8DynamicActivationFloat8WeightConfig"}
FIRST = {"cache": {"class": "FirstBlockCacheConfig", "threshold": 0.1}}
STILLS: dict[str, dict[str, Any]] = {
    "quantization: layerwise": {"quantization": {"backend": "layerwise"}},
    "cache: FirstBlockCacheConfig 0.1": FIRST,
}
TINY: dict[str, dict[str, Any]] = {"cache: FirstBlockCacheConfig 0.1": FIRST}


def main() -> int:
    """Measure what is named, or all; returns 1 if an aim was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)} (default: all)")
    parser.add_argument("--float8", action="store_true", help="torchao's float8 too, which compiles for minutes")
    args = parser.parse_args()
    names = args.names or NAMES
    if args.float8:
        STILLS["quantization: torchao, float8, compiled"] = {"quantization": EIGHT, "compile": True}
    if wrong := set(names) - set(NAMES):
        parser.error(f"no such measurement: {', '.join(sorted(wrong))}")
    found: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="benchmarks-gpu-") as folder:
        place = _place(Path(folder))
        print(_machine(place), flush=True)
        for name in names:
            start = time.perf_counter()
            for figure in PARTS[name](place):
                found.append(figure)
                print(table([figure]).splitlines()[-1], file=sys.stderr, flush=True)
            print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    print(table(found))
    return int(any(figure.met is False for figure in found))


def stills(place: Place) -> Iterator[Figure]:
    """FLUX.1-dev: plain code, our code, and every switch of the profiles."""
    yield from _ready(place, place.room / "models", models.FLUX)
    out = place.room / "still"
    subject = still(models.FLUX, "final", place.full)
    yield from beside.plain(place, subject, out, 3 if place.full else 2)
    yield from _switches(place, subject, STILLS, out)


def clips(place: Place) -> Iterator[Figure]:
    """Wan 2.1 image-to-video, 14B, likewise, in as many steps as there is time for."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-gpu-", dir=_memory()) as folder:
        yield from _ready(place, Path(folder), models.WAN)
        out = place.room / "clip"
        subject = clip(models.WAN, "final", place.full, place.room, 2)
        yield from beside.plain(place, subject, out, 1)
        yield from _switches(place, subject, {}, out)


def desktop(place: Place) -> Iterator[Figure]:
    """The profile for one card of 24 GB and a machine of 32 GB, held to both."""
    lies = place.room / "models"
    yield from _ready(place, lies, models.FLUX)
    yield from capped.figures(place, capped.subjects(place, "still"), "still")
    picture, plain = (place.room / part / "image" for part in ("capped-still", "still/ours"))
    if picture.exists() and plain.exists():
        far = measured.distance(picture, plain)
        yield Figure("desktop, flux: PSNR to plain settings (random weights)", far, "dB")
    shutil.rmtree(lies / models.FLUX)
    yield from _ready(place, lies, models.TI2V)
    yield from capped.figures(place, capped.subjects(place, "clip"), "clip")


PARTS = {"still": stills, "clip": clips, "desktop": desktop, "lips": lips.figures}


def _switches(place: Place, subject: Subject, some: dict[str, dict[str, Any]], out: Path) -> Iterator[Figure]:
    shipped = {name: getattr(subject.params, name) for name in PLAIN}
    every = {"profile final": shipped, **some} if place.full else TINY
    for name, changes in every.items():
        yield from beside.switched(subject, name, changes, out)


def _ready(place: Place, lies: Path, name: str) -> Iterator[Figure]:
    """Have a model in a folder of models, and name that folder to the engine."""
    os.environ["MIKEBOT_MODELS"] = str(lies)
    if (lies / name).exists():
        return
    if not place.full:
        models.small(lies, name)
        return
    models.small(place.room / "tiny", name)
    start = time.perf_counter()
    models.full(name, place.room / "tiny", lies)
    beside.reset()
    yield Figure(f"{name}: made of random numbers and saved", time.perf_counter() - start, "s")


def _place(room: Path) -> Place:
    import torch

    full = torch.cuda.is_available() and torch.cuda.get_device_properties(0).total_memory >= LEAST
    if not full:
        torch.set_num_threads(1)
    return Place(room, full, measured.rate("cuda" if full else "cpu"))


def _memory() -> str | None:
    """A folder that is memory, where there is one with room for a large model beside the disk that has none."""
    shared = Path("/dev/shm")
    return str(shared) if shared.is_dir() and shutil.disk_usage(shared).free > 60e9 else None


def _machine(place: Place) -> str:
    import diffusers
    import torch
    import transformers

    said = [f"{library.__name__} {library.__version__}" for library in (torch, diffusers, transformers)]
    said.append(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}")
    if place.full:
        speed = f"one {torch.cuda.get_device_name()}, {place.rate / 1e12:.0f} Tflop/s in products of matrices"
        return ", ".join([speed, *said])
    return ", ".join([f"no GPU of {LEAST / 1e9:.0f} GB: tiny models, which say nothing of real ones", *said])


if __name__ == "__main__":
    sys.exit(main())
