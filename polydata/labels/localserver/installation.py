"""Label Studio in an environment of its own: it pins other versions of many packages than this program needs."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from polydata.errors import ServerError

VERSION = "1.23.2"
SIZE = "about 1 GB"
SECONDS = 1200


def cache_folder() -> Path:
    """Where programs of a user keep what can be made again."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(named) if Path(named).is_absolute() else Path.home() / ".cache") / "polydata"


@dataclass(frozen=True)
class Installation:
    """One version of the server in one folder, there or not.

    Attributes:
        folder: holds the environment; the file ``complete`` in it is written last.
    """

    folder: Path

    @classmethod
    def in_folder(cls, above: Path) -> Installation:
        """The installation of the version that this program knows."""
        return cls(above / f"label-studio-{VERSION}")

    @property
    def program(self) -> Path:
        """The server's command."""
        return self.folder / "venv/bin/label-studio"

    @property
    def is_complete(self) -> bool:
        """Whether everything is there."""
        return (self.folder / "complete").exists()

    def ensure(self) -> None:
        """Install with pip what is missing; of several processes one does it and the others wait.

        Raises:
            ServerError: if it cannot be installed.
        """
        if self.is_complete:
            return
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with self.folder.with_name(f"{self.folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.is_complete:
                self._install()

    def _install(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        run_program([sys.executable, "-m", "venv", str(self.folder / "venv")])
        pip = [str(self.folder / "venv/bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run_program([*pip, f"label-studio=={VERSION}"])
        (self.folder / "complete").touch()


def run_program(command: list[str], env: Mapping[str, str] | None = None) -> None:
    """Run a command to its end.

    Raises:
        ServerError: if it fails or takes too long; with the end of what it said.
    """
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServerError(f"{Path(command[0]).name} could not be run: {type(error).__name__}.") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-800:]
        raise ServerError(
            f"Label Studio {VERSION} could not be set up ({Path(command[0]).name} gave {done.returncode}): {said}",
            "See to it that pip can reach its index and that the disk has room, then run the command again.",
        )
