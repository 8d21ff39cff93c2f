"""What a frame hears: Whisper's features and their windows, as upstream's, and without its break every 30 seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from latentsync_kit import case_of, furthest, said, tensors
from transformers.audio_utils import mel_filter_bank

from engine.errors import BackendError
from engine.models.latentsync import checkpoint, hearing, mel, whisper


@pytest.fixture(scope="module")
def ear() -> whisper.WhisperEncoder:
    dims = said("whisper_small/whisper.json")["dims"]
    return whisper.encoder(dims, tensors("whisper_small/encoder_weights.safetensors"))


def test_every_frame_hears_the_steps_that_upstream_lets_it_hear() -> None:
    for case in said("audio_windowing/windowing.json"):
        stored, reach = (
            case_of(tensors("audio_windowing/windowing.safetensors"), case["case"]),
            case["audio_feat_length"],
        )
        made = hearing.chunks(stored["features"], case["fps"], tuple(reach))
        assert torch.equal(made, stored["chunks"])
        frames = range(hearing.frame_count(case["T"], case["fps"]))
        steps = [hearing.step_indices(frame, case["T"], case["fps"], tuple(reach)) for frame in frames]
        assert steps == case["indices"]


@pytest.mark.parametrize("steps", [0, 1, 2, 37, 50, 1501])
def test_at_25_a_second_there_are_a_frame_or_two_beyond_the_sound(steps: int) -> None:
    assert hearing.frame_count(steps) == steps // 2 + 2


def test_the_mel_picture_and_the_features_are_upstreams(ear: whisper.WhisperEncoder) -> None:
    case = case_of(tensors("whisper_small/whisper.safetensors"), 0)
    sound = mel.sound_of(case["pcm16"].numpy())
    assert furthest(mel.log_mel(sound), case["log_mel"]) <= 1e-5
    assert furthest(whisper.features(ear, sound), case["features"]) <= 1e-4


def test_the_seam_at_30_seconds_is_upstreams(ear: whisper.WhisperEncoder) -> None:
    case = case_of(tensors("whisper_small/whisper.safetensors"), 1)
    if not case:
        pytest.skip("upstream's numbers are not here: case 1 of whisper_small, in shared/latentsync/fixtures")
    made = whisper.features(ear, mel.sound_of(case["pcm16"].numpy()))
    parts = {"head": made[:40], "boundary_1480_1540": made[1480:1540], "tail": made[-10:]}
    assert len(made) == 1560
    assert all(furthest(part, case[f"features_{name}"]) <= 1e-4 for name, part in parts.items())


def test_with_an_overlap_nothing_is_deaf_to_what_comes_after_30_seconds(ear: whisper.WhisperEncoder) -> None:
    """Two sounds that part at 30 s: upstream's last steps before cannot tell them apart, and every other step could."""
    noise = np.random.default_rng(3).normal(0, 0.1, 16_000 * 33).astype(np.float32)
    noise[1000] = 0.9  # The loudest in both.
    other = np.concatenate([noise[: 16_000 * 30 + 800], 0.5 * noise[16_000 * 30 + 800 :]])
    before = slice(1480, 1500)
    apart = {
        overlap: furthest(
            *(whisper.features(ear, torch.from_numpy(sound), overlap)[before] for sound in (noise, other))
        )
        for overlap in (0.0, 10.0)
    }
    assert apart[0.0] == 0
    assert apart[10.0] > 1e-3


@pytest.mark.parametrize("steps", [0, 1, 10, 1500, 1501, 1560, 2500, 4321, 9000])
@pytest.mark.parametrize("overlap", [0, 100, 500])
def test_every_step_is_kept_from_one_piece_and_far_from_its_ends(steps: int, overlap: int) -> None:
    pieces = list(whisper.pieces(steps, 1500, overlap))
    assert [step for piece in pieces for step in range(piece.first, piece.end)] == list(range(steps))
    assert all(piece.start <= piece.first and piece.end <= piece.start + 1500 for piece in pieces)
    inner = [piece.first - piece.start for piece in pieces[1:]] + [
        piece.start + 1500 - piece.end for piece in pieces[:-1]
    ]
    assert min(inner, default=overlap) >= overlap // 2


def test_silence_is_as_low_as_it_can_be() -> None:
    assert mel.log_mel(torch.zeros(641)).unique().tolist() == [-1.5]


def test_pieces_that_would_not_move_on_are_refused() -> None:
    with pytest.raises(BackendError) as refused:
        list(whisper.pieces(3000, 1500, 1500))
    assert str(refused.value) == "pieces of 1500 steps cannot overlap by 1500\n  Let them overlap by less."


