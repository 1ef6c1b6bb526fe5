"""Where a run was computed, and with what."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import random
import subprocess
from pathlib import Path
from typing import Any

from polydata.errors import UsageError
from polydata.resources import VERSION
from polymodel.config import DeviceName

PACKAGES = ("torch", "torchvision", "timm", "scikit-learn", "numpy", "pillow", "safetensors")


def choose_device(wanted: DeviceName) -> str:
    """The device to compute on: ``cuda``, ``mps`` or ``cpu``.

    Raises:
        UsageError: if the one wanted is not there.
    """
    import torch

    present = {
        DeviceName.CUDA: torch.cuda.is_available(),
        DeviceName.MPS: torch.backends.mps.is_available(),
        DeviceName.CPU: True,
    }
    if wanted is DeviceName.AUTO:
        return next(name.value for name, there in present.items() if there)
    if not present[wanted]:
        raise UsageError(f"There is no {wanted} device here.", "Use --device auto, which takes the best there is.")
    return wanted.value


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch, and ask torch for deterministic kernels.

    On the processor the same seed and thread count give the same bits. On CUDA an operation without a
    deterministic kernel warns and goes on.
    """
    import numpy as np
    import torch

    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)


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
    """Commit of the checkout that this program runs from, ``+`` added where files differ; None outside one."""
    here = Path(__file__).resolve().parents[1]

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(here), *words], capture_output=True, text=True, timeout=10, check=True
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip()

    if git("ls-files", "--error-unmatch", "runs/environment.py") is None:
        return None  # installed below someone else's repository, or not in one at all
    commit = git("rev-parse", "HEAD")
    return f"{commit}+" if commit and git("status", "--porcelain", "--", str(here)) else commit
