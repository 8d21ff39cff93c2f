"""Windows of faces that say what they hear: upstream's whole way, and windows that fade into one another."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from latentsync_kit import furthest, said, small_unet, small_vae, tensors, upstream_unet
from torch import Tensor

from engine.errors import BackendError, Cancelled
from engine.models import latentsync
from engine.models.latentsync import align, condition, crossfade, denoise, hearing, mel, paste, warp, whisper
from engine.models.latentsync.sync import Sync, synced
from engine.models.latentsync.unet import UNet3D


def test_from_a_video_and_a_sound_to_frames_it_is_upstream() -> None:
    stored, about = tensors("e2e/e2e.safetensors"), said("e2e/e2e.json")
    vae = AutoencoderKL(**said("e2e/vae_config.json")).eval()
    vae.load_state_dict(tensors("e2e/vae_weights.safetensors"))
    audio, frames, matrices, faces = prepared(stored, about["resolution"])
    shown = [crossfade.ping_pong(number, len(frames)) for number in range(len(audio))]
    assert shown == about["source_index_per_output_frame"]
    unet, made = upstream_unet(about["unet"]), []
    for number, span in enumerate(crossfade.windows(len(audio), about["num_frames_window"])):
        window = {name.removeprefix(f"w{number}."): value for name, value in stored.items()}
        noise = condition.Draws(window["vae_noise_masked"], window["vae_noise_ref"])
        given = faces[[shown[frame] for frame in span]][None], audio[span.start : span.stop][None]
        watched = Watched(unet)
        steps = about["steps"], about["guidance_scale"]
        made.append(synced(unet, vae, *given, stored["noise"], [noise], *steps, tell=watched.told)[0])
        watched.agrees(window, made[-1], about["timesteps"])
    assert furthest(torch.cat(made), stored["synced_faces"]) <= 2e-4
    final = [
        paste.paste(frames[picture], face, matrices[picture])
        for picture, face in zip(shown, torch.cat(made), strict=True)
    ]
    apart = np.abs(np.stack(final).astype(int) - stored["final_frames"].numpy())
    assert apart.max() <= 1
    assert (apart > 0).mean() < 5e-3


PARTS = ("align", "condition", "crossfade", "hearing", "mel", "paste", "sync", "unet", "warp", "whisper")


def test_the_packages_own_words_on_how_its_parts_are_asked_hold() -> None:
    """Run as they stand, with what upstream was given, its seed too: the frames that come out are upstream's."""
    stored, about = tensors("e2e/e2e.safetensors"), said("e2e/e2e.json")
    vae = AutoencoderKL(**said("e2e/vae_config.json")).eval()
    vae.load_state_dict(tensors("e2e/vae_weights.safetensors"))
    heard = {
        "dims": said("whisper_small/whisper.json")["dims"],
        "encoder_state": tensors("whisper_small/encoder_weights.safetensors"),
        "pcm16": stored["pcm16"].numpy(),
        "fps": about["fps"],
    }
    asked = {
        "config": said(f"{about['unet']}/config.json"),
        "state": tensors(f"{about['unet']}/weights.safetensors"),
        "sample": stored["w1.unet_in_step0"],
        "timestep": about["timesteps"][0],
        "encoder_hidden_states": stored["w1.audio_embeds_cfg"],
    }
    seen = {"frames": list(stored["frames"].numpy()), "landmarks": list(stored["landmarks106"].numpy())}
    knobs = {"R": 64, "vae": vae, "seed": about["generator_seed"], "steps": about["steps"], "guidance": 1.5}
    known = {name: import_module(f"{latentsync.__name__}.{name}") for name in PARTS}
    lines = [line[4:] for line in (latentsync.__doc__ or "").splitlines() if " = " in line or "model.load" in line]
    with torch.no_grad():
        exec("\n".join(lines), known := {**known, **heard, **asked, **seen, **knobs, "np": np, "torch": torch})
    assert furthest(known["predicted"], stored["w1.unet_out_step0"]) <= 2e-4
    assert furthest(torch.from_numpy(np.stack(known["matrices"])), stored["matrices"]) <= 1e-4
    apart = np.abs(np.stack(known["pasted"]).astype(int) - stored["final_frames"].numpy())
    assert apart.max() <= 1
    assert (apart > 0).mean() < 5e-3


