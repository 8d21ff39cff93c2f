"""A Python in which NeMo is imported once: processes of the engine that need it are forked off, in a tenth of the time.

It is named by MIKEBOT_PYTHON_NEMO, as a Python of another environment is. What it starts is a process of its own, with
its own streams, that can be killed and ends with its input; only the import is shared.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HEAVY = ("lightning.pytorch", "nemo.collections.tts.models", "engine.train.tuning", "engine.train.synthesis")
QUIET = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "WANDB_MODE": "disabled", "NEMO_TESTING": "1"}
CLIENT = """\
#!{python} -IS
import json, os, socket, sys
if not any(name in word for word in sys.argv[1:3] for name in ("engine.train.", "engine.cli", "tiny_")):
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect({place!r})
    said = {{"words": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd()}}
    socket.send_fds(asked, [json.dumps(said).encode() + b"\\n"], [0, 1, 2])
    os.close(0)
    sys.exit(int(asked.recv(16) or b"1"))
"""


@contextmanager
def warmed(folder: Path) -> Iterator[Path]:
    """A python that is warm as soon as it is asked for something; it is gone at the end, with all that it started."""
    client, place = folder / "python", folder / "asked"
    client.write_text(CLIENT.format(python=sys.executable, place=str(place)))
    client.chmod(0o755)
    listener = socket.socket(socket.AF_UNIX)  # Who asks before the import is over waits.
    listener.bind(str(place))
    listener.listen()
    command = [sys.executable, __file__, str(listener.fileno())]
    with (folder / "log").open("wb") as log:
        streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, "pass_fds": [listener.fileno()]}
        server = subprocess.Popen(command, start_new_session=True, env=os.environ | QUIET, **streams)
    listener.close()
    try:
        yield client
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _serve(listener: socket.socket) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("torch").set_num_threads(1)  # What forks must have no threads.
        for name in HEAVY:
            importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        asked, _ = listener.accept()
        if not os.fork():
            listener.close()
            _attend(asked)
        asked.close()


def _attend(asked: socket.socket) -> None:
    """Start one process, and tell how it ended; it ends with who asked."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    raw, streams, _, _ = socket.recv_fds(asked, 1 << 20, 3)
    process = os.fork()
    if not process:
        asked.close()
        os._exit(_run(json.loads(raw), streams))
    for stream in streams:
        os.close(stream)
    ended, status = os.waitpid(process, os.WNOHANG)
    while not ended:
        if select.select([asked], [], [], 0.02)[0]:
            os.kill(process, signal.SIGKILL)
        ended, status = os.waitpid(process, os.WNOHANG)
    asked.sendall(str(os.waitstatus_to_exitcode(status) & 255).encode())
    os._exit(0)


def _run(said: dict[str, Any], streams: list[int]) -> int:
    """What a python does with `-c PROGRAM` or `-m MODULE`, in this process."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdout = sys.__stdout__ = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 (They stay.)
    sys.stderr = sys.__stderr__ = open(2, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
    os.chdir(said["folder"])
    os.environ.clear()
    os.environ.update(said["environment"])
    sys.path[:0] = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    tempfile.tempdir = None
    option, program, *words = said["words"]
    sys.argv = [program, *words]
    try:
        if option == "-c":
            exec(program, {"__name__": "__main__"})
        else:
            runpy.run_module(program, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
