"""Files in a store that is reached by an address, such as ``s3://bucket/images``: one place that knows fsspec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from polydata.errors import WorkspaceError
from polydata.files.atomic import replacing
from polydata.resources import install_hint

_USER = re.compile(r"(?<=://)[^/@]*@")


class Remote:
    """A folder behind an fsspec address. Credentials come from where its library looks for them, never from here.

    Args:
        url: ``s3://bucket/folder``, ``gs://…``, ``file:///mnt/store``, whatever fsspec and its add-ons know.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def __str__(self) -> str:
        return _USER.sub("", self.url).rstrip("/")

    def __getstate__(self) -> dict[str, Any]:
        return {"url": self.url}  # another process opens connections of its own

    @cached_property
    def _place(self) -> tuple[Any, str]:
        """The file system, and the folder in its own spelling."""
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]

        try:
            system, folder = url_to_fs(self.url)
        except ImportError as error:
            raise WorkspaceError(
                f"The image store {self} needs a package that is not installed: {error}",
                f"For s3:// addresses: {install_hint('s3')}",
            ) from None
        except (ValueError, TypeError, OSError) as error:
            raise WorkspaceError(
                f"The image store {self} cannot be opened: {error}", "Correct url under [store] in polydata.toml."
            ) from None
        return system, str(folder).rstrip("/")

    def within_process(self) -> bool:
        """Whether the files vanish with the process that wrote them."""
        return "memory" in _protocols(self._place[0])

    def put(self, name: str, data: bytes) -> None:
        """Write a file; one of that name is replaced.

        An object store shows a file when it is whole, and a write costs less there than asking whether it is
        needed; in a folder it is moved to its place. Elsewhere a killed process may leave a part, which the next
        reading of the same paper replaces.

        Raises:
            OSError: if it cannot be written, whatever the library called that.
        """
        system, folder = self._place
        place = f"{folder}/{name}"
        with self._as_os_error(name, "written"):
            if "file" in _protocols(system):
                with replacing(Path(place)) as out:
                    out.write(data)
                return
            try:
                system.pipe_file(place, data)
            except FileNotFoundError:  # a file system with real folders
                system.makedirs(place.rpartition("/")[0], exist_ok=True)
                system.pipe_file(place, data)

    def get(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            FileNotFoundError: if there is none.
            OSError: if it cannot be read.
        """
        system, folder = self._place
        with self._as_os_error(name, "read"):
            data: bytes = system.cat_file(f"{folder}/{name}")
        return data

    @contextmanager
    def _as_os_error(self, name: str, done: str) -> Iterator[None]:
        """Whatever goes wrong within the block as an ``OSError``, for each add-on has exceptions of its own."""
        try:
            yield
        except FileNotFoundError:
            raise
        except Exception as error:
            raise OSError(f"{self}/{name} cannot be {done}: {type(error).__name__}: {error}") from error


def _protocols(system: Any) -> tuple[str, ...]:
    known = system.protocol
    return (known,) if isinstance(known, str) else tuple(known)
