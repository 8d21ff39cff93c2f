"""The knobs of every pipeline of diffusers, and what is wrong with those of a profile: told without importing it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import PureWindowsPath
from typing import Any, NamedTuple

from ..errors import BackendError
from . import fitting, model_folder, signatures
from .lora import PARTS
from .signatures import Source, meant

DTYPES = ("float32", "bfloat16", "float16")
SMALL_DTYPES = ("int8", "uint8", "float8_e4m3fn", "float8_e5m2")  # What quantized weights are kept in.
DEVICES = ("auto", "cpu", "cuda", "mps")
OFFLOADS = ("auto", "none", "model", "sequential", "group")
QUANTIZED = {"bitsandbytes_4bit": "bitsandbytes", "bitsandbytes_8bit": "bitsandbytes", "torchao": "torchao"}
COMPILER = "install gcc or clang, or set compile: false in the profile"
CASTED = "layerwise"  # Weights kept in eight bits and widened as they are used; diffusers does it alone.
# What a step says itself, or takes back itself: a profile cannot.
DECIDED = frozenset(("prompt", "prompt_2", "prompt_3", "image", "last_image", "video", "mask", "mask_image"))
DECIDED |= {"reference_images", "height", "width", "num_frames", "frame_rate", "generator", "latents", "output_type"}
DECIDED |= {"return_dict", "callback_on_step_end", "callback_on_step_end_tensor_inputs"}
DECIDED |= {"num_images_per_prompt", "num_videos_per_prompt"}
_CONFIG = re.compile(r"[A-Z]\w*Config")
_OWN = {"num_inference_steps": "steps", "guidance_scale": "guidance", "negative_prompt": "negative"}


class Misfit(NamedTuple):
    """What is wrong with one param of a profile: where below `params`, and what to do."""

    path: tuple[str | int, ...]
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Knobs:
    """What a profile says of a pipeline. Steps, guidance and all in `call` are arguments of the pipeline's call."""

    pipeline: str = ""  # A class of diffusers.
    model: str = ""  # A folder below one of MIKEBOT_MODELS, or an id of the hub.
    revision: str = ""  # A commit; of a folder, the engine fills in a digest.
    dtype: Any = "bfloat16"  # Or by component: {default: bfloat16, vae: float32}.
    device: str = "auto"
    steps: int = 0  # 0: as many as the pipeline takes by itself.
    guidance: float = -1.0  # Below 0: what the pipeline takes by itself.
    negative: str = ""
    pixels: int = 1_048_576  # At most so many a picture are asked of the model.
    scheduler: Mapping[str, Any] = field(default_factory=dict)  # class, and what it is to be configured with.
    quantization: Mapping[str, Any] = field(default_factory=dict)  # backend, components, options.
    offload: str = "none"  # auto: none where all of it fits onto the device, else model.
    attention: str = ""
    cache: Mapping[str, Any] = field(default_factory=dict)  # class, and its fields.
    compile: bool = False
    tiling: bool = False  # The VAE in tiles: less memory.
    loras: Sequence[Mapping[str, Any]] = ()  # model, file, revision, weight.
    call: Mapping[str, Any] = field(default_factory=dict)


# What must be resident, and how: all but what each call says.
RESIDENT: tuple[str, ...] = (
    "pipeline",
    "model",
    "revision",
    "dtype",
    "device",
    "scheduler",
    "quantization",
    "offload",
    "attention",
)
RESIDENT += ("cache", "compile", "tiling")


def spec(params: Knobs) -> str:
    """What must be in memory for some params, as the text that `load` reads."""
    return json.dumps({name: getattr(params, name) for name in RESIDENT}, sort_keys=True)


def settled(params: Mapping[str, Any]) -> dict[str, Any]:
    """A profile's params with the revision of the weights that are here; as they are where there are none."""
    found = dict(params)
    if found.get("model"):
        found["revision"] = _revision(found)
    if found.get("loras"):
        found["loras"] = [{**lora, "revision": _revision(lora)} for lora in found["loras"]]
    return found


def _revision(said: Mapping[str, Any]) -> str:
    try:
        return model_folder.find(said["model"], said.get("revision", "")).revision
    except (BackendError, OSError):
        return str(said.get("revision", ""))  # Told when it is wanted: a profile is right without its weights.


