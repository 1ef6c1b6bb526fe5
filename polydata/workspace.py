"""The user's workspace: one folder with its settings, catalogue, images, splits and runs.

polydata.toml     settings, commented
catalog.duckdb    the catalogue
store/            images by their SHA-256
splits/           one folder a split
runs/             one folder a training run
served/           a link to store/, for a Label Studio that reads the images from disk
exports/          whatever is exported without another place being named
curves/           learning curves, once there is one
"""

from __future__ import annotations

import dataclasses
import math
import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polydata.errors import WorkspaceError
from polydata.resources import TEMPLATES
from polydata.task import Task, TaskKind

SETTINGS = "polydata.toml"
RECORD_WORDS = "record_words.toml"
"""In the workspace: what words of records' tables mean, as ``polydata records import --meaning`` was told."""
RECORD_COLUMNS = "record_columns.toml"
"""In the workspace: which columns of a table are which fields, as ``polydata records import --map`` was told."""
VARIABLE = "POLYDATA_WORKSPACE"
SERVED = "served"
LARGEST = 1_000_000_000
"""No limit is larger: beyond it timers and sizes overflow."""


@dataclass(frozen=True)
class ExtractSettings:
    """Limits of ``polydata extract``; see the comments in polydata.toml."""

    workers: int = 0
    seconds_per_file: float = 600.0
    memory_mb: int = 1200
    max_megabytes: int = 300
    max_pages: int = 1000


@dataclass(frozen=True)
class StoreSettings:
    """Where images are kept."""

    url: str = ""


@dataclass(frozen=True)
class LabelStudioSettings:
    """Where the Label Studio server is; the token comes from the environment alone."""

    url: str = "http://127.0.0.1:8080"
    project: str = "polydata"
    images: str = "local"
    document_root: str = ""
    plain_http: bool = False


