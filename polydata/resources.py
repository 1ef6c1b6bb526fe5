"""What is shipped beside the code: the version, schemas/ and the templates."""

from __future__ import annotations

import json
import shlex
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

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
    if not (PACKAGE / "schemas").is_dir():
        return f"pip install --editable {shlex.quote(f'{PACKAGE.parent}[{extra}]')}"
    if (folder := _installed_from()) and (folder / "pyproject.toml").is_file():
        return f"pip install {shlex.quote(f'{folder}[{extra}]')}"
    return f"pip install '.[{extra}]', in the folder of the checkout"


def _installed_from() -> Path | None:
    """The folder that pip installed this from, as far as it noted one."""
    try:
        noted = json.loads(distribution(DISTRIBUTION).read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return None
    address = urlsplit(str(noted.get("url", "")))
    return Path(unquote(address.path)) if address.scheme == "file" else None
