"""Loudness is BS.1770's, as ffmpeg measures it, and that of scenes in a row is that of the film."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from film_kit import voice

from engine.backends import loudness
from engine.backends.limiter import limited


def measured(sound: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Integrated loudness and true peak (a magnitude), by ffmpeg's ebur128 as PyAV ships it; of one or two channels."""
    sides = np.atleast_2d(sound)
    layout = ("mono", "stereo")[len(sides) - 1]
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=48000, format="fltp", layout=layout, time_base=Fraction(1, 48000))
    meter = graph.add("ebur128", "peak=true:metadata=1:framelog=quiet")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    last: dict[str, str] = {}
    for start in range(0, sides.shape[1], 4800):
        part = np.ascontiguousarray(sides[:, start : start + 4800], np.float32)
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        graph.push(frame)
        while True:
            try:
                last = dict(graph.pull().metadata) or last
            except (av.error.BlockingIOError, av.error.EOFError):
                break
    heights = [float(last[f"lavfi.r128.true_peaks_ch{side}"]) for side in range(len(sides))]
    return float(last["lavfi.r128.I"]), max(heights)


def as_sound(values: np.ndarray[Any, Any]) -> loudness.Sound:
    return values.astype(np.float32)


def test_a_sine_of_997_hz_at_full_scale_has_minus_3_01() -> None:
    sine = as_sound(np.sin(2 * np.pi * 997 * np.arange(48000 * 4) / 48000))
    assert loudness.integrated(loudness.energies(sine)) == pytest.approx(-3.01, abs=0.01)


def test_it_agrees_with_ffmpeg() -> None:
    sound = as_sound(np.concatenate([voice(48000 * 4, 1, 0.2), voice(48000 * 4, 2, 0.03), np.zeros(48000)]))
    level, peak = measured(sound)
    assert loudness.integrated(loudness.energies(sound)) == pytest.approx(level, abs=0.1)
    assert loudness.true_peak(sound) == pytest.approx(peak, rel=0.012)  # 0.1 dB


def test_it_agrees_with_ffmpeg_on_two_channels() -> None:
    sound = np.stack([as_sound(voice(48000 * 4, k, loud)) for k, loud in ((1, 0.2), (2, 0.05))])
    level, peak = measured(sound)
    assert loudness.integrated(loudness.energies(sound)) == pytest.approx(level, abs=0.1)
    assert loudness.true_peak(sound) == pytest.approx(peak, rel=0.012)


def test_sound_in_pieces_is_measured_as_in_one() -> None:
    sound = np.stack([as_sound(voice(loudness.CHUNK * 2 + 4321, k)) for k in (1, 2)])
    meter = loudness.Meter()
    for start in range(0, sound.shape[1], 70001):
        meter.add(sound[:, start : start + 70001])
    assert np.allclose(meter.energies(), loudness.energies(sound), rtol=1e-9, atol=1e-12)


def test_what_sounded_before_is_heard_in_the_first_energies() -> None:
    sound = as_sound(voice(96000, 1))
    whole = loudness.energies(sound)
    assert np.allclose(loudness.energies(sound[24000 - 2880 :], 3), whole[25:], rtol=0.02, atol=1e-7)


@pytest.mark.parametrize("lengths", [(96000, 67200, 192000), (96000, 66000, 190001)])
def test_scenes_in_a_row_have_the_loudness_of_the_film(lengths: tuple[int, ...]) -> None:
    scenes = [as_sound(voice(n, k, 0.05 + 0.1 * k)) for k, n in enumerate(lengths)]
    starts = np.cumsum([0, *lengths])
    parts = [loudness.Part(int(s), len(x), loudness.energies(x)) for s, x in zip(starts, scenes, strict=False)]
    whole = loudness.integrated(loudness.energies(np.concatenate(scenes)))
    assert whole is not None
    joined = loudness.integrated(loudness.combined(parts, int(starts[-1])))
    aligned = all(n % loudness.HOP == 0 for n in lengths)
    assert joined == pytest.approx(whole, abs=1e-6 if aligned else 0.02)


def test_long_sound_is_measured_in_parts_that_leave_no_trace() -> None:
    sound = as_sound(voice(loudness.CHUNK * 2 + 4321, 3))
    parts, at_once = loudness.energies(sound), loudness.CHUNK
    again = loudness.energies(np.concatenate([np.zeros(at_once // 2 // 960 * 960, np.float32), sound]))
    assert np.allclose(again[at_once // 2 // 960 :], parts, rtol=1e-6, atol=1e-12)


def test_silence_has_no_loudness() -> None:
    silence = np.zeros(96000, np.float32)
    assert loudness.integrated(loudness.energies(silence)) is None
    assert loudness.integrated(loudness.energies(silence[:100])) is None
    assert loudness.decibels(loudness.true_peak(silence)) is None


def test_a_peak_between_samples_is_found() -> None:
    # A quarter of the sampling rate, 45 degrees off: every sample is at 0.707, the wave reaches 1.
    sine = as_sound(np.sin(np.pi / 2 * np.arange(4800) + np.pi / 4))
    assert loudness.true_peak(sine[100:-100]) == pytest.approx(1.0, abs=0.05)


def test_the_limiter_keeps_every_peak_under_the_ceiling_and_silence_silent() -> None:
    sound = as_sound(voice(96000, 1, 0.6))
    sound[30000] = 1.9
    quiet = limited(sound, 0.5)
    assert loudness.true_peak(quiet) <= 0.5 * 1.01
    assert not quiet[sound == 0].any()
    assert np.array_equal(limited(quiet, 1.0), quiet)


def test_the_limiter_turns_both_sides_down_together() -> None:
    sound = np.full((2, 20000), 0.25, np.float32)
    sound[0, 10000] = 1.0
    quiet = limited(sound, 0.5)
    assert quiet[1, 10000] == pytest.approx(0.125, rel=0.1)
    assert loudness.true_peak(quiet) <= 0.51


def test_the_limiter_moves_its_gain_smoothly_and_only_near_a_peak() -> None:
    sound = np.full(20000, 0.25, np.float32)
    sound[10000] = 1.0
    gain = limited(sound, 0.5) / sound
    assert float(np.abs(np.diff(gain)).max()) < 0.005
    assert np.array_equal(gain[:8900], np.ones(8900))
    assert np.array_equal(gain[11100:], np.ones(8900))
