"""What is shipped beside the code: the version, schemas/ and the templates."""

from __future__ import annotations

import shlex
from pathlib import Path

VERSION = __version__ = "0.1.0"
DISTRIBUTION = "polydata-micrographs"
PACKAGE = Path(__file__).resolve().parent
TEMPLATES = PACKAGE / "templates"


def schemas() -> Path:
    """The folder schemas/: inside the package where it was installed from a wheel, else beside the package."""
    installed = PACKAGE / "schemas"
    return installed if installed.is_dir() else PACKAGE.parent / "schemas"


def install_hint(extra: str) -> str:
    """The command that adds an extra to what is installed here, or to this checkout.

    The public index has other people's packages under the names ``polydata`` and ``polymodel``: no message names those.
    """
    if (PACKAGE / "schemas").is_dir():
        return f"pip install '{DISTRIBUTION}[{extra}]'"
    return f"pip install --editable {shlex.quote(f'{PACKAGE.parent}[{extra}]')}"