def misfits(params: Mapping[str, Any], takes: Sequence[str]) -> Iterator[Misfit]:
    """All that is wrong with the params of a profile for a pipeline that takes at least one of some arguments."""
    yield from _named(params)
    yield from _choices(params)
    if signatures.installed() is None:
        return
    name = params.get("pipeline", "")
    found = signatures.pipeline(name) if isinstance(name, str) else None
    if found is None:
        yield Misfit(("pipeline",), f"diffusers has no pipeline '{name}'{meant(str(name), signatures.pipelines())}")
        return
    if not any(argument in found.call for argument in takes):
        yield Misfit(("pipeline",), f"{name} takes no {' and no '.join(takes)}", "Name a pipeline of another sort.")
    yield from _unfit(params, found)
    yield from _called(params, found)
    yield from _made(params.get("scheduler"), "scheduler", signatures.schedulers(), signatures.scheduler)
    yield from _made(params.get("cache"), "cache", signatures.caches(), signatures.cache_config)


def _named(params: Mapping[str, Any]) -> Iterator[Misfit]:
    """Models are named by folder or id alone: no address, no path that leaves, nothing that is fetched."""
    hint = f"Name a folder below one that {model_folder.VARIABLE} names, or an id such as black-forest-labs/FLUX.1-dev."
    named = [((), params), *((("loras", number), lora) for number, lora in enumerate(params.get("loras") or ()))]
    for path, said in named:
        if not isinstance(said, Mapping) or not said.get("model"):
            yield Misfit(path or ("model",), "no model is named", hint)
        elif not model_folder.NAME.fullmatch(str(said["model"])):
            yield Misfit((*path, "model"), f"'{said['model']}' is no name of a model", hint)
        elif path and not str(said.get("file", "")).endswith(".safetensors"):
            yield Misfit(path, "a LoRA is a *.safetensors file", "Write file: NAME.safetensors beside model:.")
        elif path and not _inside(str(said["file"])):
            told = "Write its path from the model's folder: what lies elsewhere is in no key."
            yield Misfit((*path, "file"), f"'{said['file']}' is no file of the model's folder", told)
        elif path and said.get("part", "") not in ("", *PARTS):
            yield Misfit(
                (*path, "part"), f"a LoRA changes no part '{said['part']}'", f"Write part: {', or '.join(PARTS)}."
            )
        elif not model_folder.REVISION.fullmatch(str(said.get("revision") or "main")):
            yield Misfit((*path, "revision"), f"'{said['revision']}' is no revision", "Name a commit.")


def _inside(file: str) -> bool:
    """Whether a path stays in the folder that it is said from, on every system."""
    path = PureWindowsPath(file)  # It knows both slashes, and drives.
    return not path.anchor and ".." not in path.parts


def _choices(params: Mapping[str, Any]) -> Iterator[Misfit]:
    """Params that take one of a few values."""
    dtype = params.get("dtype", "bfloat16")
    dtypes = list(dtype.values()) if isinstance(dtype, Mapping) else [dtype]
    asked: list[tuple[str, Any, Sequence[str]]] = [("dtype", one, DTYPES) for one in dtypes]
    asked += [("device", params.get("device", "auto"), DEVICES), ("offload", params.get("offload", "none"), OFFLOADS)]
    if params.get("attention") and signatures.installed() is not None:
        asked.append(("attention", params["attention"], signatures.attentions()))
    quantization = params.get("quantization") or {}
    if quantization:
        asked.append(("quantization", quantization.get("backend"), (*QUANTIZED, CASTED)))
    for name, value, known in asked:
        if value not in known:
            message = f"{name} cannot be '{value}'{meant(str(value), known)}"
            yield Misfit((name,), message, f"It takes {', '.join(known)}.")
    yield from _options(quantization)
    for name, least in (("pixels", 256), ("steps", 0)):
        if isinstance(params.get(name), int) and params[name] < least:
            yield Misfit((name,), f"{name} must be {least} or more")


def _options(quantization: Mapping[str, Any]) -> Iterator[Misfit]:
    """What is a name in torch or torchao, and looked up there."""
    for name, value in (quantization.get("options") or {}).items():
        path = ("quantization", "options", name)
        if name.endswith("dtype") and value not in (*DTYPES, *SMALL_DTYPES):
            message = f"{name} cannot be '{value}'{meant(str(value), (*DTYPES, *SMALL_DTYPES))}"
            yield Misfit(path, message, f"It takes {', '.join((*DTYPES, *SMALL_DTYPES))}.")
        if name == "quant_type" and quantization.get("backend") == "torchao" and not _CONFIG.fullmatch(str(value)):
            message = f"quant_type cannot be '{value}'"
            yield Misfit(path, message, "It takes a class of torchao.quantization, such as Int8WeightOnlyConfig.")


def _unfit(params: Mapping[str, Any], found: Source) -> Iterator[Misfit]:
    """Weights of another pipeline, where they are here already: for another class of the same parts they may do."""
    model = str(params.get("model", ""))
    if not model_folder.NAME.fullmatch(model):
        return
    try:
        problem = fitting.unfit(model, model_folder.lies(model, str(params.get("revision", ""))), found)
    except (BackendError, OSError):
        return  # Told when it is wanted: a profile is right without its weights.
    if problem is not None:
        yield Misfit(("model",), problem.message, problem.hint)


