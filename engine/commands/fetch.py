"""mikebot fetch: download the models that a profile or you name, at their revisions; a second run goes on."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from ..backends.memory_need import gigabytes
from ..fetch import fetch, fetch_alone
from ..hub import Listing
from ..places import workspace
from ..profile import load_profile
from ..report import seconds

WORTH = 100_000  # Bytes that are already here and worth a word.
OFTEN = 0.2  # Seconds between two drawings of the line of progress.


def run(args: argparse.Namespace) -> int:
    """Fetch what is missing; nothing to do is a success."""
    if args.models:
        return _alone(args.models)
    root = workspace(Path(args.path))
    profile = load_profile(args.profile, root)
    with Progress(sys.stdout, sys.stderr) as progress:
        done = fetch(profile, root, progress)
    if not done.named:
        print(f"the profile {profile.name} needs no models")
    elif not done.now:
        print(f"nothing to fetch: {done.named} of {done.named} models of {profile.name} are here")
    return 0


def _alone(names: Sequence[str]) -> int:
    """Models that no profile names."""
    with Progress(sys.stdout, sys.stderr) as progress:
        done = fetch_alone(names, progress)
    if not done.now:
        print(f"nothing to fetch: {done.named} of {done.named} models are here")
    return 0


class Progress:
    """A line for each model on `out`, and how far it is on `live` where that is a terminal."""

    def __init__(self, out: TextIO, live: TextIO) -> None:
        self._out, self._live = out, live if live.isatty() else None
        self._lock = threading.Lock()
        self._begun = self._drawn = 0.0
        self._left = self._came = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._wipe()

    def begins(self, listing: Listing, revision: str, left: int, named: bool) -> None:
        """Say what is to come; a branch is told as the commit that it means."""
        self._begun, self._left, self._came = time.monotonic(), left, 0
        here = f", {gigabytes(listing.size - left)} of them here" if listing.size - left >= WORTH else ""
        files = f"{len(listing.files)} files"
        self._say(f"fetch   {listing.model}  {gigabytes(listing.size)} in {files}{here}, at {listing.commit[:12]}")
        if not listing.commit.startswith(revision or "main"):
            self._unpinned(listing, revision or "main", named)

    def _unpinned(self, listing: Listing, branch: str, named: bool) -> None:
        """Say that a branch moves, and how to hold to what it means today."""
        how = "pin it in the profile with" if named else "nothing here pins it. Today it is"
        self._say(f"        {branch} means another commit tomorrow: {how}")
        self._say(f"        revision: {listing.commit}" if named else f"        {listing.model}@{listing.commit}")

    def came(self, size: int) -> None:
        """Count bytes, and draw how far it is."""
        with self._lock:
            self._came += size
            now = time.monotonic()
            if self._live is not None and now - self._drawn >= OFTEN:
                self._drawn = now
                self._live.write(f"\r\x1b[K{self._line(now - self._begun)}")
                self._live.flush()

    def ended(self, listing: Listing) -> None:
        """Say that a model is here."""
        self._say(f"fetched {listing.model}  in {seconds(time.monotonic() - self._begun)}")

    def _line(self, took: float) -> str:
        """How much came, how fast, and how long it still takes at that pace."""
        speed = self._came / took if took > 0 else 0.0
        share = 100 * self._came // max(1, self._left)
        text = f"        {gigabytes(self._came)} of {gigabytes(self._left)}  {share} %"
        if took < 2 or speed <= 0:
            return text
        return f"{text}  {gigabytes(speed)}/s  {seconds((self._left - self._came) / speed)} left"

    def _say(self, text: str) -> None:
        self._wipe()
        self._out.write(f"{text}\n")
        self._out.flush()

    def _wipe(self) -> None:
        if self._live is not None:
            self._live.write("\r\x1b[K")
            self._live.flush()
