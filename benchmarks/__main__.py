"""Measure everything, or what is named, and print one table: `python -m benchmarks [NAME]... [--quick]`."""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import time
from pathlib import Path

from .place import Options
from .table import Figure, table

NAMES = ("startup", "nothing", "edit", "join", "smooth", "film", "live", "grammar", "memory", "voice", "lips")


def main() -> int:
    """Run benchmarks one after the other; returns 1 if an aim was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="100 scenes in place of 1,000, 3 minutes in place of 30")
    parser.add_argument("--scenes", type=int, help="scenes of the large film (1,000)")
    parser.add_argument("--minutes", type=int, help="length of the long film (30)")
    parser.add_argument("--whole", action="store_true", help="let MoviePy compose every scene, not only some")
    args = parser.parse_args()
    if wrong := set(args.names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(wrong))}")
    scenes, minutes = (100, 3) if args.quick else (1000, 30)
    found: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as room:
        options = Options(args.scenes or scenes, args.minutes or minutes, args.whole, Path(room))
        for name in args.names or NAMES:
            start = time.perf_counter()
            found += importlib.import_module(f".{name}", __package__).figures(options)
            print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    print(table(found))
    return int(any(figure.met is False for figure in found))


if __name__ == "__main__":
    sys.exit(main())
