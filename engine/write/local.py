"""A language model on this machine, held to a grammar: what it writes is valid before it is written.

transformers runs the model, llguidance says which tokens may come next. A token is chosen here, from its own source of
chance, so that the same weights, messages and seed give the same text whatever else the process draws.
"""

from __future__ import annotations

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator, Mapping, Sequence
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from . import turns, weights
from .model import Message, Unfinished, WriterError
from .shape import BODY, bounded

if TYPE_CHECKING:
    import torch

_TOP_K, _TOP_P, _TEMPERATURE = 64, 0.95, 0.7  # Where the model's own generation_config.json does not say.


class Chance(NamedTuple):
    """How much is left to chance: at a temperature of 0 the likeliest token is always taken."""

    temperature: float
    top_p: float
    top_k: int


class LocalModel:
    """Any causal language model of transformers, from a folder or from the hub's cache."""

    constrained = True

    def __init__(
        self,
        folder_or_id: str,
        revision: str = "",
        device: str = "auto",
        quantized: bool = False,
        *,
        dtype: str = "auto",
        temperature: float | None = None,
    ) -> None:
        self._found = weights.find(folder_or_id, revision)
        self.name, self.revision = self._found.name, self._found.revision
        self._device, self._dtype, self._quantized, self._temperature = device, dtype, quantized, temperature
        self._model: Any = None
        self._tokenizer: Any = None
        self._tokens: Any = None

    def stream(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, Any],
        *,
        seed: int,
        most_tokens: int,
        tell: Callable[[int], None],
    ) -> Iterator[str]:
        """Pieces of a JSON text that follows the schema; see engine.write.model."""
        self._load()
        prompt = turns.tokens(self._tokenizer, messages, self.name)
        room = self._room(len(prompt))
        pen = Pen(self, grammar(schema, self._tokens), self._chance(), seed)
        thread = Thread(target=self._run, args=(prompt, min(room, most_tokens), pen), daemon=True)
        thread.start()
        decoder, count, told = getincrementaldecoder("utf-8")(), 0, 0
        try:
            while (piece := pen.pieces.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                count += 1
                tell(count)
                if text := decoder.decode(piece):
                    told += len(text)
                    yield text
        finally:
            pen.stop = True
            thread.join()
        if not pen.done:
            raise self._unfinished(count, told, full=room <= most_tokens)

    def close(self) -> None:
        """Give the memory back."""
        used, self._model, self._tokenizer, self._tokens = self._model, None, None, None
        if used is not None and used.device.type == "cuda":
            import torch

            del used
            torch.cuda.empty_cache()

    def trouble(self, message: str, hint: str) -> WriterError:
        """An error of this model."""
        return WriterError(f"{self.name} {message}", hint)

    def _load(self) -> None:
        """Bring the model into memory, once."""
        if self._model is not None:
            return
        weights.installed()
        device, dtype = weights.placed(self._device, self._dtype)
        model, tokenizer = weights.loaded(self._found, device, dtype, self._quantized)
        self._tokens = self._known(model, tokenizer)
        self._model, self._tokenizer = model, tokenizer

    def _known(self, model: Any, tokenizer: Any) -> Any:
        """The vocabulary as llguidance reads it. Models often have room for more tokens than their tokenizers."""
        from llguidance.hf import from_tokenizer

        size = max(model.config.get_text_config().vocab_size, len(tokenizer))
        ends = model.generation_config.eos_token_id
        ends = tokenizer.eos_token_id if ends is None else ends
        try:
            return from_tokenizer(tokenizer, n_vocab=size, eos_token=ends, slices=slices())
        except Exception as problem:  # It panics, and says ValueError, at what it does not know.
            raise self.trouble(f"has a tokenizer that no grammar can hold: {problem}", "use another model") from None

    def _room(self, prompt: int) -> int:
        """Tokens that fit behind the prompt."""
        most = getattr(self._model.config.get_text_config(), "max_position_embeddings", None)
        if most is not None and prompt >= most:
            message = f"reads at most {most:,} tokens at once, and it is asked with {prompt:,}"
            raise self.trouble(message, "give it less material, or use a model with a larger context window")
        return most - prompt if most is not None else 1 << 40

    def _chance(self) -> Chance:
        """What the caller wants, or else what the model's makers advise."""
        advised = self._model.generation_config
        warmth = _TEMPERATURE if advised.temperature is None else advised.temperature
        warmth = warmth if self._temperature is None else self._temperature
        return Chance(warmth, advised.top_p or _TOP_P, advised.top_k or _TOP_K)

    def _run(self, prompt: list[int], most: int, pen: Pen) -> None:
        """Let the model write, in a thread of its own; what goes wrong comes out where it is read."""
        import torch

        try:
            ids = torch.tensor([prompt], device=self._model.device)
            # The pen leaves one token to choose, so that this "likeliest" is the pen's.
            plan = weights.library("transformers").GenerationConfig(
                max_new_tokens=most, do_sample=False, num_beams=1, pad_token_id=0
            )
            more: dict[str, Any] = {"logits_processor": [pen], "stopping_criteria": [pen.stopping]}
            self._model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=plan, **more)
            pen.pieces.put(None)
        except WriterError as problem:
            pen.pieces.put(problem)
        except BaseException as problem:
            pen.pieces.put(self._broken(problem))

    def _broken(self, problem: BaseException) -> WriterError:
        if weights.is_memory(problem):
            return self.trouble(f"ran out of the memory of {self._model.device}", weights.MEMORY)
        return self.trouble(f"broke off: {weights.brief(problem)}", "try another model, or another device")

    def _unfinished(self, tokens: int, characters: int, *, full: bool) -> WriterError:
        """It was not at its end when its room was."""
        why = "its context window was full" if full else "that is the limit"
        message = f"was not done after {tokens:,} tokens ({characters:,} characters): {why}"
        remedy = "use a model with a larger context window" if full else "allow it more tokens"
        said = self.trouble(message, f"ask for less at once, or {remedy}")
        return said if full else Unfinished(said.message, said.hint)


