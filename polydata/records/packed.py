"""Many things kept in little memory: each is unpacked when it is asked for, the last ones stay as they are."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")
RECENT = 200
"""Things that stay unpacked."""


class Packed(Mapping[str, T]):
    """Things by their keys. What was put must not be changed afterwards."""

    def __init__(self) -> None:
        self._packed: dict[str, bytes] = {}
        self._recent = lru_cache(RECENT)(self._unpack)

    def put(self, key: str, thing: T) -> None:
        """Keep a thing under a key that has none yet."""
        self._packed[key] = zlib.compress(pickle.dumps(thing, pickle.HIGHEST_PROTOCOL), 1)

    def _unpack(self, key: str) -> T:
        thing: T = pickle.loads(zlib.decompress(self._packed[key]))  # noqa: S301 - packed by this object
        return thing

    def __getitem__(self, key: str) -> T:
        return self._recent(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)