def prepared(
    stored: dict[str, Tensor], resolution: int
) -> tuple[Tensor, list[warp.Pixels], list[align.Floats], Tensor]:
    """What is heard, the pictures, their matrices, their faces: ours, each beside upstream's."""
    ear = whisper.encoder(
        said("whisper_small/whisper.json")["dims"], tensors("whisper_small/encoder_weights.safetensors")
    )
    audio = hearing.chunks(whisper.features(ear, mel.sound_of(stored["pcm16"].numpy())))
    assert furthest(audio, stored["chunks"]) <= 1e-4
    aligner, frames = align.Aligner(resolution), list(stored["frames"].numpy())
    matrices = [aligner.matrix(align.three_points(points)) for points in stored["landmarks106"].numpy()]
    assert np.abs(np.stack(matrices) - stored["matrices"].numpy()).max() <= 1e-4
    crops = [warp.crop(frame, matrix, resolution) for frame, matrix in zip(frames, matrices, strict=True)]
    faces = torch.from_numpy(np.stack([warp.face(crop, resolution) for crop in crops])).permute(0, 3, 1, 2)
    assert furthest(faces, stored["faces"]) <= 2
    return audio, frames, matrices, faces


class Watched:
    """What a U-Net was given and made, step by step."""

    def __init__(self, unet: UNet3D) -> None:
        self.given: list[tuple[Tensor, int, Tensor]] = []
        self.made: list[Tensor] = []
        self.steps: list[tuple[int, int]] = []
        self._hook = unet.register_forward_hook(self._called)

    def _called(self, _: UNet3D, given: tuple[Tensor, Tensor, Tensor], made: Tensor) -> None:
        self.given.append((given[0], int(given[1]), given[2].flatten(0, 1)))
        self.made.append(made)

    def told(self, done: int, total: int) -> None:
        self.steps.append((done, total))

    def agrees(self, window: dict[str, Tensor], faces: Tensor, timesteps: list[int]) -> None:
        self._hook.remove()
        sample = self.given[0][0]
        assert [step for _, step, _ in self.given] == timesteps
        assert self.steps == [(done, len(timesteps)) for done in range(1, len(timesteps) + 1)]
        assert furthest(self.given[0][2], window["audio_embeds_cfg"]) <= 1e-4
        assert furthest(sample, window["unet_in_step0"]) <= 2e-4
        assert torch.equal(sample[:1, 4:5], window["mask_latents"])
        assert furthest(sample[:1, 5:9], window["masked_image_latents"]) <= 2e-4
        assert furthest(sample[:1, 9:13], window["ref_latents"]) <= 2e-4
        for step, made in enumerate(self.made):
            assert furthest(made, window[f"unet_out_step{step}"]) <= 2e-4
        for step, (after, _, _) in enumerate(self.given[1:]):
            assert furthest(after[:1, :4], window[f"latents_after_step{step}"]) <= 2e-4
        if "decoded" in window:
            hole = 1 - condition.prepared(torch.zeros(1, 3, *faces.shape[2:])).mask
            assert furthest(faces * (hole == 1), window["decoded"] * (hole == 1)) <= 2e-4


def test_the_noise_schedule_counts_down_as_the_models_were_trained() -> None:
    plan = denoise.scheduler()
    plan.set_timesteps(20)
    assert plan.timesteps.tolist() == list(range(951, 0, -50))
    plan.set_timesteps(3)
    assert plan.timesteps.tolist() == [667, 334, 1]


@pytest.fixture(scope="module")
def models() -> tuple[UNet3D, AutoencoderKL]:
    return small_unet(), small_vae()


