"""The public files are read strictly: the right one whole, every other refused with what to do."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from latentsync_kit import SMALL, small_unet
from safetensors.torch import save_file
from torch import Tensor

from engine.errors import BackendError
from engine.models.latentsync import checkpoint

FETCH = "Fetch latentsync_unet.pt of LatentSync 1.5 (resolution 256) or 1.6 (512)."
State = dict[str, Tensor]


def saved(folder: Path, state: State) -> Path:
    """A file as upstream publishes them."""
    file = folder / "latentsync_unet.pt"
    torch.save({"global_step": 7, "state_dict": state}, file)
    return file


def whole() -> State:
    return {name: value.clone() for name, value in small_unet().state_dict().items()}


def load(file: Path, **more: Any) -> Any:
    return checkpoint.load_unet(file, 256, SMALL, **more)


def refusal(file: Path, **more: Any) -> str:
    with pytest.raises(BackendError) as refused:
        load(file, **more)
    return str(refused.value)


@pytest.mark.parametrize("tables", [True, False])
@pytest.mark.parametrize("kind", ["pt", "old pt", "safetensors"])
def test_a_whole_file_is_read_with_or_without_its_positional_tables(kind: str, tables: bool, tmp_path: Path) -> None:
    state = whole()
    kept = {name: value for name, value in state.items() if tables or not name.endswith(".pe")}
    file = tmp_path / f"latentsync_unet.{kind[-2:] if kind != 'safetensors' else kind}"
    if kind == "safetensors":
        save_file(kept, file)
    else:
        torch.save({"global_step": 7, "state_dict": kept}, file, _use_new_zipfile_serialization=kind == "pt")
    unet = load(file)
    assert unet.state_dict().keys() == state.keys()
    assert all(torch.equal(value, state[name]) for name, value in unet.state_dict().items())
    assert not unet.training


def test_a_model_without_positions_ignores_the_tables_of_a_file(tmp_path: Path) -> None:
    temporal = {**SMALL["motion_module_kwargs"], "temporal_position_encoding": False}
    config = {**SMALL, "motion_module_kwargs": temporal}
    unet = checkpoint.load_unet(saved(tmp_path, whole()), 256, config)
    assert not any(name.endswith(".pe") for name in unet.state_dict())


def test_it_comes_in_the_numbers_that_are_asked_for(tmp_path: Path) -> None:
    unet = load(saved(tmp_path, whole()), dtype=torch.bfloat16)
    assert {value.dtype for value in unet.state_dict().values()} == {torch.bfloat16}


def dropped(state: State, part: str) -> State:
    return {name: value for name, value in state.items() if part not in name}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            lambda state: dropped(state, ".motion_modules."),
            "latentsync_unet.pt has no temporal layers, so it is of LatentSync 1.0 or of something else",
        ),
        (
            lambda state: dropped(state, "conv_out."),
            "latentsync_unet.pt is not the U-Net that is asked for: it lacks 2 tensors, such as conv_out.weight",
        ),
        (
            lambda state: {**state, "class_embedding.weight": torch.zeros(1)},
            "latentsync_unet.pt is not the U-Net that is asked for: it has beyond it 1 tensors, such as "
            "class_embedding.weight",
        ),
        (
            lambda state: {**state, "conv_in.weight": torch.zeros(32, 4, 3, 3)},
            "latentsync_unet.pt is not the U-Net that is asked for: 1 tensors have another shape, such as "
            "conv_in.weight, which has (32, 4, 3, 3) and not (32, 13, 3, 3)",
        ),
        (
            lambda state: {**state, "conv_in.bias": torch.full((32,), float("nan"))},
            "latentsync_unet.pt is damaged: conv_in.bias has values that are no numbers",
        ),
    ],
    ids=["1.0", "missing", "strange", "shaped", "nan"],
)
def test_another_file_is_refused(changed: Callable[[State], State], message: str, tmp_path: Path) -> None:
    assert refusal(saved(tmp_path, changed(whole()))) == f"{message}\n  {FETCH}"


def test_a_file_that_is_cut_off_or_is_no_file_of_torch_is_refused(tmp_path: Path) -> None:
    message = "latentsync_unet.pt cannot be read: it is cut off, damaged, or something else"
    file = saved(tmp_path, whole())
    data = file.read_bytes()
    stumbling = b"\x80\x02.", b"\x80\x02h\x05."  # What is said of it by Python: pop from empty list; KeyError: 5.
    for wrong in (data[: len(data) // 2], b"", b"<html>Not found</html>", b"version https://git-lfs", *stumbling):
        file.write_bytes(wrong)
        assert refusal(file) == f"{message}\n  {FETCH}"
    other = tmp_path / "unet.safetensors"
    other.write_bytes(b"\x10\0\0\0\0\0\0\0{")
    assert refusal(other) == f"unet.safetensors {message.partition(' ')[2]}\n  {FETCH}"


def test_a_file_that_is_not_there_or_holds_something_else_is_refused(tmp_path: Path) -> None:
    missing = "latentsync_unet.pt is not there\n  Fetch latentsync_unet.pt of LatentSync 1.5 (resolution 256) or 1.6"
    assert refusal(tmp_path / "latentsync_unet.pt") == f"{missing} (512), and put it where the profile says."
    file = tmp_path / "latentsync_unet.pt"
    torch.save([1, 2], file)
    assert refusal(file) == f"latentsync_unet.pt is no checkpoint: it holds a list\n  {FETCH}"
    for wrong in ({"conv_in.weight": 3}, {3: torch.zeros(1)}):
        torch.save({"state_dict": wrong}, file)
        assert refusal(file) == f"latentsync_unet.pt holds no tensors by name\n  {FETCH}"


class Harmful:
    """What a file could do if it were read as Python reads its own."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._mark,)


def test_no_file_can_run_a_program(tmp_path: Path) -> None:
    file = tmp_path / "latentsync_unet.pt"
    torch.save({"state_dict": Harmful(tmp_path / "harm")}, file)
    assert refusal(file).startswith("latentsync_unet.pt cannot be read: ")
    assert not (tmp_path / "harm").exists()


def test_a_file_known_for_another_resolution_is_refused_whatever_its_name(tmp_path: Path) -> None:
    file = saved(tmp_path, whole())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    message = "is for faces of 512 x 512, and the profile says 256"
    hint = "Set resolution: 512, or use the other file: mouths would be blurred."
    assert refusal(file, known={digest: 512}) == f"latentsync_unet.pt {message}\n  {hint}"
    assert load(file, known={digest: 256}).config.cross_attention_dim == 12
    assert load(file, known={"0" * 64: 512}).config.cross_attention_dim == 12


def test_the_hubs_own_name_of_a_file_is_its_digest(tmp_path: Path) -> None:
    blob = saved(tmp_path, whole()).rename(tmp_path / ("ab" * 32))
    link = tmp_path / "latentsync_unet.pt"
    link.symlink_to(blob)
    hint = "Set resolution: 512, or use the other file: mouths would be blurred."
    message = "latentsync_unet.pt is for faces of 512 x 512, and the profile says 256"
    assert refusal(link, known={"ab" * 32: 512}) == f"{message}\n  {hint}"
