"""Random storyboards, random edits, random harm and failures: the film is always that of an empty store.

    python tests/properties/random_edits.py --seed 7 --runs 100 [--rounds 3] [--size 64x36]

Each run has a seed of its own, so that a failure is had again with `--seed S --runs 1`; the workspace in which it
happened is kept, with the story of what was done to it.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
for folder in (HERE.parent, HERE.parents[1]):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import media_kit  # noqa: E402
from workshop import Rendered, Workshop  # noqa: E402

from engine.forecast import Forecast  # noqa: E402
from engine.graph import Action  # noqa: E402
from engine.store import Store, hash_of  # noqa: E402

Board = dict[str, Any]
NARRATIONS = ("Yes.", "No. Yes.", "Go on.", "Wait a bit. Go on.", "Now look here. No.", "One, two, three, four.")
PICTURES = ("a desk", "a road", "a lake")
MOVES = ("push in", "pan left", "pulls back", "hold")
LENGTHS = (0.32, 0.4, 0.64, 1.3)


class Sequence:
    """One workspace and what happens to it; `story` tells it again."""

    def __init__(self, root: Path, seed: int, size: tuple[int, int] = (64, 36), scenes: int = 5) -> None:
        self.chance = random.Random(seed)
        self.size = size
        self.most = scenes
        self.shop: Workshop | None = None
        self.root = root
        self.story: list[str] = []
        self.count = 0
        self.board = self.new_board()
        self.past = [self.board]
        self.clean: dict[str, Mapping[str, str]] = {}

    # What an author does.

    def new_board(self) -> Board:
        count = min(self.most, self.chance.choice((1, 1, 2, 2, 3, 3, 4, 5)))
        return {
            "title": "T",
            "persona": "mikebot",
            "seed": self.chance.randrange(3),
            "style": "plain",
            "format": {"width": self.size[0], "height": self.size[1], "fps": 25},
            "scenes": [self.new_scene() for _ in range(count)],
        }

    def new_scene(self) -> Board:
        self.count += 1
        pick = self.chance.choice
        scene: Board = {"id": f"s{self.count}", "on_screen": pick((True, False))}
        scene |= {"image_prompt": pick(PICTURES), "video_prompt": pick(MOVES)}
        length = pick(("narration", "narration", "duration", "duration", "audio", "video"))
        if length == "narration":
            scene["narration"] = pick(NARRATIONS)
        elif length == "duration":
            scene["duration"] = pick(LENGTHS)
        else:
            scene[length] = f"{length}{pick('12')}.{'wav' if length == 'audio' else 'mp4'}"
            scene["on_screen"] = scene["on_screen"] and length != "video"
        if self.chance.random() < 0.15 and length != "video":
            scene["image"] = "image1.png"
        return scene

    def edit(self) -> None:
        """Change one thing, and say what."""
        doing = self.chance.choice(EDITS)
        board = copy.deepcopy(self.board)
        said = doing(self, board, self.chance.choice(board["scenes"]))
        self.story.append(f"{doing.__name__}: {said}" if said else doing.__name__)
        if all(scene.get("hold") for scene in board["scenes"]):
            board["scenes"][0].pop("hold")
        self.board = board
        self.past.append(board)

    def narration(self, board: Board, scene: Board) -> None:
        if "narration" in scene:
            scene["narration"] = self.chance.choice(NARRATIONS)

    def image_prompt(self, board: Board, scene: Board) -> None:
        scene["image_prompt"] = self.chance.choice(PICTURES)

    def video_prompt(self, board: Board, scene: Board) -> None:
        scene["video_prompt"] = self.chance.choice(MOVES)

    def on_screen(self, board: Board, scene: Board) -> None:
        scene["on_screen"] = not scene["on_screen"] and "video" not in scene

    def duration(self, board: Board, scene: Board) -> None:
        if "duration" in scene:
            scene["duration"] = self.chance.choice(LENGTHS)

    def whole(self, board: Board, scene: Board) -> None:
        """Something that every scene, or the film, reads."""
        name, values = self.chance.choice(
            (
                ("title", ("T", "U")),
                ("seed", (0, 1)),
                ("style", ("plain", "rich")),
                ("captions", ("soft", "burned", "off")),
                ("loudness", (-16, -20)),
            )
        )
        board[name] = self.chance.choice(values)

    def form(self, board: Board, scene: Board) -> None:
        name, values = self.chance.choice(
            (("fps", (25, 30, "30000/1001")), ("width", (self.size[0], self.size[0] + 16)))
        )
        board["format"][name] = self.chance.choice(values)

    def own(self, board: Board, scene: Board) -> None:
        name, values = self.chance.choice((("take", (1, 2)), ("seed", (0, 1)), ("chapter", ("A", "B"))))
        scene[name] = self.chance.choice(values)

    def hold(self, board: Board, scene: Board) -> None:
        if not scene.pop("hold", False):
            scene["hold"] = True

    def rename(self, board: Board, scene: Board) -> None:
        self.count += 1
        scene["id"] = f"s{self.count}"

    def reorder(self, board: Board, scene: Board) -> None:
        self.chance.shuffle(board["scenes"])

    def copied(self, board: Board, scene: Board) -> None:
        if len(board["scenes"]) < self.most:
            self.count += 1
            board["scenes"].append({**scene, "id": f"s{self.count}"})

    def insert(self, board: Board, scene: Board) -> None:
        if len(board["scenes"]) < self.most:
            board["scenes"].insert(self.chance.randrange(len(board["scenes"]) + 1), self.new_scene())

    def remove(self, board: Board, scene: Board) -> None:
        if len(board["scenes"]) > 1:
            board["scenes"].remove(scene)

    def undo(self, board: Board, scene: Board) -> None:
        board.clear()
        board.update(copy.deepcopy(self.chance.choice(self.past)))

    def replace(self, board: Board, scene: Board) -> str:
        """A given file gets other content in its place; all of them are told apart by content alone."""
        assert self.shop is not None
        name = self.chance.choice(GIVEN)
        give(self.shop.folder / name, self.chance.randrange(4))
        return name

    # What goes wrong.

    def harm(self) -> None:
        """Lose or damage some of the store: artifacts and records."""
        assert self.shop is not None
        files = sorted((self.shop.store / "artifacts").glob("*/*"))
        for file in self.chance.sample(
            files, min(len(files), self.chance.choice((1, 1, 3, len(files) // 2, len(files))))
        ):
            name = self.chance.choice(("lose", "cut", "flip", "garbage"))
            HARMS[name](file)
            self.story.append(f"{name} {file.name[:12]}")

    def spoil(self) -> None:
        """Make records unreadable, or take them away."""
        assert self.shop is not None
        store = Store(self.shop.store)
        keys = [row.key for row in store.ledger.rows()]
        chosen = self.chance.sample(keys, min(len(keys), self.chance.choice((1, 2, len(keys)))))
        how = self.chance.choice(("forgotten", "garbage", "empty"))
        if how == "forgotten":
            store.ledger.forget(chosen)
        else:
            with store.ledger._transaction("IMMEDIATE") as db:
                text = "{garbage" if how == "garbage" else ""
                db.executemany("UPDATE results SET result = ? WHERE key = ?", [(text, key) for key in chosen])
        store.close()
        self.story.append(f"{len(chosen)} records {how}")

    def failing(self) -> Callable[[Action], str]:
        """Some actions fail, always the same of a seed: about one in six."""
        salt = self.chance.randrange(1 << 30)

        def fails(action: Action) -> str:
            chance = random.Random(f"{salt}{action.key}")
            return chance.choice(("early", "late")) if chance.random() < 0.15 else ""

        return fails

    # What must hold.

    def run(self, rounds: int) -> None:
        self.shop = Workshop(self.root, self.board)
        for name in GIVEN:
            give(self.shop.folder / name, 0)
        first = self.render()
        self.clean[self.content()] = first.film  # The store was empty.
        for _ in range(rounds):
            for _ in range(self.chance.choice((1, 1, 2, 3))):
                self.edit()
            self.shop.write(self.board)
            happens = self.chance.random()
            if happens < 0.35:
                self.harm()
            elif happens < 0.45:
                self.spoil()
            if self.chance.random() < 0.3:
                self.fail()
            render = self.render()
            content = self.content()
            if content not in self.clean:
                self.clean[content] = self.shop.clean()
            assert render.film == self.clean[content], "the film is not that of an empty store"

    def content(self) -> str:
        """Everything that decides the film: the storyboard, and what is in the files it may name."""
        assert self.shop is not None
        return json.dumps([self.board, [hash_of(self.shop.folder / name) for name in GIVEN]])

    def fail(self) -> None:
        """A render in which some steps fail: no film is made, and nothing known is made again."""
        assert self.shop is not None
        fails = self.failing()
        known = self.known()
        shuffle = self.chance.choice((None, self.chance.randrange(1 << 30)))
        render = self.shop.render(fails=fails, shuffle=shuffle)
        self.story.append(f"a render in which {sorted(n for n, e in render.ended.items() if e == 'failed')} failed")
        if "failed" in render.ended.values():
            assert "film" not in render.ran, "a film was made of what failed"
        self.nothing_known(render, known)

    def render(self) -> Rendered:
        assert self.shop is not None
        known = self.known()
        look = self.shop.forecast()
        shuffle = self.chance.choice((None, self.chance.randrange(1 << 30)))
        render = self.shop.render(shuffle=shuffle)
        self.story.append("a render")
        assert set(render.ended.values()) <= {"hit", "built"}, f"steps ended as {render.ended}"
        assert render.built is not None
        assert set(render.ended) == set(render.built.steps), "a step ended that is not in the plan, or did not end"
        self.nothing_known(render, known)
        if not any(known.hidden):
            as_planned(look, render)
        return render

    def known(self) -> Known:
        assert self.shop is not None
        store = Store(self.shop.store)
        try:
            found = store.lookup([row.key for row in store.ledger.rows()])
            artifacts = {artifact for result in found.values() for artifact in result.outputs.values()}
            broken = {artifact.digest for artifact in artifacts if not store.whole(artifact.digest)}
            hidden = {artifact.digest for artifact in artifacts if store.holds(artifact)} & broken
            keys = {key: {a.digest for a in result.outputs.values()} & broken for key, result in found.items()}
            return Known(keys, hidden)
        finally:
            store.close()

    def nothing_known(self, render: Rendered, known: Known) -> None:
        """No action ran twice, and none whose key was known, unless bytes of it were gone and were to be read.

        After a failure what was to read them may never have begun.
        """
        ran = [action.key for action in render.performed]
        assert len(set(ran)) == len(ran), "an action ran twice"
        read = {digest for action in render.submitted for digest in action.inputs.values()}
        for action in render.performed:
            if action.key in known.broken and action.kind != "film":
                wanted = known.broken[action.key] & read if render.built is not None else known.broken[action.key]
                assert wanted, f"a {action.kind} ran whose key was known"


class Known(NamedTuple):
    """What a store holds: by key of what is recorded, which of its outputs are lost or damaged."""

    broken: Mapping[str, set[str]]
    hidden: set[str]  # Damaged artifacts that have their size: only hashing finds them.


def as_planned(look: Forecast, render: Rendered) -> None:
    """What was to run ran, what was a hit did not, and what may run stands below what runs."""
    assert render.built is not None
    # Of steps that share an action one is built, whichever is ready first: they are compared by that action.
    keys = {name: action.key for name, action in look.actions.items()}
    ran = {action.key for action in render.performed}
    runs = {keys[name] for name, state in look.states.items() if state == "run"}
    assert runs <= ran, f"planned to run, and did not: {[n for n, k in keys.items() if k in runs - ran]}"
    hits = {keys[name] for name, state in look.states.items() if state == "hit" and name not in look.twins} - runs
    unsure = {keys[name] for name, state in look.states.items() if state == "maybe" and name in keys}
    late = (hits & ran) - unsure
    assert not late, f"planned as hits, and ran: {[name for name, key in keys.items() if key in late]}"
    for name, state in look.states.items():
        if state == "maybe":
            above = [other for other in look.steps if look.states[other] != "hit" or other in look.twins]
            reads = look.steps[name].needs()
            # A scene is planned once its length is known, and where its sound starts once all lengths are.
            reads += [other for other in above if look.steps[other].kind == "narration"]
            assert {*reads} & {*above} or name in look.lost, f"{name} may run, though all that it reads is a hit"
    new = render.ran - look.states.keys()
    assert all(render.built.steps[name].kind in {"clip", "sound", "film"} for name in new), f"not planned: {new}"


def give(path: Path, number: int) -> None:
    """A file that an author brings, one of four of its type."""
    if path.suffix == ".png":
        media_kit.drawn(path, (40 + 8 * number, 30), colour=(60 * number, 90, 40))
    elif path.suffix == ".wav":
        media_kit.wav(path, 0.8 + 0.1 * number)
    else:
        media_kit.movie(path, 4 + number, (32, 24))


def lose(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    if data:
        data[len(data) // 2] ^= 1
    path.write_bytes(data)


def garbage(path: Path) -> None:
    path.write_bytes(b"garbage")


HARMS = {"lose": lose, "cut": cut, "flip": flip, "garbage": garbage}
GIVEN = ("image1.png", "audio1.wav", "audio2.wav", "video1.mp4", "video2.mp4")
EDITS = (
    Sequence.narration,
    Sequence.narration,
    Sequence.image_prompt,
    Sequence.video_prompt,
    Sequence.on_screen,
    Sequence.duration,
    Sequence.whole,
    Sequence.whole,
    Sequence.form,
    Sequence.own,
    Sequence.hold,
    Sequence.rename,
    Sequence.reorder,
    Sequence.copied,
    Sequence.insert,
    Sequence.remove,
    Sequence.undo,
    Sequence.replace,
)


def run_one(seed: int, root: Path, rounds: int, size: tuple[int, int], scenes: int = 5) -> None:
    """One sequence. What fails keeps its workspace, and is told with the seed and the story."""
    sequence = Sequence(root, seed, size, scenes)
    try:
        sequence.run(rounds)
    except Exception as error:
        (root / "story.txt").write_text("\n".join([f"seed {seed}", *sequence.story, traceback.format_exc()]))
        story = "; ".join(sequence.story)
        raise AssertionError(f"seed {seed}, kept in {root}: {story}: {type(error).__name__}: {error}") from error
    shutil.rmtree(root)


def main() -> int:
    parser = argparse.ArgumentParser(description="Random edits: is the film always that of an empty store?")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", default="64x36")
    parser.add_argument("--keep", type=Path, help="where workspaces of failures are kept")
    args = parser.parse_args()
    width, height = map(int, args.size.split("x"))
    keep = args.keep or Path(tempfile.mkdtemp(prefix="random-edits-"))
    print(f"{args.runs} sequences from --seed {args.seed}", flush=True)
    failed = 0
    for seed in range(args.seed, args.seed + args.runs):
        try:
            run_one(seed, keep / str(seed), args.rounds, (width, height))
        except AssertionError as error:
            failed += 1
            print(f"{error}\n  again: {sys.argv[0]} --seed {seed} --runs 1 --rounds {args.rounds} --size {args.size}")
    print(f"{args.runs - failed} hold, {failed} do not")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
