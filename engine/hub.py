"""What is said to Hugging Face's hub, through its own library: which files a model has, and their bytes.

The library begins a file anew when its process was ended, and a shard has ten gigabytes. So the bytes are brought
here, into a `.part` beside where they belong in the library's cache, checked against the digest that the hub told, and
given to the library, which puts them in their places. HF_ENDPOINT, HF_TOKEN and HF_HUB_CACHE mean what they mean to it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from .backends import model_folder, transformers_folder
from .errors import MikebotError

PATIENCE, PAUSE, TRIES = 20.0, 1.0, 5  # Seconds to wait for bytes, seconds between tries, tries without any new bytes.
_FINAL = range(400, 408)  # Answers that are the same when asked again.
_TEXTS = (".json", ".txt", ".model", ".jinja", ".tiktoken")
# The main weights of a part, as diffusers and transformers name them; those of another precision have longer names.
_WEIGHTS = re.compile(r"(diffusion_pytorch_model|model)(-\d+-of-\d+)?\.safetensors(\.index\.json)?")
_DIGEST = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")  # It becomes a file's name.
_CARDS = re.compile(r"README\.md|LICEN[SC]E[\w.-]*", re.IGNORECASE)


class FetchError(MikebotError):
    """A model cannot be fetched."""


class Unknown(FetchError):
    """The hub has no model, no revision or no file of a name; `about` is the word of the profile that names it."""

    exit_code = 2

    def __init__(self, message: str, hint: str, about: str = "model") -> None:
        super().__init__(message, hint)
        self.about = about


class File(NamedTuple):
    """One file of a model; `digest` is its SHA-256, or for a small file what git calls it."""

    name: str
    size: int
    digest: str
    large: bool


class Listing(NamedTuple):
    """The files of a model at a commit that a render needs, and those that the hub has beside them."""

    model: str
    commit: str
    files: list[File]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    def blob(self, file: File) -> Path:
        """Where the library's cache has the bytes of a file."""
        return model_folder.hold(self.model, self.commit).own / "blobs" / file.digest

    def left(self) -> int:
        """How many bytes are still to come."""
        return sum(file.size - _size(self.blob(file), _part(self.blob(file))) for file in self.files)


def listing(model: str, revision: str, lora: str = "", layout: str = "") -> Listing:
    """What is to be fetched of a model, or of a LoRA's file. Raises FetchError.

    `layout`: of transformers_folder; empty for a pipeline of diffusers.
    """
    with explained(model, revision):
        info = _library().HfApi().model_info(model, revision=revision or "main", files_metadata=True)
        there = {one.rfilename: _file(one) for one in info.siblings or ()}
        commit = str(info.sha)
    if lora:
        wanted = [lora]
    elif layout:
        wanted = transformers_folder.chosen(model, list(there), layout, _TEXTS)
        if not wanted:
            hint = "Name one of transformers, with a config.json and its weights beside it, or a .nemo archive."
            raise Unknown(f"{model} on the hub is no {layout} of transformers", hint)
    elif "model_index.json" in there:
        index = Listing(model, commit, [there["model_index.json"]])
        with alone(model):
            bring(index, index.files[0], lambda _: None)
        wanted = list(_needed(index.blob(index.files[0]).read_bytes(), there))
    else:
        raise Unknown(f"{model} on the hub is no model of diffusers: it has no model_index.json", _ANOTHER)
    if lora and lora not in there:
        raise Unknown(f"{model} on the hub has no file {lora}", "Check file: in the profile.", "file")
    cards = [name for name in there if _CARDS.fullmatch(name)]
    return Listing(model, commit, [there[name] for name in dict.fromkeys([*cards, *wanted])])


_ANOTHER = "Name a model in the layout of diffusers; many have -Diffusers at the end of their names."


def _needed(index: bytes, there: dict[str, File]) -> Iterator[str]:
    """The names of what a pipeline is loaded from; the index comes last, so that half a model is none."""
    for part in model_folder.parts_of(index):
        own = {name.removeprefix(f"{part}/"): name for name in there if name.startswith(f"{part}/")}
        tensors = [name for name in own if name.endswith(".safetensors")]
        main = [name for name in tensors if _WEIGHTS.fullmatch(name)] or tensors
        texts = [name for name in own if name.endswith(_TEXTS) and "/" not in name]
        indices = [name for name in texts if not name.endswith(".index.json") or _WEIGHTS.fullmatch(name)]
        yield from (own[name] for name in sorted([*indices, *main]))
    yield "model_index.json"


def bring(listing: Listing, file: File, heard: Callable[[int], None], stop: threading.Event | None = None) -> None:
    """Have the bytes of a file in the cache; `heard` is told how many came. Raises FetchError.

    A connection that breaks is taken up again where it was, now or by the next process. `stop` ends it at a block.
    """
    blob = listing.blob(file)
    if blob.is_file():
        return
    blob.parent.mkdir(parents=True, exist_ok=True)
    part, tries = _part(blob), 0
    while _size(part) < file.size or not part.exists():
        before = _size(part)
        try:
            _more(listing, file, part, heard, stop)
        except _library().errors.HTTPError as problem:
            tries = tries + 1 if _size(part) == before else 0
            answered = getattr(problem, "response", None)
            if tries >= TRIES or (answered is not None and answered.status_code in _FINAL):
                with explained(listing.model, listing.commit):
                    raise
            time.sleep(PAUSE)
        if stop is not None and stop.is_set():
            return
    if _digest(part, file) != file.digest:
        part.unlink()
        message = f"{file.name} of {listing.model} came out damaged, and was removed"
        raise FetchError(message, "Type the same again: what is whole is kept.")
    part.replace(blob)


