"""One sentence by Magpie, as its own `do_tts` has it: text into codes, codes into sound, from a state that is new."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import fields, replace
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import probe
from ..errors import BackendError
from ..kinds import Tell
from . import recording

SHORTEST = 1.0  # Seconds of a reference.
_QUIET = 200 / 32768  # Of full scale: what is quieter throughout is silence.
Floats = NDArray[np.float32]


class Chunk(NamedTuple):
    """A part of a sentence that the model reads at once."""

    text: str
    tokens: list[int]


class Spoken(NamedTuple):
    """What was said: sound in floats, codes (codebooks x frames), the token that each frame attended to."""

    sound: Floats
    codes: NDArray[np.int64]
    attended: list[int]  # Tokens are counted through all chunks; empty where the model does not tell.
    chunks: list[Chunk]
    ended: bool  # It stopped by itself.


class Manner(NamedTuple):
    """How it is said: None is what the model's own configuration has."""

    temperature: float | None = None
    topk: int | None = None
    cfg_scale: float | None = None
    max_decoder_steps: int | None = None


class Asked(NamedTuple):
    """A sentence that is wanted. `reference` or `speaker`: whose voice; `half`: in bfloat16."""

    text: str
    tokenizer: str
    language: str
    reference: Floats | None = None
    speaker: int = 0
    manner: Manner = Manner()
    half: bool = False


def hop(model: Any) -> int:
    """Samples of one frame of codes, at the rate of what is said."""
    return int(model.codec_model_samples_per_frame) * int(model.output_sample_rate) // int(model.sample_rate)


def tokenizer_of(model: Any, language: str) -> str:
    """The name of the tokenizer of a language. Raises BackendError where the model does not speak it."""
    parts = import_module("nemo.collections.tts.parts.utils.tts_dataset_utils")
    there, known = list(model.tokenizer.tokenizers), parts.LANGUAGE_TOKENIZER_MAP
    short = language.lower().replace("_", "-").split("-")[0]
    named = next((name for name in known.get(short, ()) if name in there), None)
    if named is None:
        spoken = sorted(tag for tag, names in known.items() if set(names) & set(there))
        message = f"the model does not speak {language!r}; it speaks {', '.join(spoken) or 'no language that is known'}"
        raise BackendError(message, "Use another model, or speech: {backend: espeak} for this film.")
    return str(named)


def heard(file: Path, model: Any, tell: Tell) -> Floats:
    """A reference recording as the model hears it: its rate, its length, repeated where it is shorter."""
    try:
        probe.audio(file)
        sound = recording.decoded(file, tell, int(model.sample_rate)).astype(np.float32) / 32768
    except probe.Unreadable as problem:
        raise BackendError(f"the reference recording: {problem.message}", problem.hint) from None
    seconds = len(sound) / model.sample_rate
    if seconds < SHORTEST:
        message = f"the reference recording lasts {seconds:.1f} s; a voice needs {SHORTEST:g} s, and better 5 to 20"
        raise BackendError(message, "Bring a longer one.")
    if float(np.abs(sound).max()) < _QUIET:
        raise BackendError("the reference recording is silent", "Bring one in which the voice is heard.")
    frame = int(model.codec_model_samples_per_frame)
    wanted = int(model.cfg.context_duration_max * model.sample_rate / frame) * frame
    return np.resize(sound, wanted)


def say(model: Any, asked: Asked, tell: Tell) -> Spoken:
    """Say a sentence, with the random numbers as they are."""
    torch = import_module("torch")
    chunks = list(chunked(model, asked))
    state = model.create_chunk_state(batch_size=1)
    codes: list[Any] = []
    attended: list[int] = []
    ended = True
    with decoding(model, asked, len(chunks), [tell]):
        for number, chunk in enumerate(chunks):
            before = len(state.last_attended_timesteps)
            said = model.generate_speech(
                batch(model, [chunk], [asked]),
                chunk_state=state,
                end_of_text=[number == len(chunks) - 1],
                beginning_of_text=number == 0,
                use_cfg=True,
                use_local_transformer_for_inference=model.local_transformer_type.value != "none",
            )
            length = int(said.predicted_codes_lens[0])
            codes.append(said.predicted_codes[0, :, :length])
            attended += frames(model, state.last_attended_timesteps[before:], 0, length)
            ended = ended and length < most(model)
    return spoken(model, torch.cat(codes, 1), attended, chunks, ended)


@contextmanager
def decoding(model: Any, asked: Asked, chunks: int, tells: Sequence[Tell]) -> Iterator[None]:
    """As a sentence wants the model to be while it speaks."""
    torch = import_module("torch")
    cast = torch.autocast(model.device.type, torch.bfloat16) if asked.half else nullcontext()
    with torch.no_grad(), _mannered(model, asked.manner), _watched(model, chunks, tells), cast:
        yield