def _called(params: Mapping[str, Any], found: Source) -> Iterator[Misfit]:
    """Arguments that the pipeline's call does not take, or that are not a profile's to say."""
    free = [name for name in found.call if name not in DECIDED and not name.endswith(("embeds", "embeds_mask"))]
    takes = f"It takes {', '.join(name for name in free if name not in _OWN)}."
    for name, value in (params.get("call") or {}).items():
        path = ("call", name)
        if name in _OWN:
            yield Misfit(path, f"'{name}' has a knob of its own", f"Write {_OWN[name]}: beside call:.")
        elif name in found.call and name not in free:
            yield Misfit(path, f"'{name}' is decided by the storyboard, not here", "Remove it.")
        elif name not in found.call:
            yield Misfit(path, f"{found.name} takes no argument '{name}'{meant(name, free)}", takes)
        elif problem := fitting.wrong(value, found.call_types.get(name, ""), found.call[name]):
            yield Misfit(path, f"{name} {problem}")
    for argument, knob in _OWN.items():
        asked = params.get(knob, -1) >= 0 if knob == "guidance" else params.get(knob)
        if asked and argument not in found.call:
            yield Misfit((knob,), f"{found.name} takes no argument '{argument}'", f"Remove {knob}:.")


def _made(said: Any, knob: str, known: list[str], find: Any) -> Iterator[Misfit]:
    """An object of diffusers that is made of a class and its arguments."""
    if not said:
        return
    name = said.get("class") if isinstance(said, Mapping) else said
    found = find(name) if isinstance(name, str) else None
    if found is None:
        path = (knob, "class") if isinstance(said, Mapping) and "class" in said else (knob,)
        message = f"diffusers has no {knob} '{name}'{meant(str(name), known)}"
        yield Misfit(path, message, f"Write {knob}: {{class: NAME}}.")
        return
    for argument, value in said.items():
        if argument != "class" and argument not in found.init:
            message = f"{name} takes no argument '{argument}'{meant(argument, found.init)}"
            yield Misfit((knob, argument), message, f"It takes {', '.join(found.init)}.")
        elif argument != "class":
            problem = fitting.wrong(value, found.init_types.get(argument, ""), found.init[argument])
            yield from [Misfit((knob, argument), f"{argument} {problem}")] if problem else []


def needed(params: Knobs, takes: Sequence[str]) -> list[str]:
    """Every reason why a pipeline cannot run here, found before any weight is read."""
    if signatures.installed() is None:
        return [signatures.MISSING]
    said = {name: getattr(params, name) for name in Knobs.__dataclass_fields__}
    reasons = [f"{found.message} ({found.hint})" if found.hint else found.message for found in misfits(said, takes)]
    return reasons or [*_packages(params), *_weights(params)]


def _packages(params: Knobs) -> Iterator[str]:
    package = QUANTIZED.get(str(params.quantization.get("backend", "")))
    if package and find_spec(package) is None:
        yield f"quantization with {params.quantization['backend']} needs {package}: pip install {package}"
    for name in ("torch", "transformers", "accelerate", *(["peft"] if params.loras else [])):
        if find_spec(name) is None:
            yield f"{params.pipeline} needs {name}, which is not installed: pip install 'mikebot[final]'"
    if params.compile and not compiler():
        yield f"compile: true needs a C compiler, and there is none: {COMPILER}"


def compiler() -> bool:
    """Whether there is a C compiler, which torch calls at the first picture of a compiled model."""
    return any(shutil.which(name) for name in (os.environ.get("CC", ""), "cc", "gcc", "clang") if name)


def _weights(params: Knobs) -> Iterator[str]:
    try:
        model_folder.look_over(params.model, model_folder.lies(params.model, params.revision))
        for lora in params.loras:
            file = model_folder.lies(lora["model"], lora.get("revision", "")) / lora["file"]
            if not file.is_file():
                raise BackendError(f"there is no LoRA {lora['file']} in {lora['model']}", "Check file: in the profile.")
            model_folder.header(file, f"the LoRA {lora['file']}")
    except BackendError as error:
        yield f"{error.message}. {error.hint}" if error.hint else error.message


def arguments(params: Knobs) -> dict[str, Any]:
    """What the profile says to the pipeline's call."""
    said = dict(params.call)
    if params.steps:
        said["num_inference_steps"] = params.steps
    if params.guidance >= 0:
        said["guidance_scale"] = params.guidance
    if params.negative:
        said["negative_prompt"] = params.negative
    return said