def _more(listing: Listing, file: File, part: Path, heard: Callable[[int], None], stop: threading.Event | None) -> None:
    """Go on with a file where it ends."""
    library = _library()
    headers = library.utils.build_hf_headers() | {"Accept-Encoding": "identity"}
    begin = _size(part)
    if begin:
        headers["Range"] = f"bytes={begin}-"
    url = library.hf_hub_url(listing.model, file.name, revision=listing.commit)
    with library.get_session().stream("GET", url, headers=headers, timeout=PATIENCE, follow_redirects=True) as answer:
        library.utils.hf_raise_for_status(answer)
        if begin and answer.status_code != 206:
            heard(-begin)
        with part.open("ab" if answer.status_code == 206 else "wb") as out:
            for block in answer.iter_bytes():
                out.write(block)
                heard(len(block))
                if stop is not None and stop.is_set():
                    return


def place(listing: Listing, revision: str) -> Path:
    """Put files whose bytes are there into their folder of the cache, and note which commit a branch means."""
    library, found = _library(), Path()
    cache = model_folder.cache()
    with explained(listing.model, listing.commit):
        for file in listing.files:
            found = Path(library.hf_hub_download(listing.model, file.name, revision=listing.commit, cache_dir=cache))
    if not listing.commit.startswith(revision or "main"):
        named = model_folder.hold(listing.model, revision).own / "refs" / (revision or "main")
        named.parent.mkdir(parents=True, exist_ok=True)
        named.write_text(listing.commit, "utf-8")
    return found.parent


@contextlib.contextmanager
def alone(model: str) -> Iterator[None]:
    """Held while a model is fetched: two who write the same file would spoil it. Raises FetchError."""
    lock = model_folder.cache() / ".locks" / f"models--{model.replace('/', '--')}" / "mikebot.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = contextlib.ExitStack()
        held.enter_context(_library().utils.WeakFileLock(lock, timeout=1))
    except TimeoutError:
        raise FetchError(f"{model} is being fetched by another mikebot", "Wait for it, or end it.") from None
    with held:
        yield


def page(model: str) -> str:
    """The address of a model's page."""
    return f"{os.environ.get('HF_ENDPOINT') or _library().constants.ENDPOINT}/{model}"


@contextlib.contextmanager
def explained(model: str, revision: str) -> Iterator[None]:
    """Errors of the library as ours. Raises FetchError."""
    errors = _library().errors
    again = "Type the same again once it can: what has come is kept."
    try:
        yield
    except errors.GatedRepoError:
        raise FetchError(f"{model} is given only to those who accepted its terms", _accept(model)) from None
    except errors.RevisionNotFoundError:
        hint = f"Its page lists them: {page(model)}"
        raise Unknown(f"the hub has no revision {revision} of {model}", hint, "revision") from None
    except errors.RepositoryNotFoundError:
        hint = "Check model: in the profile; if it is a private one, type hf auth login, or set HF_TOKEN."
        raise Unknown(f"the hub has no model {model}, or does not show it to you", hint) from None
    except errors.OfflineModeIsEnabled:
        raise FetchError(f"{model} cannot be fetched: HF_HUB_OFFLINE is set", "Unset it, and try again.") from None
    except errors.HFValidationError:
        raise Unknown(f"'{model}' is no id of the hub", "Name one such as black-forest-labs/FLUX.1-dev.") from None
    except errors.HTTPError as problem:
        answer = getattr(problem, "response", None)
        where = page(model).removesuffix(f"/{model}")
        if answer is None:
            raise FetchError(f"{where} cannot be reached for {model}: {_brief(problem)}", again) from None
        said = f"{where} answered {answer.status_code} {answer.reason_phrase}"
        raise FetchError(f"{model} cannot be fetched: {said}", again) from None
    except ValueError:
        where = page(model).removesuffix(f"/{model}")
        raise FetchError(
            f"what {where} answers is no hub's answer", "Is it one, or is a login page before it?"
        ) from None


def _accept(model: str) -> str:
    """How to come by a model with terms, with a token and without."""
    if _library().get_token():
        return f"Accept them at {page(model)} as the user whose token is set, and type the same again."
    return f"Accept them at {page(model)}, then type hf auth login, or set HF_TOKEN."


def _brief(problem: BaseException) -> str:
    return str(problem).strip().split("\n")[0][:200] or type(problem).__name__


def _file(one: Any) -> File:
    large = one.lfs is not None
    file = File(one.rfilename, int(one.size or 0), str(one.lfs.sha256 if large else one.blob_id), large)
    if not _DIGEST.fullmatch(file.digest):
        raise FetchError(f"the hub tells no digest of {file.name}", "If HF_ENDPOINT names a mirror, use another.")
    return file


def _part(blob: Path) -> Path:
    return blob.with_name(f"{blob.name}.part")


def _size(*files: Path) -> int:
    """The size of the first of some files that is there."""
    return next((file.stat().st_size for file in files if file.is_file()), 0)


def _digest(part: Path, file: File) -> str:
    """A file's SHA-256, or its name in git, as the hub tells it."""
    with part.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest() if file.large else _git(data, part.stat().st_size)


def _git(data: BinaryIO, size: int) -> str:
    found = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    found.update(data.read())
    return found.hexdigest()


def _library() -> Any:
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ImportError:
        message = "fetching needs huggingface_hub, which is not installed"
        raise FetchError(message, "pip install 'mikebot[final]'") from None
    return huggingface_hub
