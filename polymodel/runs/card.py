"""What a run says of itself: where and with what it was computed, and its model card, README.md."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Any

from polydata.files.atomic import write_text
from polydata.images.html import template
from polydata.resources import VERSION
from polymodel.runs.parts import chosen_words
from polymodel.runs.run import Run

PACKAGES = ("torch", "torchvision", "timm", "scikit-learn", "numpy", "pillow", "safetensors")
TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
SOURCES = ("polydata", "polymodel", "schemas")
"""Folders of a checkout on which results depend."""


def describe_environment(device: str) -> dict[str, Any]:
    """Versions of Python and the packages, the platform, the device and the program's git commit."""
    import torch

    processor = platform.processor() or platform.machine()
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {"polydata": VERSION} | {name: _version(name) for name in PACKAGES},
        "device": device,
        "device_name": torch.cuda.get_device_name() if device == "cuda" else processor,
        "threads": torch.get_num_threads(),
        "git_commit": git_commit(),
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def git_commit() -> str | None:
    """Commit of the checkout that this program runs from, ``+`` added where a source differs; None outside one."""
    here = Path(__file__).resolve()
    root = here.parents[2]

    def git(*words: str) -> str | None:
        command = ["git", "-C", str(root), *words]
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
        except (OSError, subprocess.SubprocessError):
            return None

    if git("ls-files", "--error-unmatch", str(here.relative_to(root))) is None:
        return None  # installed below someone else's repository, or not in one at all
    commit = git("rev-parse", "HEAD")
    return f"{commit}+" if commit and git("status", "--porcelain", "--", *SOURCES) else commit


def card_text(run: Run) -> str:
    """The card of a finished run, in Markdown."""
    card = template("card.md.j2", TEMPLATES, spoken=run.spoken)
    return card.render(run=run, config=run.config, chosen=chosen_words(run)) + "\n"


def write_card(run: Run) -> None:
    """Write README.md into the run folder."""
    write_text(run.folder / "README.md", card_text(run))
