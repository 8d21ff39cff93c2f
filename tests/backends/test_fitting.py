"""A profile's values and its weights are held against the pipeline's own words, and what the library takes is taken."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.backends import fitting, signatures
from engine.errors import AuthorError
from engine.profile import load_profile

SCALARS = ("bool", "str", "int", "float")


def source(name: str) -> signatures.Source:
    found = signatures.pipeline(name)
    assert found is not None
    return found


def call(pipeline: str, argument: str, value: Any) -> str:
    found = source(pipeline)
    return fitting.wrong(value, found.call_types.get(argument, ""), found.call[argument])


def folder(place: Path, cls: str, **parts: str) -> Path:
    """A model's folder, as far as it is looked at here: its index, with the parts that its pipeline names."""
    own = source(cls)
    index: dict[str, Any] = {"_class_name": cls}
    for name, default in own.init.items():
        type_ = own.init_types.get(name, "Any").split(" |")[0]
        if not type_.startswith(SCALARS) and (default == signatures.REQUIRED or name in own.optional):
            index[name] = ["diffusers", parts.get(name, type_)]
    place.mkdir(parents=True, exist_ok=True)
    (place / "model_index.json").write_text(json.dumps(index))
    return place


def refused(model: Path, pipeline: str) -> str:
    found = fitting.unfit(model.name, model, source(pipeline))
    return f"{found.message} | {found.hint}" if found is not None else ""


@pytest.fixture(name="rows", scope="module")
def rows_of_the_library() -> Sequence[Sequence[str]]:
    """Pipelines that share their weights, as the tables of AutoPipelineForText2Image and its kin have them."""
    root = signatures.installed()
    assert root is not None
    rows = defaultdict(list)
    for key, cls in re.findall(r'\("([\w-]+)", (\w+Pipeline)\)', (root / "pipelines/auto_pipeline.py").read_text()):
        rows[key].append(cls)
    return [rows[key] for key in ("flux", "flux2-klein", "flux-kontext", "qwenimage", "stable-diffusion-3", "wan")]


def test_weights_do_for_every_pipeline_that_the_library_makes_of_them(
    rows: Sequence[Sequence[str]], tmp_path: Path
) -> None:
    for row in rows:
        for cls in row:
            model = folder(tmp_path, cls)
            assert {other: said for other in row if (said := refused(model, other))} == {}
    assert sum(map(len, rows)) > 12


def test_what_stands_in_the_library_as_a_default_is_taken(rows: Sequence[Sequence[str]]) -> None:
    asked = 0
    for found in (source(name) for row in rows for name in row):
        for argument, said in found.call_types.items():
            default = found.call[argument]
            if default is not None and not isinstance(default, str):
                assert (found.name, argument, fitting.wrong(default, said, None)) == (found.name, argument, "")
                asked += 1
    assert asked > 100


@pytest.mark.parametrize(
    ("argument", "value", "said"),
    [
        ("max_sequence_length", "many", 'must be a whole number, not "many"'),
        ("max_sequence_length", 5.5, "must be a whole number, not 5.5"),
        ("max_sequence_length", True, "must be a whole number, not true"),
        ("true_cfg_scale", 2, ""),
        ("true_cfg_scale", "much", 'must be a number, not "much"'),
        ("sigmas", (1, 0.5), ""),
        ("sigmas", [1.0, "little"], 'must be a list (each a number), not [1.0, "little"]'),
        ("sigmas", None, ""),
        ("joint_attention_kwargs", {"scale": 0.5}, ""),
        ("joint_attention_kwargs", 0.5, "must be a mapping, not 0.5"),
        ("ip_adapter_image_embeds", "a.pt", 'must be a list, not "a.pt"'),
        ("latents", [1.0], "must be left out, not [1.0]"),
    ],
)
def test_a_value_is_held_against_what_the_pipeline_says_of_it(argument: str, value: Any, said: str) -> None:
    assert call("FluxPipeline", argument, value) == said


def test_one_of_several_types_is_enough() -> None:
    assert call("WanVACEPipeline", "conditioning_scale", [1.0, 0.5]) == ""
    wanted = 'must be a number or a list (each a number), not "x"'
    assert call("WanVACEPipeline", "conditioning_scale", "x") == wanted
    assert call("Flux2KleinPipeline", "text_encoder_out_layers", [9, 18]) == ""
    assert fitting.wrong("c", "Optional[Literal['a', 'b']]", None) == "must be 'a' or 'b', not \"c\""
    assert fitting.wrong("a", "Optional[Literal['a', 'b']]", None) == ""
    assert fitting.wrong("off", "", True) == 'must be true or false, not "off"'
    assert fitting.wrong("anything", "'PipelineImageInput'", None) == ""


def test_weights_of_another_pipeline_are_told_with_what_to_write(tmp_path: Path) -> None:
    wan = folder(tmp_path / "wan", "WanImageToVideoPipeline")
    flux = folder(tmp_path / "flux", "FluxPipeline")
    vace = folder(tmp_path / "vace", "WanVACEPipeline")
    assert refused(wan, "FluxPipeline") == (
        "the model wan is for WanImageToVideoPipeline: FluxPipeline also needs text_encoder_2 and tokenizer_2 | "
        "Write pipeline: WanImageToVideoPipeline, or name a model for FluxPipeline."
    )
    assert refused(flux, "WanImageToVideoPipeline") == (
        "the model flux is for FluxPipeline: its transformer is FluxTransformer2DModel, "
        "and WanImageToVideoPipeline works with WanTransformer3DModel | "
        "Write pipeline: FluxPipeline, or name a model for WanImageToVideoPipeline."
    )
    assert refused(vace, "WanImageToVideoPipeline").startswith("the model vace is for WanVACEPipeline: its transformer")
    assert refused(flux, "FluxImg2ImgPipeline") == refused(flux, "FluxKontextPipeline") == ""
    assert refused(folder(tmp_path / "ti2v", "WanPipeline"), "WanImageToVideoPipeline") == ""
    assert refused(tmp_path / "nothing", "FluxPipeline") == ""


def test_a_profile_is_told_where_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path / "models/wan", "WanImageToVideoPipeline")
    monkeypatch.setenv("MIKEBOT_MODELS", str(tmp_path / "models"))
    (tmp_path / "profiles").mkdir()

    def told(params: Mapping[str, Any]) -> list[str]:
        said = json.dumps({"pipeline": "FluxPipeline", **params})
        text = f"name: mine\nextends: draft\nkinds:\n  still: {{backend: flux, params: {said}}}\n"
        (tmp_path / "profiles/mine.yaml").write_text(text)
        with pytest.raises(AuthorError) as caught:
            load_profile("mine", tmp_path)
        return [f"{m.line}:{m.column}: {m.message}" for m in caught.value.mistakes]

    assert told({"model": "wan"}) == [
        "4:63: the model wan is for WanImageToVideoPipeline: FluxPipeline also needs text_encoder_2 and tokenizer_2"
    ]
    assert told({"model": "a/b", "call": {"max_sequence_length": "many"}}) == [
        '4:88: max_sequence_length must be a whole number, not "many"'
    ]
    assert told({"model": "a/b", "scheduler": {"class": "UniPCMultistepScheduler", "flow_shift": "far"}}) == [
        '4:129: flow_shift must be a number, not "far"'
    ]
