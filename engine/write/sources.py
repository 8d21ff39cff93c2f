"""Background material: files of text, Markdown or PDF, taken in within limits."""

from __future__ import annotations

import io
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..document import shown
from ..errors import UsageError
from .apart import Broken, TooLong, answer, ask

MOST_BYTES = 20_000_000  # Of a file.
MOST_FILE, MOST_ALL = 40_000, 80_000  # Characters that a model is shown of one file, and of all.
MOST_PAGES = 200
SECONDS = 60.0  # For the text of a PDF.


def read_sources(paths: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Names and texts, and notes on what was cut. Raises UsageError for what is no text."""
    found: list[tuple[str, str]] = []
    notes: list[str] = []
    left = MOST_ALL
    for path in map(Path, paths):
        text = read_source(path)
        most = min(MOST_FILE, left)
        if len(text) > most:
            notes.append(f"of {shown(path)}, the first {most:,} of {len(text):,} characters are used")
        found.append((path.name, text[:most]))
        left -= min(len(text), most)
    return found, notes


def read_source(path: Path) -> str:
    """The text of one file, its lines ended alike."""
    raw = read_bytes(path)
    if raw.startswith(b"%PDF-"):
        return _of_pdf(path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise UsageError(f"{shown(path)} is not text", "give text or Markdown in UTF-8, or a PDF that has text")
    if not text.strip():
        raise UsageError(f"{shown(path)} is empty", "leave it out, or name another")
    return "\n".join(text.splitlines())


def read_bytes(path: Path) -> bytes:
    """A file's bytes; a pipe or a device is never opened, a large file never read. Raises UsageError."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise UsageError(f"{shown(path)} is not a file", "name a file of text, Markdown or PDF")
        if about.st_size > MOST_BYTES:
            size = f"{about.st_size / 1e6:,.0f} MB"
            raise UsageError(f"{shown(path)} has {size}; at most 20 MB are read", "cut out what matters")
        return path.read_bytes()
    except OSError as problem:
        said = f"{shown(path)} cannot be read: {problem.strerror}"
        raise UsageError(said, "check its name and permissions") from None


def _of_pdf(path: Path) -> str:
    try:
        made: Any = ask("sources", {"path": str(path.absolute())}, SECONDS)
    except TooLong:
        made = {"wrong": f"is a PDF whose text is not found within {SECONDS:.0f} seconds"}
    except Broken:
        made = {"wrong": "is a PDF that cannot be read: it takes too much memory"}
    if "wrong" in made:
        raise UsageError(f"{shown(path)} {made['wrong']}", "save what matters of it as text")
    return str(made["text"])


def _pdf_text(said: Mapping[str, Any]) -> Mapping[str, str]:
    """Text of a PDF's pages, or what is wrong; runs in a process of its own."""
    import logging

    import pypdf

    logging.disable()  # It warns of every oddity.
    try:
        reader = pypdf.PdfReader(io.BytesIO(Path(said["path"]).read_bytes()))
        if reader.is_encrypted and not reader.decrypt(""):
            return {"wrong": "is a PDF with a password"}
        pages = [page.extract_text() for page in reader.pages[:MOST_PAGES]]
    except Exception as problem:  # It raises whatever a broken file brings about.
        return {"wrong": f"is a PDF that cannot be read: {str(problem) or type(problem).__name__}"}
    text = "\n\n".join("\n".join(page.splitlines()) for page in pages).replace("\0", "").strip()
    text = text.encode("utf-8", "replace").decode()
    return {"text": text} if text else {"wrong": "is a PDF without text: pictures of pages, perhaps"}


if __name__ == "__main__":
    answer(_pdf_text)
