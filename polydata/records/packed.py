"""Many things kept in little memory: each is unpacked when it is asked for, the last ones stay as they are."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeVar

T = TypeVar("T")
RECENT = 200
"""Things that stay unpacked."""


class Packed(Mapping[str, T]):
    """Things by their keys, each as JSON. What was put must not be changed afterwards.

    Args:
        plain: makes of a thing what JSON can say.
        build: makes the thing of that again.
    """

    def __init__(
        self, plain: Callable[[T], Any] = lambda thing: thing, build: Callable[[Any], T] = lambda it: it
    ) -> None:
        self._plain, self._build = plain, build
        self._packed: dict[str, bytes] = {}
        self._recent = lru_cache(RECENT)(self._unpack)

    def put(self, key: str, thing: T) -> None:
        """Keep a thing under a key that has none yet."""
        self._packed[key] = zlib.compress(json.dumps(self._plain(thing)).encode(), 1)

    def _unpack(self, key: str) -> T:
        return self._build(json.loads(zlib.decompress(self._packed[key])))

    def __getitem__(self, key: str) -> T:
        return self._recent(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)
