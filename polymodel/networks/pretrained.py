"""What weights that were pretrained here have seen: kept inside their file, and beside the runs that began with them.

Pictures are known by their bytes, their perceptual hash and their paper, so that a run whose test side the network saw,
even without labels, says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polydata.errors import InputError
from polydata.splits.manifest import Item, Split
from polymodel.recipes import IMAGENET, NO_WEIGHTS

ENTRY = "pretraining"
"""The one entry of a weights file's metadata that says all."""
OURS = r'\{"__metadata__":\{"pretraining":'
"""How a file of such weights is known by its beginning."""
FILE = "pretrained.json"
"""In a run's folder: the same of the weights with which the run began."""


@dataclass(frozen=True)
class Pretrained:
    """What weights were pretrained on.

    Attributes:
        settings: how, as ``training.pretraining.Pretraining`` says it.
        images: perceptual hashes of the pictures, by SHA-256.
        papers: ids of the papers that they are from, as far as these are known.
        excluded: name of the split whose test sides were left out; None where none was named.
        history: a row for each epoch.
    """

    settings: Mapping[str, Any]
    images: Mapping[str, str]
    papers: tuple[str, ...]
    excluded: str | None = None
    history: tuple[Mapping[str, Any], ...] = field(default=())

    def text(self) -> str:
        """All of it as JSON."""
        return json.dumps({**vars(self), "format": 1}, sort_keys=True)

    def knows(self, item: Item) -> bool:
        """Whether an image of a split was seen, or another one of its paper."""
        papers = {item.group, item.extra.get("paper_id", item.group)}
        return item.image_sha256 in self.images or bool(papers & set(self.papers))

    def leak(self, split: Split) -> str | None:
        """What a split's test sides lose by it, in words; None where nothing of them was seen."""
        tested = {item.image_sha256: item for fold in split.folds for item in fold.test}
        seen = sum(self.knows(item) for item in tested.values())
        if not seen:
            return None
        return f"the network was pretrained, without labels, on {seen} of {len(tested)} test images or on their papers"


def parse(text: str, where: str) -> Pretrained:
    """The inverse of ``Pretrained.text``.

    Raises:
        InputError: if it is something else.
    """
    try:
        data = json.loads(text)
        papers, history = tuple(map(str, data["papers"])), tuple(data["history"])
        return Pretrained(dict(data["settings"]), dict(data["images"]), papers, data["excluded"], history)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{where} says of its pretraining what cannot be read: {error}.") from error


def pretrained(weights: str) -> Pretrained | None:
    """What weights have seen that ``polymodel pretrain`` wrote; None for all others.

    Args:
        weights: ``imagenet``, ``none``, or the path of a file.

    Raises:
        InputError: if the file is damaged.
    """
    path = Path(weights)
    if weights in (IMAGENET, NO_WEIGHTS) or path.suffix != ".safetensors" or not path.is_file():
        return None
    if not path.stat().st_size:  # nobody's
        return None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            said = (file.metadata() or {}).get(ENTRY)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path} cannot be read: {error}", "Bring the file again, or pretrain anew.") from error
    return parse(said, str(path)) if said else None


def of_run(folder: Path) -> Pretrained | None:
    """What the weights had seen with which a run began; None where they were no such weights.

    Args:
        folder: of the run.

    Raises:
        InputError: if the file is damaged.
    """
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{folder / FILE} cannot be read: {error}", "Train the run again.") from error
    return parse(text, str(folder / FILE))
