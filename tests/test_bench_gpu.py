"""`make bench-gpu` where there is no GPU: it says so, and measures tiny models by the same way as large ones."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from command_kit import ROOT


@pytest.fixture(scope="module")
def printed() -> list[str]:
    """The lines of one whole run."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu"],
        cwd=ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_it_says_that_these_are_no_figures_of_real_models(printed: list[str]) -> None:
    assert printed[0].startswith("no GPU of 70 GB: tiny models, which say nothing of real ones, torch ")


def test_plain_code_and_ours_make_the_same_picture(printed: list[str]) -> None:
    assert cells(printed, "flux, 64 x 64, 3 steps: PSNR to plain diffusers (99: the same)") == ["99.0 dB"]


def test_each_of_ours_stands_beside_plain_code(printed: list[str]) -> None:
    for what in ("flux, 64 x 64, 3 steps: whole, 3 steps", "wan21-i2v, 64 x 64, 9 frames: a denoising step"):
        figure, peer, theirs, ratio = cells(printed, what)
        assert peer == "plain diffusers"
        assert re.fullmatch(r"[\d.]+ s [\d.]+ s [\d.]+x", f"{figure} {theirs} {ratio}")


def test_a_switch_stands_beside_plain_settings(printed: list[str]) -> None:
    said = cells(printed, "wan21-i2v, cache: FirstBlockCacheConfig 0.1: a step")
    assert said[1] == "plain settings"


def test_desktop_is_watched_in_a_process_of_its_own(printed: list[str]) -> None:
    for model, name in (("flux", "64 x 64, 3 steps"), ("wan22-ti2v", "64 x 64, 9 frames")):
        (most,) = cells(printed, f"desktop, {model}, {name}: most of the machine, the process's own")
        assert float(most.removesuffix(" GB")) > 0.1


def test_lips_are_measured_by_windows_and_as_a_whole_step(printed: list[str]) -> None:
    one, two = ("lips, 64, float32, 1 window", "lips, 64, float32, 2 windows at once")
    assert cells(printed, f"{two}: seconds per second of video, 3 steps")[1] == "one window"
    assert float(cells(printed, f"{one}: share of the device's matrix rate")[0].removesuffix(" %")) > 0
    (whole,) = cells(printed, f"{one}, 320 x 180, 1 s: a whole step for a second of video")
    assert float(whole.removesuffix(" s")) > 0


def test_a_name_that_is_none_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", "stills"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "python -m benchmarks.gpu: error: no such measurement: stills"


def cells(printed: list[str], what: str) -> list[str]:
    """What stands in a row of the table beside what was measured."""
    (line,) = [line for line in printed if line.startswith(f"{what}  ")]
    return re.split(r"\s{2,}", line)[1:]
