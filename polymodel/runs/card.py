"""What a run says of itself: where and with what it was computed, and its model card, README.md."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polydata.files.tables import plain as _plain
from polydata.resources import VERSION
from polymodel.runs.run import Run, write_text

PACKAGES = ("torch", "torchvision", "timm", "scikit-learn", "numpy", "pillow", "safetensors")
SOURCES = ("polydata", "polymodel", "schemas")
"""Folders of a checkout on which results depend."""


def describe_environment(device: str) -> dict[str, Any]:
    """Versions of Python and the packages, the platform, the device and the program's git commit."""
    import torch

    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {"polydata": VERSION} | {name: _version(name) for name in PACKAGES},
        "device": device,
        "device_name": torch.cuda.get_device_name()
        if device == "cuda"
        else (platform.processor() or platform.machine()),
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


def _partitions(recipe: Mapping[str, Any]) -> str:
    """How the split was parted, in words."""
    if not recipe["folds"]:
        return "one partition"
    return f"{recipe['folds']} folds" + (f", {recipe['repeats']} times" if recipe["repeats"] > 1 else "")


def card_text(run: Run) -> str:
    """The card of a finished run, in Markdown."""
    config, split, recipe = run.config, run.split, run.config.recipe
    counts, environment = split["counts"], run.record["environment"]
    labels = ", ".join(f"{_plain(label)} {count}" for label, count in counts["labels"].items())
    lines = [f"# {_plain(run.name)}", ""]
    if run.leakage:
        lines += [
            f"> **Leaky split.** {_plain(run.leakage)}. What this run scores says little about papers it has not seen.",
            "",
        ]
    lines += [
        f"A classifier of micrographs into {' and '.join(_plain(c) for c in run.classes)}.",
        "",
        f"- Network: {_plain(config.arch)}, weights {_plain(config.weights)}"
        + (f" (SHA-256 {config.weights_sha256})" if config.weights_sha256 else ""),
        f"- Recipe: {_plain(recipe.name)}: {_plain(recipe.words)}",
        f"- Split: {_plain(split['name'])}, digest {split['digest'][:16]}; {counts['images']} images of "
        f"{counts['groups']} groups ({labels})",
        f"- Models: {len(run.planned)} ({_partitions(split['recipe'])}, seeds {', '.join(map(str, config.seeds))})",
        f"- Computed on {_plain(environment['device'])} in {run.record['seconds']:.0f} s, torch "
        f"{_plain(environment['packages']['torch'])}",
        "",
        "## Input and output",
        "",
        "Images are read in grey; colour, scale bars and burned-in print are not treated apart. The output is a",
        f"logit for each label; p_positive is the softmax probability of {_plain(run.positive)}. It is not calibrated.",
        "",
        "## Limits",
        "",
        "Trained on micrographs from literature figures with the labels of the split above. The labels are answers",
        "of people or words of records, and partly contradict each other. Judge it by the intervals of",
        f"`polymodel evaluate {run.name}`, beside the control models that see no picture.",
        "",
    ]
    return "\n".join(lines)


def write_card(run: Run) -> None:
    """Write README.md into the run folder."""
    write_text(run.folder / "README.md", card_text(run))
