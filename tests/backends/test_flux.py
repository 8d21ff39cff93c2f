"""still.flux: the library's own numbers, a persona's LoRA that leaves no trace, and every failure told in words."""

from __future__ import annotations

import json
import shutil
import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contract_kit import Heard
from diffusion_kit import PORTRAIT, STILLS, Bench, library, models, still
from PIL import Image

from engine.backends import prompt_text
from engine.backends.accelerator import NO_CUDA, NO_DEVICE
from engine.backends.flux import Flux
from engine.backends.piped import NOTE
from engine.backends.sized import fitted
from engine.errors import AuthorError, BackendError, Cancelled
from engine.profile import load_profile

FETCH = "mikebot fetch --profile NAME"
PARTS = "a persona has name, trigger, appearance, wardrobe, and all else is text"
BOT = {"name": "Bot", "trigger": "mkbt", "appearance": "a robot", "wardrobe": "a scarf", "weight": 1.0}

# Qwen-Image leaves out the first 34 tokens, which are its own; a tiny vocabulary splits words into more.
LONG = "a red door on a street in the evening light, a lamp above it and a cat before it"


@pytest.fixture(scope="module")
def flux() -> Bench:
    return Bench(still())


@pytest.fixture(scope="module")
def looks() -> list[Path]:
    return [models() / "looks" / f"{seed}.safetensors" for seed in (1, 2)]


def image(out: Path) -> bytes:
    return (out / "image").read_bytes()


def pixels(out: Path) -> Any:
    with Image.open(out / "image") as picture:
        return np.asarray(picture.convert("RGB"))


def test_a_still_has_the_numbers_of_the_library(tmp_path: Path) -> None:
    tried = []
    for name, (pipeline, call) in STILLS.items():
        said = {"prompt": LONG, "width": 64, "height": 48, "num_inference_steps": 2, **call}
        given: dict[str, Path] = {}
        if name in {"kontext", "klein"}:
            given = {"portrait": PORTRAIT}
            with Image.open(PORTRAIT) as portrait:
                white = Image.new("RGBA", portrait.size, "white")
                said["image"] = Image.alpha_composite(white, portrait.convert("RGBA")).convert("RGB")
        if name == "kontext":
            said["max_area"] = 64 * 48
        direct = np.asarray(library(name, pipeline, **said).images[0])
        params = still(name, prompt=LONG)
        ours = pixels(Bench(params).run(params, tmp_path / name, **given))
        assert ours.tobytes() == direct.tobytes(), pipeline
        assert ours.std() > 1
        tried.append(pipeline)
    print(f"the same bytes as the library: {', '.join(tried)}")
    assert tried == ["FluxPipeline", "FluxKontextPipeline", "Flux2KleinPipeline", "QwenImagePipeline"]


def test_the_seed_alone_decides_between_draws(flux: Bench, tmp_path: Path) -> None:
    one, again = flux.run(still(), tmp_path / "1"), flux.run(still(), tmp_path / "2")
    other = flux.run(still(seed=4), tmp_path / "3")
    assert image(one) == image(again) != image(other)


def test_looks_follow_each_other_and_leave_nothing_behind(flux: Bench, looks: list[Path], tmp_path: Path) -> None:
    params = still(persona=BOT)
    bare = image(flux.run(params, tmp_path / "bare"))
    first, other, again = (
        image(flux.run(params, tmp_path / str(number), look=looks[which])) for number, which in enumerate((0, 1, 0))
    )
    assert first == again
    assert len({bare, first, other}) == 3
    assert image(flux.run(params, tmp_path / "after")) == bare


def test_a_look_has_its_weight_and_none_is_none(flux: Bench, looks: list[Path], tmp_path: Path) -> None:
    weighed = {
        weight: image(flux.run(still(persona=BOT | {"weight": weight}), tmp_path / str(weight), look=looks[0]))
        for weight in (0.0, 0.5, 1.0)
    }
    assert len(set(weighed.values())) == 3
    assert weighed[0.0] == image(flux.run(still(persona=BOT), tmp_path / "bare"))


