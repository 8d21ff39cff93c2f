"""Who finds faces: whoever points at one; OpenCV's landmark model where its file is; and else OpenCV's own cascades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BackendError
from . import model_folder

if TYPE_CHECKING:
    from .faces import FaceFinder

YUNET, YUNET_FILE = "opencv/face_detection_yunet", "face_detection_yunet_2023mar.onnx"
HAAR = "haar"
BETTER = (
    f"faces are found by OpenCV's own cascades; steadier: put {YUNET_FILE} of OpenCV's model zoo into a folder {YUNET} "
    f"below one that {model_folder.VARIABLE} names"
)


def named(wanted: str) -> str:
    """Which finder a profile's `faces` means here, with the digest of its file; part of keys, as results depend on it.

    Nothing named is YuNet where its file is, and else the cascades that come with OpenCV.
    """
    if wanted not in {"", "yunet"}:
        return wanted
    try:
        file = yunet_file()
    except BackendError:
        return wanted or HAAR
    return f"yunet:{model_folder.digest(file.parent, [file])}"


def finder(name: str, eyes: Sequence[Mapping[str, float]] = ()) -> FaceFinder:
    """The finder of a name that `named` gave; nobody needs one where `eyes` say where the face is.

    Raises BackendError where its file is missing or is another.
    """
    if eyes:
        from .faces_given import Given

        return Given(eyes)
    if name == HAAR:
        from .faces_haar import Haar

        return Haar()
    from .faces_yunet import YuNet

    file = yunet_file()
    if name not in {"yunet", here := f"yunet:{model_folder.digest(file.parent, [file])}"}:
        raise BackendError(f"{YUNET_FILE} is another than the one that was planned: {here}", "Render again.")
    return YuNet(file)


def yunet_file() -> Path:
    """Where OpenCV's landmark model lies. Raises BackendError."""
    file = model_folder.lies(YUNET) / YUNET_FILE
    if not file.is_file():
        raise BackendError(f"{YUNET} has no {YUNET_FILE}", "Put it there, or set faces: haar in the profile.")
    return file
