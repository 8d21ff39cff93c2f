"""The process that says held-out sentences in a voice, to be measured. Reads a request, tells JSON lines."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from pathlib import Path

from ..backends import nemo_model
from ..errors import MikebotError
from . import speaking
from .course import tell


def main(arguments: list[str]) -> int:
    """Say each sentence of a request: {voice, codec, language, seed, sentences: [{text, example, out}]}."""
    threading.Thread(target=_ends_with_input, daemon=True).start()
    said = json.loads(Path(arguments[0]).read_text("utf-8"))
    sys.stdout = sys.stderr
    try:
        with tempfile.TemporaryDirectory() as folder, nemo_model.offline():
            model = nemo_model.restored(Path(said["voice"]), Path(said["codec"]), Path(folder))
            for number, one in enumerate(said["sentences"], 1):
                speaking.say(model, one["text"], said["language"], Path(one["example"]), Path(one["out"]), said["seed"])
                tell({"event": "said", "number": number})
    except MikebotError as problem:
        tell({"event": "failed", "message": problem.message, "hint": problem.hint})
        return 1
    tell({"event": "done"})
    return 0


def _ends_with_input() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