def spoken(model: Any, codes: Any, attended: list[int], chunks: list[Chunk], ended: bool) -> Spoken:
    """Codes (codebooks x frames) as sound."""
    return Spoken(_sound(import_module("torch"), model, codes), codes.cpu().numpy(), attended, chunks, ended)


def _sound(torch: Any, model: Any, codes: Any) -> Floats:
    if not codes.shape[1]:
        return np.zeros(0, np.float32)
    lengths = torch.tensor([codes.shape[1]], device=model.device, dtype=torch.long)
    sound, samples, _ = model._codec_helper.codes_to_audio(codes.unsqueeze(0), lengths)
    found: Floats = sound[0, : int(samples[0])].float().cpu().numpy()
    return found


def chunked(model: Any, asked: Asked) -> Iterator[Chunk]:
    """The parts of a sentence that the model reads at once: mostly one."""
    parts = import_module("nemo.collections.tts.parts.utils.tts_dataset_utils")
    tokens, _, texts = parts.chunk_text_for_inference(
        text=asked.text,
        language=asked.language.lower().replace("_", "-").split("-")[0],
        tokenizer_name=asked.tokenizer,
        text_tokenizer=model.tokenizer,
        eos_token_id=model.eos_id,
    )
    for part, row in zip(texts, tokens, strict=True):
        yield Chunk(part, row.tolist())


def batch(model: Any, chunks: Sequence[Chunk], asked: Sequence[Asked]) -> dict[str, Any]:
    """What the model is given of a chunk each. A voice that may be described in words is given none."""
    torch, device, count = import_module("torch"), model.device, len(chunks)
    longest = max(len(chunk.tokens) for chunk in chunks)
    rows = [chunk.tokens + [0] * (longest - len(chunk.tokens)) for chunk in chunks]
    found = {
        "text": torch.tensor(rows, dtype=torch.int32, device=device),
        "text_lens": torch.tensor([len(chunk.tokens) for chunk in chunks], device=device, dtype=torch.long),
        "speaker_indices": [one.speaker for one in asked],
    }
    heard = [one.reference for one in asked if one.reference is not None]
    if heard:
        found["context_audio"] = torch.tensor(np.stack(heard), device=device)
        found["context_audio_lens"] = torch.tensor([len(one) for one in heard], device=device)
    if model.use_text_conditioning_encoder:
        found["context_text_tokens"] = torch.zeros(count, 1, dtype=torch.int32, device=device)
        found["context_text_tokens_lens"] = torch.ones(count, dtype=torch.long, device=device)
        found["has_text_context"] = torch.zeros(count, dtype=torch.bool, device=device)
    return found


def frames(model: Any, steps: Sequence[Sequence[int]], row: int, length: int) -> list[int]:
    """The token of each frame of a row of the batch: a step of the decoder makes one or several."""
    if not model.inference_parameters.apply_attention_prior:
        return []
    stack = int(model.frame_stacking_factor)
    return [int(steps[min(frame // stack, len(steps) - 1)][row]) for frame in range(length)]


def most(model: Any) -> int:
    """Frames at which the model is cut off."""
    stack = int(model.frame_stacking_factor)
    return int(model.inference_parameters.max_decoder_steps) // stack * stack


@contextmanager
def _mannered(model: Any, manner: Manner) -> Iterator[None]:
    """The model's own parameters with those that were asked for. Raises BackendError for one that it cannot have."""
    own = model.inference_parameters
    asked = {name: value for name, value in manner._asdict().items() if value is not None}
    known = {field.name for field in fields(own)}
    found = replace(own, **{name: value for name, value in asked.items() if name in known})
    entries = int(model.num_all_tokens_per_codebook)
    if found.topk > entries:
        message = f"topk is {found.topk}, and a codebook of this model has {entries} entries"
        raise BackendError(message, f"Set topk to {entries} or less in the profile.")
    model.inference_parameters = found
    try:
        yield
    finally:
        model.inference_parameters = own


@contextmanager
def _watched(model: Any, chunks: int, tells: Sequence[Tell]) -> Iterator[None]:
    """Tell of each frame; an exception in the telling ends what is being said."""
    total, done = most(model) * chunks, 0

    def hook(*_: Any) -> None:
        nonlocal done
        done += 1
        for tell in tells:
            tell.progress(min(done, total), total + 1)

    handle = model.decoder.register_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def sayable(model: Any, tokenizer: str) -> Callable[[str], list[int]]:
    """Tokens of a word, none where the tokenizer knows nothing of it."""
    own: Any = model.tokenizer.tokenizers[tokenizer]
    g2p: Any = getattr(own, "g2p", None)
    sounds = set(getattr(own, "tokens", ())) - {*getattr(own, "punct_list", ()), " "}

    def encode(word: str) -> list[int]:
        if g2p is not None and not sounds.intersection(g2p(word)):
            return []
        try:
            return list(model.tokenizer.encode(word, tokenizer))
        except IndexError:  # NeMo's answer where nothing is left of a text.
            return []

    return encode