@pytest.mark.parametrize("samples", [201, 330, 399, 641, 16_000])
def test_the_mel_picture_of_any_length_is_what_its_definition_says(samples: int) -> None:
    """Down to what can be mirrored at its ends, nothing is added to a sound."""
    sound = np.random.default_rng(samples).normal(0, 0.2, samples).astype(np.float32)
    sound[samples // 2 :] *= 1e-6  # So quiet that the loudest sets its floor.
    ends, window = np.pad(sound, 200, mode="reflect"), 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    spans = np.stack([ends[160 * frame :][:400] * window for frame in range(samples // 160)])
    filters = mel_filter_bank(201, 80, 0, 8000, 16_000, norm="slaney", mel_scale="slaney")
    power = np.abs(np.fft.rfft(spans)) ** 2 @ filters
    loudness = np.log10(np.maximum(power, 1e-10))
    wanted = (np.maximum(loudness, loudness.max() - 8) + 4) / 4
    assert np.abs(mel.log_mel(torch.from_numpy(sound)).numpy() - wanted.T).max() <= 1e-5


@pytest.mark.parametrize("samples", [160, 200, 399, 400, 641])
def test_the_shortest_sounds_and_silence_are_heard(ear: whisper.WhisperEncoder, samples: int) -> None:
    made = whisper.features(ear, torch.zeros(samples))
    assert made.shape == (samples // 320, 5, 48)
    assert bool(made.isfinite().all())


def test_a_sound_of_no_step_is_refused(ear: whisper.WhisperEncoder) -> None:
    nothing = whisper.features(ear, torch.zeros(100))
    assert nothing.shape == (0, 5, 48)
    with pytest.raises(BackendError) as refused:
        hearing.chunks(nothing)
    assert str(refused.value) == "the sound is too short: it is less than 20 ms\n  Give a longer one, or silence."


def test_openais_file_is_read_without_its_decoder(tmp_path: Path) -> None:
    dims, state = said("whisper_small/whisper.json")["dims"], tensors("whisper_small/encoder_weights.safetensors")
    whole = {name if name.startswith("encoder.") else f"encoder.{name}": value for name, value in state.items()}
    torch.save({"dims": dims, "model_state_dict": {**whole, "decoder.ln.bias": torch.zeros(2)}}, tmp_path / "tiny.pt")
    case = case_of(tensors("whisper_small/whisper.safetensors"), 0)
    made = whisper.features(checkpoint.load_whisper(tmp_path / "tiny.pt"), mel.sound_of(case["pcm16"].numpy()))
    assert furthest(made, case["features"]) <= 1e-4


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        (
            {"state_dict": {}},
            "tiny.pt is no model of Whisper as OpenAI keeps them\n  Fetch whisper/tiny.pt, which lies beside it.",
        ),
        (
            {"dims": {}, "model_state_dict": {"encoder.conv1.bias": 3}},
            "tiny.pt is no model of Whisper as OpenAI keeps them\n  Fetch whisper/tiny.pt, which lies beside it.",
        ),
        (
            {"dims": {}, "model_state_dict": {"encoder.conv1.bias": torch.tensor([float("nan")])}},
            "tiny.pt is damaged: encoder.conv1.bias has values that are no numbers\n"
            "  Fetch whisper/tiny.pt, which lies beside it.",
        ),
        (
            {"dims": {"n_audio_state": 48, "n_audio_layer": 4, "n_audio_head": 5}, "model_state_dict": {}},
            "Whisper cannot have these sizes: n_audio_state 48, n_audio_layer 4, n_audio_head 5, n_audio_ctx None, "
            "n_mels None\n  Use the whisper/tiny.pt of LatentSync.",
        ),
        ([1], "tiny.pt is no checkpoint: it holds a list\n  Fetch whisper/tiny.pt, which lies beside it."),
    ],
)
def test_another_file_than_whispers_is_refused(saved: object, message: str, tmp_path: Path) -> None:
    torch.save(saved, tmp_path / "tiny.pt")
    with pytest.raises(BackendError) as refused:
        checkpoint.load_whisper(tmp_path / "tiny.pt")
    assert str(refused.value) == message


def test_weights_of_another_size_of_whisper_are_refused() -> None:
    dims, state = said("whisper_small/whisper.json")["dims"], tensors("whisper_small/encoder_weights.safetensors")
    fewer = {name: value for name, value in state.items() if "positional_embedding" not in name}
    missing = 'Missing key(s) in state_dict: "embed_positions.weight".'
    strange = 'Unexpected key(s) in state_dict: "layers.3.self_attn.k_proj.weight"'
    for sizes, weights, brief in ((dims, fewer, missing), ({**dims, "n_audio_layer": 3}, state, strange)):
        with pytest.raises(BackendError) as refused:
            whisper.encoder(sizes, weights)
        message = f"the weights of Whisper do not fit its sizes: {brief}"
        assert str(refused.value) == f"{message}\n  Use the whisper/tiny.pt of LatentSync."


@pytest.mark.parametrize("state", [48, 0])
def test_sizes_that_no_whisper_has_are_refused(state: int) -> None:
    sizes = {"n_audio_state": state, "n_audio_layer": 4, "n_audio_head": 5, "n_audio_ctx": 1500, "n_mels": 80}
    with pytest.raises(BackendError) as refused:
        whisper.encoder(sizes, {})
    message = f"Whisper cannot have these sizes: n_audio_state {state}, n_audio_layer 4, n_audio_head 5"
    assert str(refused.value) == f"{message}, n_audio_ctx 1500, n_mels 80\n  Use the whisper/tiny.pt of LatentSync."