def slices() -> list[str]:
    """What most tokens consist of: while a text may go on with any of these, llguidance takes them at once.

    Without them a mask of 128,000 tokens takes ten times as long.
    """
    prose = re.sub(r"\\u([0-9a-f]{4})", r"\\u{\1}", BODY).replace("[^", '[^"\\\\')
    return [f"{sort}{{1,{most}}}" for sort in (r"[ !#-\[\]-~]", prose) for most in (8, 16, 40)]


def grammar(schema: Mapping[str, Any], known: Any) -> Any:
    """A matcher of texts that follow a schema, with no space that JSON does not need."""
    from llguidance import LLMatcher

    rules = LLMatcher.grammar_from_json_schema(json.dumps(bounded(schema)), defaults={"whitespace_flexible": False})
    matcher = LLMatcher(known, rules)
    if matcher.is_error():
        raise WriterError(f"no grammar can be made of this schema: {matcher.get_error()}")
    return matcher


class Pen:
    """Chooses each token among those that the grammar allows, and hands on its bytes."""

    def __init__(self, model: LocalModel, matcher: Any, chance: Chance, seed: int) -> None:
        import torch

        self.pieces: SimpleQueue[bytes | BaseException | None] = SimpleQueue()
        self.stop = self.done = False
        self._model, self._matcher, self._chance = model, matcher, chance
        self._source = torch.Generator().manual_seed(seed)

    def __call__(self, _: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Of the scores, the chosen token's alone is left."""
        import torch

        token = self._chosen(scores[0].detach().to("cpu", torch.float32))
        self._write(token)
        left = torch.full_like(scores, float("-inf"))
        left[0, token] = 0
        return left

    def stopping(self, ids: torch.Tensor, _: Any) -> torch.Tensor:
        """Whether the text is whole, or nobody wants it any more."""
        import torch

        return torch.full((len(ids),), self.done or self.stop, device=ids.device)

    def _chosen(self, scores: torch.Tensor) -> int:
        if not bool((scores < float("inf")).all()):  # Neither is NaN.
            hint = "its weights are damaged, or its numbers are too large for this type: try dtype float32"
            raise self._model.trouble("computes values that are no numbers", hint)
        scores = scores.masked_fill(~allowed(self._matcher, len(scores)), float("-inf"))
        best = int(scores.argmax())
        if scores[best] == float("-inf"):
            said = self._matcher.get_error() or "none of its tokens goes on from here"
            raise self._model.trouble(f"cannot keep to the grammar: {said}", "use another model")
        if self._chance.temperature <= 0:
            return best
        return drawn(scores, self._chance, self._source)

    def _write(self, token: int) -> None:
        tokenizer = self._model._tokens
        ended = token in tokenizer.eos_tokens
        if not self._matcher.consume_token(token):
            raise self._model.trouble(f"left the grammar: {self._matcher.get_error()}", "use another model")
        self.pieces.put(b"" if ended else tokenizer.decode_bytes([token]))
        self.done = self._matcher.is_stopped()


def allowed(matcher: Any, size: int) -> torch.Tensor:
    """Which tokens may come next."""
    import numpy as np
    import torch

    bits = np.unpackbits(np.frombuffer(matcher.compute_bitmask(), np.uint8), count=size, bitorder="little")
    return torch.from_numpy(bits.view(np.bool_))


def drawn(scores: torch.Tensor, chance: Chance, source: torch.Generator) -> int:
    """One of the likeliest tokens, by chance."""
    import torch

    best, tokens = scores.topk(min(chance.top_k, len(scores)))
    shares = torch.softmax(best / chance.temperature, -1)
    shares[shares.cumsum(-1) - shares > chance.top_p] = 0
    return int(tokens[torch.multinomial(shares, 1, generator=source)])