def faces_of(count: int) -> Tensor:
    return torch.randint(0, 256, (count, 3, 64, 64), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def heard_by(count: int) -> Tensor:
    return torch.randn(count, 5, 12, generator=torch.Generator().manual_seed(2))


def test_windows_at_once_are_as_windows_one_by_one(models: tuple[UNet3D, AutoencoderKL]) -> None:
    faces, audio = faces_of(6).unflatten(0, (2, 3)), heard_by(6).unflatten(0, (2, 3))
    one, other = Sync(*models, 64, seed=3), Sync(*models, 64, seed=3)
    apart = torch.cat([one.windows(faces[[k]], audio[[k]], steps=2) for k in range(2)])
    assert furthest(other.windows(faces, audio, steps=2), apart) < 1e-4
    assert furthest(Sync(*models, 64, seed=4).windows(faces, audio, steps=2), apart) > 1e-2


def test_random_numbers_are_drawn_in_upstreams_order(models: tuple[UNet3D, AutoencoderKL]) -> None:
    source = torch.Generator().manual_seed(8)
    noise = torch.randn(1, 4, 1, 8, 8, generator=source)
    drawn = condition.Draws(*(torch.randn(2, 4, 8, 8, generator=source) for _ in range(2)))
    faces, audio = faces_of(2)[None], heard_by(2)[None]
    wanted = synced(*models, faces, audio, noise, [drawn], steps=1)
    assert torch.equal(Sync(*models, 64, seed=8).windows(faces, audio, steps=1), wanted)


def test_guidance_of_one_asks_once_and_more_asks_silence_too(models: tuple[UNet3D, AutoencoderKL]) -> None:
    batches: dict[float, list[int]] = {1.0: [], 2.0: []}
    for guidance, seen in batches.items():
        hook = models[0].register_forward_pre_hook(lambda _, given, seen=seen: seen.append(len(given[0])))
        Sync(*models, 64).windows(faces_of(2)[None], heard_by(2)[None], 2, guidance)
        hook.remove()
    assert batches == {1.0: [1, 1], 2.0: [2, 2]}


def test_outside_the_hole_a_face_comes_back_as_it_was(models: tuple[UNet3D, AutoencoderKL]) -> None:
    faces = faces_of(2)
    made = Sync(*models, 64).windows(faces[None], heard_by(2)[None], steps=1)[0]
    seen = condition.prepared(faces)
    assert torch.equal(made * (seen.mask == 1), seen.whole * (seen.mask == 1))
    assert furthest(made * (seen.mask == 0), seen.whole * (seen.mask == 0)) > 0.1


def test_a_step_that_nobody_wants_stops_at_once(models: tuple[UNet3D, AutoencoderKL]) -> None:
    told = []

    def tell(done: int, total: int) -> None:
        told.append((done, total))
        raise Cancelled

    with pytest.raises(Cancelled):
        Sync(*models, 64).windows(faces_of(2)[None], heard_by(2)[None], steps=5, tell=tell)
    assert told == [(1, 5)]


def test_numbers_out_of_range_are_said_and_not_drawn(models: tuple[UNet3D, AutoencoderKL]) -> None:
    with pytest.raises(BackendError) as refused:
        Sync(*models, 64).windows(faces_of(2)[None], heard_by(2)[None] * float("nan"), steps=2)
    message = "the mouth model's numbers ran out of range at denoising step 1 of 2"
    assert str(refused.value) == f"{message}\n  Set dtype: bfloat16 or float32, or a guidance that is lower."


@pytest.mark.parametrize("frames", [0, 1, 5, 16, 17, 32, 33, 41, 100])
@pytest.mark.parametrize("overlap", [0, 1, 4, 8, 15])
def test_every_frame_is_in_a_window_and_comes_out_once(frames: int, overlap: int) -> None:
    spans = crossfade.windows(frames, 16, overlap)
    assert sorted({frame for span in spans for frame in span}) == list(range(frames))
    if overlap:
        assert all(len(span) == min(16, frames) for span in spans)
        assert all(one.stop - other.start >= overlap for one, other in pairwise(spans))
    made = ((span, torch.arange(span.start, span.stop).float()[:, None]) for span in spans)
    out = list(crossfade.crossfaded(made))
    assert [number for number, _ in out] == list(range(frames))
    assert all(float(value) == pytest.approx(number) for number, value in out)


def test_upstreams_last_window_is_short() -> None:
    assert crossfade.windows(19) == [range(16), range(16, 19)]
    assert crossfade.windows(19, overlap=4) == [range(16), range(3, 19)]


def test_a_window_that_would_not_move_on_is_refused() -> None:
    with pytest.raises(BackendError) as refused:
        crossfade.windows(40, 16, 16)
    assert str(refused.value) == "windows of 16 frames cannot overlap by 16\n  Let them overlap by less."


def test_windows_with_a_gap_between_them_are_left_apart() -> None:
    made = [(range(3), torch.zeros(3, 1)), (range(10, 12), torch.ones(2, 1))]
    out = {number: float(value) for number, value in crossfade.crossfaded(made)}
    assert out == {0: 0, 1: 0, 2: 0, 10: 1, 11: 1}


def test_frames_come_out_as_soon_as_no_window_can_change_them() -> None:
    taken = []

    def made() -> Iterator[tuple[range, Tensor]]:
        for span in crossfade.windows(40, 16, 4):
            taken.append(span.start)
            yield span, torch.zeros(len(span), 1)

    out = crossfade.crossfaded(made())
    assert next(out)[0] == 0
    assert taken == [0, 12]


def test_where_windows_overlap_the_seam_is_gone() -> None:
    """One face and one sound until frame 20: nothing should change, but a window norms what it sees as a whole."""
    temporal = {"num_attention_heads": 4, "temporal_position_encoding": False, "zero_initialize": False}
    unet, vae = small_unet(motion_module_kwargs=temporal), small_vae()
    vae.quant_conv.weight[4:], vae.quant_conv.bias[4:] = 0, -30  # The VAE's own noise would change every frame.
    faces = faces_of(2)[[0] * 20 + [1] * 8]
    audio = heard_by(2)[[0] * 20 + [1] * 8]
    jumps = {}
    for overlap in (0, 4):
        sync = Sync(unet, vae, 64)
        spans = crossfade.windows(28, 16, overlap)
        made = ((span, sync.windows(faces[None, list(span)], audio[None, list(span)], steps=2)[0]) for span in spans)
        frames = torch.stack([frame for _, frame in crossfade.crossfaded(made)])
        jumps[overlap] = float((frames[1:20] - frames[:19]).abs().mean((1, 2, 3)).max())
    assert jumps[0] > 1e-3
    assert jumps[4] < 0.4 * jumps[0]
