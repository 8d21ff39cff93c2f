"""The address that opens a file in the author's editor."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote


def link(editor: str, file: Path, line: int = 0, column: int = 1) -> str:
    """The address that opens a file in the author's editor, made from a template with {path}, {line} and {column}.

    Without a line, {line} is left for whoever knows it.
    """
    path = quote(file.absolute().as_posix())
    text = editor.replace("{path}", path if path.startswith("/") else f"/{path}").replace("{column}", str(column))
    return text.replace("{line}", str(line)) if line else text
