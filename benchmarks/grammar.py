"""What a grammar costs at each token with a vocabulary of 128,000: llguidance as we use it, xgrammar and outlines.

Each is a process of its own, with one schema (a scene, as a model may write it) and one vocabulary (byte-level BPE,
trained on the Python sources of this machine). Timed is what stands between two runs of the model: the mask of what may
come next, and taking the token; ours as a tensor that masks scores, theirs as their bits. Tokens are those of four
scenes as a person might write them. Then each writes scenes at random, as a model without any sense would.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from engine.schema import compiled
from engine.write.shape import scene_shape

from .place import HERE, Options
from .table import Figure

VOCABULARY, CORPUS = 128_000, 80_000_000  # Tokens; characters that they are learnt from.
REPEATS, WALKS, LONGEST_WALK, PATIENCE, SHORT = 5, 20, 4000, 240, 40
SAID = "Every second, strangers knock on your computer's door. A firewall reads each packet, and asks one question."
CODE = """\
def allowed(packet):
    for rule in RULES:
        if rule.matches(packet):
            return rule.verdict == "accept"
    return False"""
SCENES: list[dict[str, Any]] = [
    {
        "image_prompt": "a small brass door on a wooden desk, letters in front of it, a warm lamp, seen from above",
        "video_prompt": "slow push in, the letters move one by one",
    },
    {
        "show": {
            "code": {
                "language": "python",
                "text": CODE,
                "steps": [{"at": "reads each", "highlight": "2-3"}],
            }
        }
    },
    {
        "show": {
            "slide": {
                "title": "What it asks",
                "bullets": [{"text": "Where from?", "at": "knock"}, {"text": "Where to?", "at": "door"}],
            }
        }
    },
    {
        "show": {
            "diagram": {
                "dot": 'digraph {\n  "client" -> "firewall" [label="packet"];\n  "firewall" -> "server";\n}',
                "steps": [{"at": "firewall", "show": ["firewall"]}],
            }
        }
    },
]


class Grammar(NamedTuple):
    """How a library is used: seconds that its grammar took to make, and a fresh run of it."""

    seconds: float
    start: Callable[[], Run]


class Run(NamedTuple):
    """One text in the making."""

    mask: Callable[[], Any]  # What is timed, together with `take`.
    take: Callable[[int], bool]
    choices: Callable[[Any], Any]  # A mask as the numbers of tokens.
    ended: Callable[[], bool]


def figures(options: Options) -> list[Figure]:
    """Median, 99th percentile, time to make, and what comes out, each beside both peers."""
    vocabulary = options.room / "vocabulary.json"
    size = learnt(vocabulary)
    found = {name: asked(name, vocabulary) for name in MADE}
    ours = found.pop("llguidance")
    assert ours is not None
    wanted = (
        (f"grammar: mask a token of {size:,}, median", "ms", 1.0, False),
        ("grammar: mask a token, 99th percentile", "ms", None, False),
        ("grammar: made of the schema", "s", None, False),
        (f"grammar: of {len(SCENES)} real scenes, let through", "scenes", float(len(SCENES)), True),
        (f"grammar: of {WALKS} random scenes, valid", "scenes", float(WALKS), True),
    )
    return [
        Figure(what, value or 0, unit, aim, more, PEERS[name] if theirs else f"{name}: not in {PATIENCE} s", peer)
        for number, ((what, unit, aim, more), value) in enumerate(zip(wanted, ours, strict=True))
        for name, theirs in found.items()
        for peer in [theirs[number] if theirs else None]
    ]


def learnt(place: Path) -> int:
    """Train a vocabulary; returns its size."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=["</s>"], initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(texts(), trainer)
    made.save(str(place))
    return int(made.get_vocab_size())


def texts() -> Iterator[str]:
    """The sources of Python and of what is installed."""
    paths, size = sysconfig.get_paths(), 0
    for folder in dict.fromkeys((paths["stdlib"], paths["purelib"])):
        for file in sorted(Path(folder).rglob("*.py")):
            text = file.read_text("utf-8", "ignore")
            yield text
            size += len(text)
            if size > CORPUS:
                return


