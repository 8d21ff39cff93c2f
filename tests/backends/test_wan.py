"""clip.wan: the library's own numbers, clips of whole length that lose nothing, a chain that goes on where it was."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from contract_kit import Heard
from diffusion_kit import CLIPS, Bench, clip, library, models
from media_kit import drawn
from PIL import Image

from engine.backends import find, lossless
from engine.backends.colour_match import matched
from engine.backends.piped import NOTE
from engine.backends.wan import Wan
from engine.errors import BackendError, Cancelled
from engine.kinds import Inputs, Scene


@pytest.fixture(name="first", scope="module")
def a_picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shades = np.linspace(20, 230, 64 * 64 * 3).reshape(64, 64, 3).astype("uint8")
    file = tmp_path_factory.mktemp("first") / "first.png"
    Image.fromarray(shades).save(file)
    return file


@pytest.fixture(scope="module")
def wan() -> Bench:
    return Bench(clip())


def frames(video: Path) -> Any:
    with av.open(str(video)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def last(out: Path) -> Any:
    with Image.open(out / "last") as picture:
        return np.asarray(picture)


def test_a_clip_has_the_numbers_of_the_library(first: Path, tmp_path: Path) -> None:
    tried = []
    picture = Image.open(first).convert("RGB")
    size = {"width": 64, "height": 64, "num_frames": 9, "num_inference_steps": 2, "max_sequence_length": 32}
    for name, pipeline in CLIPS.items():
        anchored = name in {"wan21-flf2v", "wan-vace"}
        said: dict[str, Any] = {"image": picture} | ({"last_image": picture} if anchored else {})
        if name == "wan-vace":
            grey, known, made = Image.new("RGB", (64, 64), (128,) * 3), Image.new("L", (64, 64), 0), 255
            white = Image.new("L", (64, 64), made)
            said = {"video": [picture, *[grey] * 7, picture], "mask": [known, *[white] * 7, known]}
        direct = library(name, pipeline, prompt="he waves", **size, **said).frames[0]
        params = clip(name, anchor=anchored)
        out = Bench(params).run(params, tmp_path / name, first=first, still=first)
        wanted = (direct * 255).round().astype("uint8")[1:]
        assert frames(out / "video").tobytes() == wanted.tobytes(), name
        assert last(out).tobytes() == wanted[-1].tobytes(), name
        tried.append(f"{pipeline} ({name})")
    print(f"the same bytes as the library: {', '.join(tried)}")
    assert len(tried) == 5


def test_a_clip_is_as_long_as_the_plan_counts_on_at_the_model_s_size(wan: Bench, first: Path, tmp_path: Path) -> None:
    for wanted, made in ((8, 9), (6, 9), (4, 5)):
        out = wan.run(clip(frames=wanted, width=70, height=50), tmp_path / str(wanted), first=first)
        assert frames(out / "video").shape == (wanted, 48, 64, 3)
        with Image.open(out / "last") as picture:
            assert picture.text[NOTE] == (  # type: ignore[attr-defined]
                f"made at 64 x 48, {made} frames, of which the clip has {wanted}"
            )
        with av.open(str(out / "video")) as container:
            stream = container.streams.video[0]
            assert (stream.average_rate, stream.codec_context.color_trc) == (16, 1)
            assert stream.duration * stream.time_base == Fraction(wanted, 16)


def test_a_chain_goes_on_from_the_last_frame_s_own_pixels(wan: Bench, first: Path, tmp_path: Path) -> None:
    one = wan.run(clip(), tmp_path / "1", first=first)
    assert last(one).tobytes() == frames(one / "video")[-1].tobytes()
    params = clip(number=2, seed=4)
    two = wan.run(params, tmp_path / "2", first=one / "last")
    direct = library(
        "wan21-i2v",
        "WanImageToVideoPipeline",
        image=Image.fromarray(last(one)),
        prompt="he waves",
        width=64,
        height=64,
        num_frames=9,
        num_inference_steps=2,
        max_sequence_length=32,
    )
    other = (direct.frames[0] * 255).round().astype("uint8")[1:]
    assert frames(two / "video").tobytes() != other.tobytes()  # The library was asked with seed 3.
    again = wan.run(clip(number=2), tmp_path / "3", first=one / "last")
    assert frames(again / "video").tobytes() == other.tobytes()


def test_a_clip_written_and_read_again_has_lost_nothing(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (5, 48, 64, 3), np.uint8)
    lossless.write(tmp_path / "a", noise, Fraction(16))
    lossless.write(tmp_path / "b", noise, Fraction(16))
    assert frames(tmp_path / "a").tobytes() == noise.tobytes()
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_clips_in_a_row_are_all_of_their_frames_at_their_times(tmp_path: Path) -> None:
    parts = [np.full((4, 48, 64, 3), shade, np.uint8) for shade in (20, 120, 220)]
    for number, part in enumerate(parts):
        lossless.write(tmp_path / str(number), part, Fraction(16))
    chain = find("talk", "chain")
    params = chain.Params(frames=10, fps="25", width=64, height=48)
    inputs = Inputs({f"clip.{number:04}": tmp_path / str(number - 1) for number in (1, 2, 3)})
    (tmp_path / "out").mkdir()
    chain().run(params, inputs, tmp_path / "out", Heard())
    assert frames(tmp_path / "out/video").tobytes() == np.concatenate(parts).tobytes()
    with av.open(str(tmp_path / "out/video")) as container:
        times = [frame.pts * frame.time_base for frame in container.decode(video=0)]
    assert times == [Fraction(number, 16) for number in range(12)]


def test_a_clip_reaches_the_film_in_its_colours_and_at_its_pace(tmp_path: Path) -> None:
    shades = [(200, 40, 40), (40, 180, 60), (30, 60, 210), (128, 128, 128)]
    pictures = np.stack([np.full((48, 64, 3), shade, np.uint8) for shade in shades])
    lossless.write(tmp_path / "video", pictures, Fraction(4))
    scene = find("scene", "x264")
    params = scene.Params(frames=100, fps="25", width=64, height=48, crf=12)
    assert isinstance(params, Scene)
    (tmp_path / "out").mkdir()
    scene().run(params, Inputs({"clip.0001": tmp_path / "video"}), tmp_path / "out", Heard())
    with av.open(str(tmp_path / "out/video")) as container:
        told = [
            frame.to_ndarray(format="rgb24", src_colorspace="ITU709")[24, 32] for frame in container.decode(video=0)
        ]
    for second, shade in enumerate(shades):
        frame = int((second + 0.5) * 25 / 4)
        assert np.abs(told[frame].astype(int) - shade).max() <= 3, (shade, told[frame])


def test_a_drift_of_colours_is_undone_and_no_clip_jumps() -> None:
    chance = np.random.default_rng(1)
    base = np.clip(chance.normal(120, 40, (48, 64, 3)), 0, 255)
    cast = np.array([24.0, -6.0, -18.0])
    drifting = np.stack([np.clip((base - 120) * (1 - 0.1 * t) + 120 + cast * t, 0, 255) for t in np.linspace(0, 1, 12)])
    drifting = drifting.astype("uint8")
    first = drifting[0]
    held = matched(drifting, first, first)
    assert np.abs(held[0].astype(int) - first).max() <= 1
    before, after = (np.abs(clip[-1].mean((0, 1)) - first.mean((0, 1))).max() for clip in (drifting, held))
    assert before > 15
    assert after < before / 5
    assert abs(held[-1].mean() - first.mean()) < 1
    steps = np.abs(np.diff(held.astype(float).mean((1, 2)), axis=0)).max()
    assert steps < 2


def test_colours_are_held_only_where_the_profile_says(wan: Bench, first: Path, tmp_path: Path) -> None:
    free = wan.run(clip(), tmp_path / "free", first=first)
    held = wan.run(clip(match="first"), tmp_path / "held", first=first)
    with Image.open(first) as picture:
        wanted = np.asarray(picture).mean((0, 1))
    assert np.abs(last(held).mean((0, 1)) - wanted).max() < np.abs(last(free).mean((0, 1)) - wanted).max()
    with pytest.raises(BackendError) as told:
        wan.run(clip(match="still"), tmp_path / "still", first=first)
    assert str(told.value) == (
        "match: a clip was not given the still whose colours it is to have\n"
        "  Set limits: {anchor: true} beside the clip's backend, so that clips read the scene's still."
    )


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (
            "wan21-i2v",
            ["anchor: wan21-i2v was not trained to end at a picture. Use a FLF2V model, or remove anchor:"],
        ),
        (
            "wan22-ti2v",
            ["anchor: wan22-ti2v pays no heed to the picture that a clip is to end at. Remove anchor:"],
        ),
        ("wan21-flf2v", []),
        ("wan22-a14b", []),
        ("wan-vace", []),
    ],
)
def test_a_clip_ends_at_the_still_only_where_the_model_heeds_it(model: str, said: list[str]) -> None:
    models()
    assert Wan().check(clip(model, anchor=True)) == said


def test_a_model_that_must_end_at_a_picture_is_given_one() -> None:
    models()
    assert Wan().check(clip("wan21-flf2v")) == [
        "anchor: wan21-flf2v was trained to end at a picture. Set anchor: true, and limits: {anchor: true}"
    ]


def test_the_still_that_a_clip_is_to_end_at_has_an_effect(first: Path, tmp_path: Path) -> None:
    still = drawn(tmp_path / "still.png", (64, 64), "RGB", (10, 200, 10))
    for model in ("wan21-flf2v", "wan22-a14b", "wan-vace"):
        bench = Bench(clip(model, anchor=True))
        ends = [
            last(bench.run(clip(model, anchor=True), tmp_path / f"{model}{number}", first=first, still=end)).tobytes()
            for number, end in enumerate((first, still))
        ]
        assert ends[0] != ends[1], model
    with pytest.raises(BackendError) as told:
        bench.run(clip("wan-vace", anchor=True), tmp_path / "none", first=first)
    assert str(told.value) == (
        "anchor: a clip was not given the still that it is to end at\n"
        "  Set limits: {anchor: true} beside the clip's backend, so that clips read the scene's still."
    )


def test_a_cancel_stops_at_the_next_denoising_step(wan: Bench, first: Path, tmp_path: Path) -> None:
    class Stop(Heard):
        def progress(self, done: int, total: int) -> None:
            super().progress(done, total)
            if done == 1:
                raise Cancelled

    heard = Stop()
    with pytest.raises(Cancelled):
        wan.run(clip(steps=6), tmp_path / "out", heard, first=first)
    assert heard.told == [(0, 1), (1, 7)]
    assert not (tmp_path / "out/video").exists()


def test_numbers_that_are_none_are_an_error_and_not_a_black_film(first: Path, tmp_path: Path) -> None:
    bench = Bench(clip())
    bench.backend._resident.pipe.transformer.proj_out.weight.data[:] = float("nan")
    with pytest.raises(BackendError, match=r"^the model's numbers ran out of range at denoising step 1 of 2\n"):
        bench.run(clip(), tmp_path / "out", first=first)
    assert not (tmp_path / "out/video").exists()


def test_a_model_is_kept_whole_where_there_is_no_gpu_to_move_it_off(wan: Bench, first: Path, tmp_path: Path) -> None:
    plain = wan.run(clip(), tmp_path / "plain", first=first)
    auto = Bench(clip(offload="auto")).run(clip(offload="auto"), tmp_path / "auto", first=first)
    assert (auto / "video").read_bytes() == (plain / "video").read_bytes()


def test_a_cache_a_scheduler_and_tiles_are_the_library_s(first: Path, tmp_path: Path) -> None:
    import torch
    from diffusers import FirstBlockCacheConfig, UniPCMultistepScheduler, WanImageToVideoPipeline

    knobs = {
        "cache": {"class": "FirstBlockCacheConfig", "threshold": 0.2},
        "scheduler": {"class": "UniPCMultistepScheduler", "flow_shift": 5.0},
        "tiling": True,
        "steps": 4,
    }
    params = clip("wan22-a14b", **knobs)
    ours = frames(Bench(params).run(params, tmp_path / "out", first=first) / "video")
    pipe = WanImageToVideoPipeline.from_pretrained(models() / "wan22-a14b", dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = UniPCMultistepScheduler.from_config(pipe.scheduler.config, flow_shift=5.0)
    pipe.vae.enable_tiling()
    for part in (pipe.transformer, pipe.transformer_2):
        part.enable_cache(FirstBlockCacheConfig(threshold=0.2))
    size = {"width": 64, "height": 64, "num_frames": 9, "num_inference_steps": 4, "max_sequence_length": 32}
    seed = torch.Generator("cpu").manual_seed(3)
    direct = pipe(image=Image.open(first).convert("RGB"), prompt="he waves", generator=seed, **size).frames[0]
    assert ours.tobytes() == (direct * 255).round().astype("uint8")[1:].tobytes()
    plain = Bench(clip("wan22-a14b", steps=4))
    assert (
        ours.tobytes()
        != frames(plain.run(clip("wan22-a14b", steps=4), tmp_path / "p", first=first) / "video").tobytes()
    )