def test_a_profile_s_loras_are_on_beside_the_persona_s_look(flux: Bench, looks: list[Path], tmp_path: Path) -> None:
    own = still(persona=BOT, loras=({"model": "looks", "file": "2.safetensors", "weight": 0.5},))
    both = image(flux.run(own, tmp_path / "both", look=looks[0]))
    one = image(flux.run(own, tmp_path / "one"))
    assert len({both, one, image(flux.run(still(persona=BOT), tmp_path / "none", look=looks[0]))}) == 3


def test_a_still_is_delivered_at_the_size_that_was_asked_for(flux: Bench, tmp_path: Path) -> None:
    params = still(width=150, height=84, pixels=4096)
    with Image.open(flux.run(params, tmp_path / "out") / "image") as picture:
        assert picture.size == (150, 84)
        assert picture.text[NOTE] == "drawn at 80 x 32, delivered at 150 x 84"  # type: ignore[attr-defined]
    assert fitted(1280, 720, 1_048_576, 16) == (1280, 720)
    assert fitted(1920, 1080, 1_048_576, 16) == (1360, 768)


def test_what_no_encoder_read_is_told(flux: Bench, tmp_path: Path) -> None:
    out = flux.run(still(prompt="a very long row of paper boats " * 20), tmp_path / "out")
    with Image.open(out / "image") as picture:
        notes = picture.text[NOTE].splitlines()  # type: ignore[attr-defined]
    assert [note.split(" of ")[0] for note in notes] == ["CLIP read 77", "the text encoder read 64"]


def test_a_prompt_is_made_of_persona_scene_and_style() -> None:
    said = {"persona": BOT, "prompt": "at a desk", "style": "soft light", "theme": "studio"}
    made = prompt_text.filled(prompt_text.DEFAULT, said)
    assert made == "mkbt, a robot, wearing a scarf. at a desk. soft light"
    assert prompt_text.filled(prompt_text.DEFAULT, said | {"persona": None}) == "at a desk. soft light"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{% for x in prompt %}{{ x }}{% endfor %}", "a template cannot hold a loop: it puts words beside words"),
        ("{{ prompt.format(1) }}", "a template cannot hold a call: it puts words beside words"),
        ("{% set a = prompt ~ prompt %}", "a template cannot hold an assignment: it puts words beside words"),
        ("{% include 'a' %}", "a template cannot hold an include: it puts words beside words"),
        ("{{ 'a' * 1000000000 }}", "a template cannot hold 'mul': it puts words beside words"),
        (
            "{{ prompt | center(10) }}",
            "a template has no filter 'center'; it has capitalize, default, first, last, lower, title, trim, upper",
        ),
        ("{{ self }}", "a template knows no 'self'; it knows persona, prompt, style, theme"),
        (
            "{{ prompt }",
            "the template cannot be read: unexpected '}', in its line 1",
        ),
        ("{{ prompt.__class__ }}", f"a template reads no '__class__' there: {PARTS}"),
        ("{{ prompt.upper }}", f"a template reads no 'upper' there: {PARTS}"),
        ("{{ persona['__init__'] }}", f"a template reads no '__init__' there: {PARTS}"),
        ("{{ persona[prompt] }}", f"a template reads no part that a word names there: {PARTS}"),
        ("{{ persona['name'] }} {{ persona.wardrobe }}", ""),
        (
            "{% if persona %}{{ prompt < 1 }}{% endif %}",
            "the template fails where a scene has a persona and no style: "
            "'<' not supported between instances of 'str' and 'int'",
        ),
        ("x" * 4001, "the template has 4,001 characters; at most 4,000 are read"),
    ],
)
def test_a_template_puts_words_beside_words_and_no_more(template: str, said: str) -> None:
    assert prompt_text.wrong(template) == said


