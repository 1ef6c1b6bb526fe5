"""The formats of other programs: their names, and what a module of this package says of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

if TYPE_CHECKING:
    from polydata.exports.content import Content, Entry
    from polydata.types import Progress

FormatName = Literal["imagefolder", "coco", "hf", "croissant", "parquet", "webdataset", "labelstudio", "fiftyone"]
FORMATS: tuple[FormatName, ...] = get_args(FormatName)
MODULES = {"parquet": "tables", "hf": "tables", "croissant": "croissant"}
"""Modules of the formats; those that are not named stand in ``folders``."""


@dataclass(frozen=True)
class Format:
    """How a split is written for other programs.

    Attributes:
        place: where an image's file lies within the export, or the archive or table that holds it.
        write: writes the format's own files into a folder, and tells of every image.
    """

    place: Callable[[Entry], str]
    write: Callable[[Content, Path, Progress], None]


def format_named(name: FormatName) -> Format:
    """The format of a name, its module and what that needs imported."""
    module = import_module(f"polydata.exports.formats.{MODULES.get(name, 'folders')}")
    return cast(Format, getattr(module, name))
