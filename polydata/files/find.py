"""Finds the files that a user means: files, folders, globs."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from polydata.errors import UsageError


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
            matches = sorted(p for p in path.rglob("*") if p.suffix.lower() in suffixes and p.is_file())
            if not matches:
                wanted = ", ".join(f"*{suffix}" for suffix in suffixes)
                raise UsageError(f"The folder {argument} holds no {what}.", f"Name a folder with {wanted} files.")
        elif path.exists():
            matches = [path]
        else:
            matches = sorted(p for p in map(Path, glob.glob(argument, recursive=True)) if p.is_file())
            if not matches:
                raise UsageError(f"There is no file or folder {argument}.", "Check the path.")
        found.update(dict.fromkeys(p.resolve() for p in matches))
    return sorted(found)