def test_a_template_reaches_nothing_but_its_words(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"a template reads no '_secret' there"):
        prompt_text.filled("{{ persona._secret }}", {"prompt": "a", "persona": {}, "style": ""})
    file = tmp_path / "profiles/sly.yaml"
    file.parent.mkdir()
    knobs = "{pipeline: FluxPipeline, model: flux, template: '{{ prompt.__class__ }}'}"
    file.write_text(f"name: sly\nextends: draft\nkinds:\n  still: {{backend: flux, params: {knobs}}}\n")
    with pytest.raises(AuthorError) as told:
        load_profile("sly", tmp_path)
    assert str(told.value).splitlines()[0].endswith(f"sly.yaml:4:72: a template reads no '__class__' there: {PARTS}")


def test_a_cancel_stops_at_the_next_denoising_step(flux: Bench, tmp_path: Path) -> None:
    class Stop(Heard):
        def progress(self, done: int, total: int) -> None:
            super().progress(done, total)
            if done == 2:
                raise Cancelled

    heard = Stop()
    params = still(steps=5)
    with pytest.raises(Cancelled):
        flux.run(params, tmp_path / "out", heard)
    assert heard.told == [(0, 1), (1, 6), (2, 6)]
    whole = flux.run(params, tmp_path / "after")
    assert image(whole) == image(Bench(params).run(params, tmp_path / "fresh"))


def test_numbers_that_are_none_are_an_error_and_not_a_black_picture(tmp_path: Path) -> None:
    bench = Bench(still())
    pipe = bench.backend._resident.pipe
    pipe.transformer.proj_out.weight.data[:] = float("nan")
    with pytest.raises(BackendError) as told:
        bench.run(still(), tmp_path / "out")
    assert str(told.value) == (
        "the model's numbers ran out of range at denoising step 1 of 2\n"
        "  Set dtype: bfloat16 or float32, or a guidance that is lower."
    )
    assert not (tmp_path / "out/image").exists()
    bench = Bench(still())
    bench.backend._resident.pipe.vae.decoder.conv_out.weight.data[:] = float("inf")
    with pytest.raises(BackendError) as told:
        bench.run(still(), tmp_path / "out")
    assert str(told.value) == (
        "the picture came out of the model with values that are no numbers\n"
        "  Set dtype: bfloat16 or float32; Wan also takes {default: bfloat16, vae: float32}."
    )


