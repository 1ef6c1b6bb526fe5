"""What is shipped beside the code: the version, schemas/ and the templates."""

from __future__ import annotations

from pathlib import Path

VERSION = "0.1.0"
PACKAGE = Path(__file__).resolve().parent
TEMPLATES = PACKAGE / "templates"


def schemas() -> Path:
    """The folder schemas/: inside the package where it was installed from a wheel, else beside the package."""
    installed = PACKAGE / "schemas"
    return installed if installed.is_dir() else PACKAGE.parent / "schemas"
