"""One storyboard with its profile and its store, opened for a command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .digests import Digests
from .errors import Refused, UsageError
from .formats import shaped
from .load import Loaded, load
from .places import stem, store_folder, storyboard_file, workspace
from .plan import Planner
from .profile import ProfileFiles, load_profile, profile_files
from .storyboard import Profile, Storyboard
from .trust.gate import Gate


@dataclass(frozen=True)
class Project:
    """What every command that plans needs."""

    root: Path
    file: Path
    store: Path  # The folder; open it with engine.store.Store.
    loaded: Loaded
    profile: Profile
    profile_files: ProfileFiles
    loaded_digests: Digests
    shape: str = ""  # One of engine.formats.SHAPES, where another than the storyboard's own was asked for.
    gate: Gate | None = None  # Of the real person who is shown.

    @property
    def id(self) -> str:
        """The storyboard's name inside its workspace: what renders are remembered by."""
        return self.file.relative_to(self.root).as_posix()

    @property
    def name(self) -> str:
        """The stem of everything that is made of it."""
        return f"{stem(self.file)}.{self.shape}" if self.shape else stem(self.file)

    @property
    def variant(self) -> str:
        """The profile, and the shape if one was asked for: what two renders must share to be compared."""
        return f"{self.profile.name}.{self.shape}" if self.shape else self.profile.name

    @property
    def build(self) -> Path:
        """Where what is made of it lands."""
        return self.file.parent / "build"

    def planner(self, until: str = "film", scenes: Sequence[str] = (), before: Planner | None = None) -> Planner:
        """A fresh planner of the storyboard; `scenes` picks some, each to become a film of its own."""
        board = pick(self.loaded.board, scenes)
        return Planner(board, self.profile, apart=bool(scenes), until=until, before=before)


def open_project(path: str, profile: str, store: str | None, shape: str = "", judged: bool = True) -> Project:
    """Load a storyboard and a profile; raises UsageError or AuthorError.

    `judged`: a person without consent is stood in for by a silhouette, or Refused is raised; without it, nothing of
    the project may be shown.
    """
    file = storyboard_file(Path(path)).absolute()
    root = workspace(file.parent)
    folder = store_folder(root, store)
    digests = Digests(folder / "digests.json")
    behind = profile_files(profile, root)  # Before it is read: what changes in between is seen next time.
    loaded = load(file, root, digests, shape)
    loaded = loaded._replace(board=shaped(loaded.board, shape))
    project = Project(root, file, folder, loaded, load_profile(profile, root), behind, digests, shape)
    return judge(project) if judged and loaded.person is not None else project


def judge(project: Project) -> Project:
    """The project as consent lets it be."""
    from .trust import gate
    from .trust.stand_in import depicts, stand_in

    loaded, profile = project.loaded, project.profile
    person, persona = loaded.person, loaded.board.persona
    assert person is not None  # noqa: S101
    assert persona is not None  # noqa: S101
    refuses = depicts(profile)
    if person.standing.holds:
        return replace(project, gate=gate.Gate(person, profile.name, refuses))
    if refuses:
        files = [source.path for source in loaded.files]
        raise Refused([*person.lacks, gate.refused(person, profile.name)], files)
    board = replace(loaded.board, persona=stand_in(persona))
    said = [*loaded.warnings, *gate.warned(person)]
    return replace(project, loaded=loaded._replace(board=board, warnings=said))


def pick(board: Storyboard, scenes: Sequence[str]) -> Storyboard:
    """The storyboard with the named scenes alone, held or not. Raises UsageError for one that is not there."""
    if not scenes:
        return board
    there = {scene.id: scene for scene in board.scenes}
    for name in scenes:
        if name not in there:
            raise UsageError(f"there is no scene '{name}'", f"scenes: {', '.join(there)}")
    chosen = tuple(replace(scene, hold=False) for scene in board.scenes if scene.id in scenes)
    return replace(board, scenes=chosen)
