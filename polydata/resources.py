"""Finds the files of schemas/, in a checkout and in an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def schemas() -> Path:
    """The folder schemas/: inside the package where it was installed from a wheel, else beside it."""
    installed = PACKAGE / "schemas"
    return installed if installed.is_dir() else PACKAGE.parent / "schemas"