@pytest.fixture(name="copied")
def a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny FLUX that a test may break."""
    shutil.copytree(models() / "flux", tmp_path / "models/flux")
    monkeypatch.setenv("MIKEBOT_MODELS", str(tmp_path / "models"))
    return tmp_path / "models/flux"


def refused(**changes: Any) -> str:
    (reason,) = Flux().check(still(**changes))
    return reason


def test_a_compiled_model_without_a_compiler_says_what_to_do(flux: Bench, monkeypatch: Any) -> None:
    assert not list(Flux().check(still(compile=True)))
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    assert refused(compile=True) == (
        "compile: true needs a C compiler, and there is none: "
        "install gcc or clang, or set compile: false in the profile"
    )


def test_a_model_that_is_not_here_says_what_to_type(copied: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    said = (
        "the model some/flux is not on this machine. "
        f"Put its folder below one that MIKEBOT_MODELS names, or fetch it: {FETCH}."
    )
    commit = "0" * 40
    assert refused(model="some/flux") == refused(model="some/flux", revision=commit) == said
    kept = tmp_path / "hub/models--some--flux/snapshots" / ("1" * 40)
    shutil.copytree(copied, kept)
    assert refused(model="some/flux", revision=commit) == (
        f"the model some/flux is here, but not revision {commit}; here is {'1' * 40}. Fetch it: {FETCH}."
    )
    assert Flux().check(still(model="some/flux", revision="1" * 40)) == []
    assert Flux.settled({"model": "some/flux"})["revision"] == "1" * 40


def test_a_folder_that_changed_after_the_plan_is_not_taken_for_it(copied: Path) -> None:
    params = still(**Flux.settled({"model": "flux"}))
    backend = Flux()
    backend.load(backend.model(params))
    config = copied / "scheduler/scheduler_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"shift": 1.0}))
    now = Flux.settled({"model": "flux"})["revision"]
    with pytest.raises(BackendError) as told:
        backend.load(backend.model(params))
    assert str(told.value) == (
        f"the model flux in {copied} is another than the revision {params.revision} that was planned: it is {now}\n"
        "  Render again, or bring back the folder as it was."
    )


def test_a_lora_of_the_profile_that_is_not_there_is_told() -> None:
    models()
    lora = {"model": "looks", "file": "3.safetensors"}
    assert refused(loras=(lora,)) == "there is no LoRA 3.safetensors in looks. Check file: in the profile."


@pytest.mark.skipif(find_spec("torchao") is not None, reason="torchao is installed")
def test_what_is_not_installed_is_told() -> None:
    models()
    wanted = "quantization with torchao needs torchao: pip install torchao"
    assert refused(quantization={"backend": "torchao"}) == wanted


def test_a_file_that_is_cut_off_is_told(copied: Path) -> None:
    file = copied / "vae/diffusion_pytorch_model.safetensors"
    size = file.stat().st_size
    file.write_bytes(file.read_bytes()[:-100])
    assert refused() == (
        f"the model flux: vae/diffusion_pytorch_model.safetensors is cut off: it has {size - 100:,} of {size:,} bytes. "
        "Fetch or copy the file again."
    )
    file.write_bytes(b"no tensors")
    assert refused() == (
        "the model flux: vae/diffusion_pytorch_model.safetensors is no safetensors file, or is cut off. "
        "Fetch or copy the file again."
    )


@pytest.mark.parametrize(
    "head",
    [
        b"{not json",
        b'["a"]',
        b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}',
        b'{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [4, 0]}}',
        b'{"a": {"dtype": "F32", "shape": [1]}}',
        b'{"a": 1}',
    ],
    ids=["no JSON", "a list", "a shape too large", "offsets turned round", "no offsets", "a number"],
)
def test_a_file_with_a_bad_head_is_told(copied: Path, head: bytes) -> None:
    file = copied / "vae/diffusion_pytorch_model.safetensors"
    file.write_bytes(struct.pack("<Q", len(head)) + head + bytes(4))
    assert refused() == (
        "the model flux: vae/diffusion_pytorch_model.safetensors is damaged: its head cannot be read. "
        "Fetch or copy the file again."
    )


@pytest.mark.parametrize(
    ("gone", "lacking"),
    [
        ("vae/diffusion_pytorch_model.safetensors", "vae/ has no weights"),
        ("transformer/config.json", "transformer/ has no config.json"),
        ("tokenizer/tokenizer.json", "tokenizer/ has no vocabulary"),
        ("scheduler/scheduler_config.json", "scheduler/ has no configuration"),
    ],
)
def test_half_a_folder_is_told(copied: Path, gone: str, lacking: str) -> None:
    (copied / gone).unlink()
    assert refused() == f"the model flux is not whole: {lacking}. Fetch it again: what is there is kept."


def test_pickles_are_refused(copied: Path) -> None:
    file = copied / "vae/diffusion_pytorch_model.safetensors"
    file.rename(file.with_suffix(".bin"))
    assert refused() == (
        "the model flux has its weights in vae/diffusion_pytorch_model.bin: such a file can run any program, "
        "and is not read. Get *.safetensors."
    )


def test_programs_of_strangers_are_refused(copied: Path) -> None:
    (copied / "transformer/own.py").write_text("print('ran')")
    assert refused() == (
        "the model flux brings a program of its own, own.py, which is not run. "
        "Delete that file if the model works without it."
    )
    (copied / "transformer/own.py").unlink()
    index = json.loads((copied / "model_index.json").read_text())
    (copied / "model_index.json").write_text(json.dumps(index | {"vae": ["antigravity", "Fly"]}))
    assert refused() == (
        "the model flux wants Fly of antigravity for its vae. Only classes of diffusers and transformers are loaded."
    )


def test_a_part_that_is_missing_is_told(copied: Path) -> None:
    shutil.rmtree(copied / "text_encoder_2")
    assert refused() == (
        "the model flux is not whole: text_encoder_2/ is missing. Fetch it again: what is there is kept."
    )
    (copied / "model_index.json").unlink()
    assert refused() == (
        f"the model flux has no model_index.json that can be read: {copied} holds no model of diffusers. "
        "Fetch the whole model, in the layout of diffusers."
    )


def test_a_model_that_went_away_between_two_steps_is_told(copied: Path, tmp_path: Path) -> None:
    backend = Flux()
    params = still()
    assert backend.check(params) == []
    backend.load(backend.model(params))
    shutil.rmtree(copied)
    gone = "the model flux is not on this machine"
    hint = "Put its folder below one that MIKEBOT_MODELS names, or fetch it: mikebot fetch --profile NAME."
    assert refused() == f"{gone}. {hint}"
    with pytest.raises(BackendError) as told:
        backend.load(backend.model(params))
    assert str(told.value) == f"{gone}\n  {hint}"


@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_told_before_any_weight_is_read() -> None:
    import torch

    models()
    with pytest.raises(BackendError) as told:
        Flux().load(Flux().model(still(device="cuda")))
    why = "sees none" if torch.version.cuda else "is built without it"
    hint = NO_DEVICE if torch.version.cuda else NO_CUDA
    assert str(told.value) == f"the profile asks for cuda, and torch {torch.__version__} {why}\n  {hint}"


def broken(look: Path, out: Path, change: Any) -> Path:
    """A LoRA whose tensors are changed."""
    from safetensors.torch import load_file, save_file

    save_file(change(load_file(look)), out)
    return out


def test_looks_that_do_not_fit_are_told(flux: Bench, looks: list[Path], tmp_path: Path) -> None:
    import torch

    params, there = still(persona=BOT), "transformer.single_transformer_blocks.0.attn.to_k"

    def told(file: Path) -> str:
        with pytest.raises(BackendError) as raised:
            flux.run(params, tmp_path / "out", look=file)
        return str(raised.value).splitlines()[0]

    before = image(flux.run(params, tmp_path / "before"))
    file = tmp_path / "broken.safetensors"
    foreign = broken(looks[0], file, lambda a: {key.replace("blocks.0", "blocks.9"): value for key, value in a.items()})
    assert told(foreign) == (
        f"the LoRA is made for another model: it changes '{there.replace('.0.', '.9.')}', "
        "which FluxTransformer2DModel does not have"
    )
    larger = broken(looks[0], file, lambda a: a | {f"{there}.lora_A.weight": torch.zeros(2, 3072)})
    assert told(larger) == (
        f"the LoRA is made for another model: '{there}' takes 3072 numbers and gives 32 there, and 32 and 32 here"
    )
    half = broken(looks[0], file, lambda a: {key: a[key] for key in a if key != f"{there}.lora_B.weight"})
    assert told(half) == f"the LoRA is not whole: '{there}' has no lora_B"
    more = broken(looks[0], file, lambda a: a | {"transformer.extra.weight": torch.zeros(2, 2)})
    assert told(more) == "the LoRA has a tensor that belongs to no LoRA: 'transformer.extra.weight'"
    lost = broken(looks[0], file, lambda a: a | {f"{there}.lora_A.weight": torch.full((2, 32), torch.nan)})
    assert told(lost) == f"the LoRA has values that are no numbers, in '{there}.lora_A.weight'"
    whole = looks[0].stat().st_size
    file.write_bytes(looks[0].read_bytes()[:-50])
    assert told(file) == f"the LoRA is cut off: it has {whole - 50:,} of {whole:,} bytes"
    file.write_bytes(b"PK\x03\x04 a pickle")
    assert told(file) == "the LoRA is no safetensors file, or is cut off"
    assert image(flux.run(params, tmp_path / "after")) == before
