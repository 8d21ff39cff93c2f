"""The models of a profile, brought to this machine: each at its pinned revision, and only what a render reads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple, Protocol

from . import hub
from .backends.memory_need import gigabytes
from .backends.model_folder import HUB_ID, cache
from .disk import KEEP_FREE, free
from .errors import BackendError, MikebotError
from .hub import FetchError, Listing, Unknown
from .profile import mistake_at
from .storyboard import Profile
from .wanted import Wanted, alone, beside, lacking, wanted

AT_ONCE = 4  # Files; one connection alone seldom fills a fast line.


class Tell(Protocol):
    """Whoever wants to know how it goes."""

    def begins(self, listing: Listing, revision: str, left: int, named: bool) -> None:
        """A model is about to be fetched; `left` bytes of it are not here; `named` by a profile, which may pin it."""

    def came(self, size: int) -> None:
        """So many bytes came; below zero, so many have to come again. Called from any thread."""

    def ended(self, listing: Listing) -> None:
        """A model is here, whole."""


class Failures(MikebotError):
    """Some models could not be fetched; the others were."""

    def __init__(self, failures: list[MikebotError]) -> None:
        super().__init__("\n".join(str(failure) for failure in failures))
        self.exit_code = max(failure.exit_code for failure in failures)


class Fetched(NamedTuple):
    """How many models a profile names, and how many of them were fetched now."""

    named: int
    now: int


def fetch(profile: Profile, root: Path, tell: Tell) -> Fetched:
    """Bring what is missing. Raises Failures, when all else has come; what did come of a file is kept."""
    return _brought(lambda: wanted(profile), profile.name, root, tell)


def fetch_alone(names: Sequence[str], tell: Tell) -> Fetched:
    """Bring models that no profile names: MODEL, or MODEL@REVISION. Raises like `fetch`."""
    named = [alone(model, revision) for model, _, revision in (name.partition("@") for name in names)]
    return _brought(lambda: [*named, *(reader for one in named for reader in beside(one))], "", Path(), tell)


def _brought(named: Callable[[], list[Wanted]], profile: str, root: Path, tell: Tell) -> Fetched:
    """Bring what is missing, and then what is wanted by what has come."""
    absent = list(lacking(named()))
    _bring_all(absent, profile, root, tell)
    known = {one.model for one, _ in absent}
    more = [(one, reason) for one, reason in lacking(named()) if one.model not in known]
    _bring_all(more, profile, root, tell)
    return Fetched(len(named()), len(absent) + len(more))


def _bring_all(absent: Sequence[tuple[Wanted, BackendError]], profile: str, root: Path, tell: Tell) -> None:
    """Bring what can come, and raise Failures for what cannot."""
    failures = list[MikebotError]()
    found: list[tuple[Wanted, Listing]] = []
    for one, reason in absent:
        try:
            found.append((one, _listed(one, reason)))
        except Unknown as problem:
            place = (*one.path, problem.about)
            told = (place, problem.message, problem.hint)
            failures.append(mistake_at(profile, root, *told) if one.path else problem)
        except MikebotError as problem:
            failures.append(problem)
    _room([listing for _, listing in found])
    for one, listing in found:
        try:
            _fetch(listing, one.revision, tell, named=bool(one.path))
        except FetchError as problem:
            failures.append(problem)
    if failures:
        raise failures[0] if len(failures) == 1 else Failures(failures)


def _listed(one: Wanted, reason: BackendError) -> Listing:
    """What is to come of a model. Raises FetchError."""
    if one.own():
        raise FetchError(f"{reason.message}: it lies in a folder of yours, where nothing is fetched to", reason.hint)
    if not HUB_ID.fullmatch(one.model):
        hint = "Put its folder below one that MIKEBOT_MODELS names, or name an id such as black-forest-labs/FLUX.1-dev."
        raise Unknown(f"'{one.model}' is no id of the hub, and there is no folder of that name", hint)
    return hub.listing(one.model, one.revision, one.file, one.layout)


def _room(listings: list[Listing]) -> None:
    """Refuse, before anything is fetched, what the disk has no room for. Raises FetchError."""
    has, left = free(cache()), sum(listing.left() for listing in listings)
    if left and left + KEEP_FREE > has:
        message = f"{gigabytes(left)} are to be fetched, and the disk of {cache()} has {gigabytes(has)} free"
        raise FetchError(message, "Free some space, or set HF_HUB_CACHE to a folder of a larger disk.")


def _fetch(listing: Listing, revision: str, tell: Tell, *, named: bool) -> None:
    """Have a model here, whole. Raises FetchError."""
    with hub.alone(listing.model):
        tell.begins(listing, revision, listing.left(), named)
        _bring(listing, tell)
        hub.place(listing, revision)
        tell.ended(listing)


def _bring(listing: Listing, tell: Tell) -> None:
    """Bring a model's files, several at once; Ctrl-C ends that at the next block of each."""
    stop = threading.Event()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        coming = [pool.submit(hub.bring, listing, file, tell.came, stop) for file in listing.files]
        try:
            wait(coming, return_when=FIRST_EXCEPTION)
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)
    for done in coming:
        if not done.cancelled():
            done.result()
