"""A storyboard that grows scene by scene: at every moment its file is valid, and what others write is never lost.

Each scene is written into a copy that then takes the place of the file. If somebody changed the file meanwhile (or
removed it, or an editor holds changes of it), it is left to them, as it is, from then on: what is still to come goes
into a storyboard of its own beside it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..document import parse, shown
from ..errors import MikebotError, UsageError
from ..inplace import CHANGED, create, held, replace
from ..unsaved import unsaved
from .edits import insert
from .hand import board_text


class Growing:
    """The file that scenes are added to, and what it is to hold above them."""

    def __init__(
        self,
        file: Path,
        head: Mapping[str, Any],
        comment: Sequence[str],
        note: Callable[[str], None],
        after: bytes = b"",
    ) -> None:
        self.file = file
        self.files: list[Path] = []  # All that were written.
        self._head, self._comment, self._note = head, comment, note
        self._raw = after  # What the file holds, as far as it is ours to add to.
        self._mine: list[Mapping[str, Any]] = []  # The scenes that were added to it.

    def add(self, scene: Mapping[str, Any]) -> None:
        """One more scene. Raises MikebotError where nothing can be written."""
        if self._raw:
            self._append(scene)
        else:
            self._begin([scene])
        self._mine.append(scene)
        self.files = list(dict.fromkeys([*self.files, self.file]))

    def whole(self, scenes: Sequence[Mapping[str, Any]]) -> None:
        """All scenes of a new file at once. Raises MikebotError."""
        try:
            create(self.file, board_text(self._head, scenes, self._comment).encode())
        except FileExistsError:
            raise UsageError(f"{shown(self.file)} is there already", "name another with --name") from None
        self.files = [self.file]

    def _begin(self, scenes: Sequence[Mapping[str, Any]]) -> None:
        made = board_text(self._head, scenes, self._comment).encode()
        try:
            create(self.file, made)
        except FileExistsError:
            self._leave(f"{shown(self.file)} was written by somebody else meanwhile")
            self._begin(scenes)
        else:
            self._raw = made

    def _append(self, scene: Mapping[str, Any]) -> None:
        target = Path(os.path.realpath(self.file))
        editor = unsaved(target)
        if editor:
            return self._elsewhere(scene, f"{editor} has unsaved changes of {shown(self.file)}")
        last = parse(self._raw, self.file.name).data["scenes"][-1]["id"]
        made = insert(self._raw, self.file.name, last, scene)
        try:
            replace(target, made, self._raw)
        except MikebotError as problem:
            if problem.message != CHANGED and target.exists():
                raise
            return self._elsewhere(scene, f"{shown(self.file)} was changed meanwhile")
        self._raw = made
        return None

    def _elsewhere(self, scene: Mapping[str, Any], why: str) -> None:
        """Go on in another file, with those scenes, too, that whoever changed this one did not see."""
        there = self._there()
        lost = [mine for mine in self._mine if mine["id"] not in there]
        more = f"; of those that it had, {', '.join(str(one['id']) for one in lost)} went with it, and go there, too"
        self._leave(why, more if lost else "")
        self._mine = lost
        self._begin([*lost, scene])

    def _there(self) -> set[str]:
        """The scenes that the file has, whoever wrote it; of a text with mistakes, all that are named."""
        try:
            document = parse(self.file.read_bytes(), self.file.name)
        except OSError:
            return set()
        scenes = document.data.get("scenes") if isinstance(document.data, dict) else None
        if isinstance(scenes, list):
            return {str(scene.get("id")) for scene in scenes if isinstance(scene, dict)}
        return set(re.findall(r"[\w-]+", document.text))

    def _leave(self, why: str, more: str = "") -> None:
        """Go on beside a file that is somebody else's."""
        stem = self.file.name.removesuffix(".yaml").split(".rest")[0]
        names = (f"{stem}.rest{f'-{number}' if number > 1 else ''}.yaml" for number in range(1, 1000))
        self.file = next(path for name in names if not os.path.lexists(path := self.file.with_name(name)))
        self._note(f"{why}, and stays as it is; the scenes to come go into {shown(self.file)}{more}")


def growing_from(file: Path) -> tuple[bytes, Any]:
    """The text and the data of a storyboard that is to be gone on with. Raises UsageError, or what `held` does."""
    raw = held(file)
    document = parse(raw, shown(file))
    if document.mistakes or not isinstance(document.data, dict) or not document.data.get("scenes"):
        raise UsageError(f"{shown(file)} has mistakes", f"look at them with: mikebot check {shown(file)}")
    return raw, document.data
