"""Finds the files that a user means: files, folders, globs; and writes their paths down, whatever bytes these are."""

from __future__ import annotations

import glob
import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote_to_bytes

from polydata.errors import UsageError
from polydata.ids import is_text

COMPANION = "._"
ADDRESS = "file://"
TABLES = (".csv", ".tsv", ".xlsx", ".xls", ".json", ".jsonl", ".ndjson")
PDF, MARK_WITHIN = b"%PDF-", 1024
"""How a PDF begins, whatever it is called, and within how many bytes."""


def find_pdfs(arguments: Sequence[str]) -> list[Path]:
    """PDF files that are meant; see ``find_files``."""
    return find_files(arguments, (".pdf",), "PDF")


def find_files(arguments: Sequence[str], suffixes: Sequence[str], what: str) -> list[Path]:
    """Files named by paths, folders (searched through) and glob patterns, each once, in order of their paths.

    A file that is named itself is taken whatever it is called; in folders only names with one of the suffixes count.

    Args:
        arguments: as the user gave them.
        suffixes: in lower case, with their dot.
        what: the kind of file, for messages.

    Raises:
        UsageError: if an argument names nothing.
    """
    found: dict[Path, None] = {}
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            matches = files_below(path, suffixes)
            if not matches:
                wanted = ", ".join(f"*{suffix}" for suffix in suffixes)
                raise UsageError(f"The folder {argument} holds no {what}.", f"Name a folder with {wanted} files.")
        elif path.exists():
            _refuse_tables(path, suffixes, what)
            matches = [path]
        else:
            matches = sorted(p for p in map(Path, glob.glob(argument, recursive=True)) if p.is_file())
            if not matches:
                raise UsageError(f"There is no file or folder {argument}.", "Check the path.")
        found.update(dict.fromkeys(p.resolve() for p in matches))
    return sorted(found)


def _refuse_tables(path: Path, suffixes: Sequence[str], what: str) -> None:
    """A table that stands in the place of a file of another kind was meant for another command."""
    if path.suffix.lower() in TABLES and path.suffix.lower() not in suffixes and not _begins(path, PDF):
        raise UsageError(f"{path} is a table, and no {what}.", f"Tables are read by: polydata records import {path}")


def _begins(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        return mark in file.read(MARK_WITHIN)


def files_below(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """Files below a folder with one of the suffixes (lower case, with their dot), in order, but no ``companions``."""
    return [path for path in _below(folder, suffixes) if not path.name.startswith(COMPANION)]


def companions(arguments: Iterable[str | Path], suffixes: Collection[str]) -> list[Path]:
    """Files that macOS writes beside others (``._NAME``) in the folders that are named: no content stands in them."""
    folders = [path for path in map(Path, arguments) if path.is_dir()]
    return [path for folder in folders for path in _below(folder, suffixes) if path.name.startswith(COMPANION)]


def _below(folder: Path, suffixes: Collection[str]) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes and path.is_file())


def path_as_text(path: Path) -> str:
    """An absolute path as a text that can be kept and shown; one whose bytes are no UTF-8 as a ``file:`` address."""
    return str(path) if is_text(str(path)) else path.as_uri()


def path_from_text(text: str) -> Path:
    """The path that ``path_as_text`` wrote down."""
    return Path(os.fsdecode(unquote_to_bytes(text.removeprefix(ADDRESS)))) if text.startswith(ADDRESS) else Path(text)