def asked(name: str, vocabulary: Path) -> list[float | None] | None:
    """What a library's own process found; None where it was not done in time."""
    command = [sys.executable, "-m", "benchmarks.grammar", name, str(vocabulary)]
    try:
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return None
    except subprocess.CalledProcessError as problem:
        sys.stderr.write(problem.stderr[-3000:])
        raise
    found: list[float | None] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(name: str, vocabulary: Path) -> list[float | None]:
    """In its own process: the five figures of a library."""
    from transformers import PreTrainedTokenizerFast

    words = PreTrainedTokenizerFast(tokenizer_file=str(vocabulary), eos_token="</s>")
    shape = scene_shape(longest=SHORT if name == "outlines" else None)
    grammar = MADE[name](words, shape)
    scenes = [
        {"id": "door", "on_screen": number == 0, "narration": SAID, **scene} for number, scene in enumerate(SCENES)
    ]
    assert all(map(compiled(scene_shape()), scenes))
    replays = [replayed(grammar.start(), words, scene) for _ in range(REPEATS) for scene in scenes]
    taken = sorted(seconds for replay, _ in replays for seconds in replay)
    through = sum(whole for _, whole in replays) / REPEATS
    valid = sum(is_valid(walked(grammar.start(), words, seed), shape) for seed in range(WALKS))
    times = [1000 * statistics.median(taken), 1000 * taken[len(taken) * 99 // 100], grammar.seconds]
    return [*times, None if name == "outlines" else through, valid]  # The scenes are longer than it is given texts.


def replayed(run: Run, words: Any, scene: dict[str, Any]) -> tuple[list[float], bool]:
    """Seconds of each token of a scene, and whether the grammar took it to its end."""
    taken = []
    for token in words(json.dumps(scene, ensure_ascii=False, separators=(",", ":"))).input_ids:
        start = time.perf_counter()
        run.mask()
        if not run.take(token):
            return taken, False
        taken.append(time.perf_counter() - start)
    return taken, True


def walked(run: Run, words: Any, seed: int) -> str:
    """A text of tokens drawn from all that are allowed."""
    chance, tokens = random.Random(seed), list[int]()
    while not run.ended() and len(tokens) < LONGEST_WALK:
        choices = run.choices(run.mask())
        token = int(choices[chance.randrange(len(choices))])
        run.take(token)
        tokens.append(token)
    return str(words.decode(tokens, skip_special_tokens=True))


def is_valid(text: str, shape: dict[str, Any]) -> bool:
    """Whether a text is JSON that follows the schema."""
    try:
        return compiled(shape)(json.loads(text))
    except ValueError:
        return False


def llguidance(words: Any, shape: dict[str, Any]) -> Grammar:
    """As engine.write.local uses it; its grammar is made anew for each text, and timed with the first mask."""
    import llguidance.hf

    from engine.write import local

    known = llguidance.hf.from_tokenizer(words, slices=local.slices())

    def start() -> Run:
        matcher = local.grammar(shape, known)
        size = known.vocab_size
        return Run(
            lambda: local.allowed(matcher, size),
            matcher.consume_token,
            lambda mask: mask.nonzero()[:, 0],
            matcher.is_stopped,
        )

    start().mask()
    begun = time.perf_counter()
    start().mask()
    return Grammar(time.perf_counter() - begun, start)


def xgrammar(words: Any, shape: dict[str, Any]) -> Grammar:
    """As its documentation does; it leaves out lengths beside a pattern, says so, and breaks at long ones within."""
    import numpy as np
    import xgrammar as xgr

    known = xgr.TokenizerInfo.from_huggingface(words)
    begun = time.perf_counter()
    compiler = xgr.GrammarCompiler(known)
    made = compiler.compile_json_schema(json.dumps(shape), any_whitespace=False, separators=(",", ":"))
    seconds = time.perf_counter() - begun

    def start() -> Run:
        matcher, bits = xgr.GrammarMatcher(made), xgr.allocate_token_bitmask(1, known.vocab_size)

        def mask() -> Any:
            matcher.fill_next_token_bitmask(bits)
            return bits

        def choices(_: Any) -> Any:
            return np.unpackbits(bits[0].numpy().view(np.uint8), bitorder="little")[: known.vocab_size].nonzero()[0]

        return Run(mask, matcher.accept_token, choices, matcher.is_terminated)

    return Grammar(seconds, start)


def outlines(words: Any, shape: dict[str, Any]) -> Grammar:
    """Its own engine, outlines-core: one automaton of everything, too large to make where texts are as long as ours."""
    from outlines.backends.outlines_core import OutlinesCoreBackend
    from outlines.models.transformers import TransformerTokenizer
    from outlines_core import Guide, Index
    from outlines_core.json_schema import build_regex_from_schema
    from outlines_core.kernels.torch import allocate_token_bitmask, fill_next_token_bitmask

    own = TransformerTokenizer(words)
    known = OutlinesCoreBackend.create_outlines_core_vocabulary(
        own.get_vocab(), words.eos_token_id, words.eos_token, own.convert_token_to_string
    )
    begun = time.perf_counter()
    made = Index(build_regex_from_schema(json.dumps(shape), whitespace_pattern=""), known)
    seconds = time.perf_counter() - begun

    def start() -> Run:
        guide, bits = Guide(made), allocate_token_bitmask(len(words))

        def take(token: int) -> bool:
            if not guide.accepts_tokens([token]):
                return False
            guide.advance(token_id=token, return_tokens=False)
            return True

        def mask() -> None:
            fill_next_token_bitmask(guide, bits)

        return Run(mask, take, lambda _: guide.get_tokens(), guide.is_finished)

    return Grammar(seconds, start)


MADE: dict[str, Callable[[Any, dict[str, Any]], Grammar]] = {
    "llguidance": llguidance,
    "xgrammar": xgrammar,
    "outlines": outlines,
}
PEERS = {"xgrammar": "xgrammar", "outlines": f"outlines, texts of {SHORT}"}

if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1], Path(sys.argv[2]))))