@dataclass(frozen=True)
class Settings:
    """What polydata.toml says."""

    task: str = "compatibility"
    extract: ExtractSettings = field(default_factory=ExtractSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    label_studio: LabelStudioSettings = field(default_factory=LabelStudioSettings)


def _section(cls: type[Any], data: Any, where: str) -> Any:
    """A settings class filled from a table, each key and type checked."""
    if not isinstance(data, dict):
        raise WorkspaceError(f"{where} must be a table.")
    fields = {f.name: f for f in dataclasses.fields(cls)}
    values = {}
    for key, value in data.items():
        if key not in fields:
            raise WorkspaceError(f"{where} has an unknown setting {key!r}.", f"Known: {', '.join(sorted(fields))}.")
        default = getattr(cls(), key)
        if dataclasses.is_dataclass(default):
            values[key] = _section(type(default), value, f"[{key}] in {where}")
            continue
        wanted: Any = (int, float) if isinstance(default, float) else type(default)
        if not isinstance(value, wanted) or isinstance(value, bool) != isinstance(default, bool):
            raise WorkspaceError(f"{where}: {key} must be of type {type(default).__name__}, not {value!r}.")
        if isinstance(default, int | float) and not isinstance(default, bool):
            _check_number(where, key, value, zero=default == 0)
        values[key] = value
    return cls(**values)


def _check_number(where: str, key: str, value: float, *, zero: bool) -> None:
    """Refuse a number that can be no limit; 0 means something where it is the default."""
    if not (math.isfinite(value) and (value > 0 or (zero and value == 0)) and value <= LARGEST):
        least = "0 or more" if zero else "more than 0"
        raise WorkspaceError(f"{where}: {key} must be {least} and at most {LARGEST:,}, not {value!r}.", "Correct it.")


@dataclass(frozen=True)
class Workspace:
    """A workspace that exists.

    Attributes:
        root: absolute path of the folder that holds polydata.toml.
        settings: what polydata.toml says.
    """

    root: Path
    settings: Settings

    @property
    def catalogue(self) -> Path:
        """The DuckDB file."""
        return self.root / "catalog.duckdb"

    @property
    def store(self) -> Path:
        """The folder of the images, or of those that were fetched from where [store] says they are."""
        return self.root / "store"

    def served_images(self) -> tuple[Path, Path]:
        """The folder whose files Label Studio may show, and below it, by the name it has there, that of the images.

        It is that of the settings, else ``served/``, which holds a link to the images and nothing more: no settings, no
        catalogue, nothing that lies beside the workspace. The link is made where it is missing.

        Raises:
            WorkspaceError: if it cannot be made, or the folder holds something else.
        """
        if named := self.settings.label_studio.document_root:
            return self.root / named, self.store
        root, link = self.root / SERVED, self.root / SERVED / self.store.name
        try:
            root.mkdir(exist_ok=True)
            self.store.mkdir(exist_ok=True)
            if not link.is_symlink():
                link.symlink_to(Path("..") / self.store.name)
            others = sorted({path.name for path in root.iterdir()} - {link.name, ".DS_Store"})
            if others or not link.samefile(self.store):
                raise WorkspaceError(
                    f"{root} holds more than a link to the images: {', '.join(others[:5]) or link.name}.",
                    "Label Studio could show it: move it away.",
                )
        except OSError as error:
            raise WorkspaceError(
                f"{link} cannot be made: {error.strerror}.",
                'Set document_root, or images = "upload", under [label_studio] in polydata.toml.',
            ) from error
        return root, link

    @property
    def splits(self) -> Path:
        """One folder a split."""
        return self.root / "splits"

    @property
    def runs(self) -> Path:
        """One folder a training run."""
        return self.root / "runs"

    @property
    def exports(self) -> Path:
        """Where exports go that name no place."""
        return self.root / "exports"

    def task(self) -> Task:
        """The task that the settings name.

        Raises:
            WorkspaceError: if it asks for a number, which nobody labels.
        """
        name = self.settings.task
        task = self.named_task(name)
        if task.kind is TaskKind.REGRESSION:
            raise WorkspaceError(
                f"{name} asks for a number, so it cannot be the task of a workspace: people give labels.",
                f"Name a task of labels in {SETTINGS}, and this one with: polydata build-split NAME --task {name}",
            )
        return task

    def named_task(self, name: str) -> Task:
        """A task by its name, or by a path that ends in ``.toml``, from the workspace's folder where it is relative."""
        return Task.load(str(self.root / name) if name.endswith(".toml") else name)

    @classmethod
    def init(cls, folder: Path) -> Workspace:
        """Make a workspace in a folder; one that is there already is completed and kept as it is.

        Raises:
            WorkspaceError: if the folder cannot be written.
        """
        root = folder.resolve()
        try:
            for name in ("store", "splits", "runs", "exports"):
                (root / name).mkdir(parents=True, exist_ok=True)
            if not (root / SETTINGS).exists() or not (root / SETTINGS).stat().st_size:
                _write_whole(root / SETTINGS, (TEMPLATES / SETTINGS).read_bytes())
        except OSError as error:
            raise WorkspaceError(
                f"{root} cannot hold a workspace: {error.strerror}.", "Choose another folder."
            ) from error
        return cls.open(root)

    @staticmethod
    def is_there(folder: Path) -> bool:
        """Whether a folder is a workspace already."""
        return (folder / SETTINGS).is_file()

    @staticmethod
    def around(folder: Path) -> Path | None:
        """The workspace that a folder lies in; None for none."""
        return next((above for above in folder.resolve().parents if (above / SETTINGS).is_file()), None)

    @classmethod
    def open(cls, root: Path) -> Workspace:
        """The workspace in exactly this folder.

        Raises:
            WorkspaceError: if there is none, or its settings cannot be read.
        """
        path = root / SETTINGS
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # some editors put a mark of order first
        except FileNotFoundError:
            raise WorkspaceError(
                f"{root} is no workspace: it has no {SETTINGS}.", f"Make one with: polydata init {root}"
            ) from None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise WorkspaceError(f"{path} cannot be read: {error}", "Correct the file.") from error
        return cls(root.resolve(), _section(Settings, data, str(path)))

    @classmethod
    def place(cls, folder: Path | None = None) -> Path:
        """Where the workspace that is meant lies, or is to be: one that is named need not be there.

        Raises:
            WorkspaceError: if none is named and none found.
        """
        return _named(folder) or cls.find().root

    @classmethod
    def find(cls, folder: Path | None = None) -> Workspace:
        """The workspace that is meant: the one named, else POLYDATA_WORKSPACE, else from here upwards.

        Raises:
            WorkspaceError: if none is found.
        """
        named = _named(folder)
        if named is not None:
            return cls.open(named)
        here = Path.cwd()
        for place in (here, *here.parents):
            if (place / SETTINGS).is_file():
                return cls.open(place)
        raise WorkspaceError(
            f"There is no workspace in {here} or above it.",
            f"Make one with: polydata init, or name one with --workspace or {VARIABLE}.",
        )


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: a full disk would leave one that looks like settings that say nothing.

    ``files.atomic`` does it for all rooms above; the workspace lies below no room, so that settings cost no imports.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _named(folder: Path | None) -> Path | None:
    """The workspace that is named: by the caller, else by POLYDATA_WORKSPACE."""
    return folder or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)


def task_for(folder: Path | None) -> Task:
    """The task of the workspace that is meant; a table needs none, so without one it is the task polydata comes with.

    Raises:
        WorkspaceError: if the workspace was named and there is none.
    """
    try:
        return Workspace.find(folder).task()
    except WorkspaceError:
        if folder is not None:
            raise
        return Task.load()
