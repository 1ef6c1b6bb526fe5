"""Files that take their place only when they are whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

PART = ".part"
"""Suffix of a file that is being written. A killed process may leave one; nothing ever reads it."""


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write into that is moved to ``path`` when the block ends, and removed when it fails.

    Folders above it are made.

    Raises:
        OSError: if the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=PART)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            yield out
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def folder_name(label: str) -> str:
    """A label as the name of a folder: the same for the same label, another for another, safe on every system."""
    return quote(label, safe=" ").replace(".", "%2E")
