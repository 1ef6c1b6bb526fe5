"""Many things kept in a temporary file instead of memory; the last ones that were asked for are at hand."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from polydata.errors import CatalogueError

T = TypeVar("T")
RECENT = 200
"""Things that stay in memory."""


class OnDisk(Mapping[str, T]):
    """Things by their keys, in the order of these, each as JSON in a file that goes with this object.

    What was put must not be changed afterwards.

    Args:
        plain: makes of a thing what JSON can say.
        build: makes the thing of that again.
    """

    def __init__(
        self, plain: Callable[[T], Any] = lambda thing: thing, build: Callable[[Any], T] = lambda it: it
    ) -> None:
        self._plain, self._build = plain, build
        self._file = sqlite3.connect("", isolation_level=None)  # a file without a name, written beyond 2 MB
        self._file.execute("PRAGMA cache_size = -2000")
        self._file.execute("CREATE TABLE things (key TEXT PRIMARY KEY, thing TEXT)")
        self._file.execute("BEGIN")
        self._recent = lru_cache(RECENT)(self._read)

    def put(self, key: str, thing: T) -> None:
        """Keep a thing under a key that has none yet.

        Raises:
            CatalogueError: if there is no room for it.
        """
        try:
            self._file.execute("INSERT INTO things VALUES (?, ?)", (key, json.dumps(self._plain(thing))))
        except sqlite3.OperationalError as error:
            raise CatalogueError(
                f"A temporary file cannot be written: {error}",
                f"Make room in {tempfile.gettempdir()}, or name another folder: SQLITE_TMPDIR=FOLDER",
            ) from error

    def _read(self, key: str) -> T:
        found = self._file.execute("SELECT thing FROM things WHERE key = ?", (key,)).fetchone()
        if found is None:
            raise KeyError(key)
        return self._build(json.loads(found[0]))

    def __getitem__(self, key: str) -> T:
        return self._recent(key)

    def __iter__(self) -> Iterator[str]:
        return (key for (key,) in self._file.execute("SELECT key FROM things ORDER BY key"))

    def __len__(self) -> int:
        return int(self._file.execute("SELECT count(*) FROM things").fetchone()[0])
