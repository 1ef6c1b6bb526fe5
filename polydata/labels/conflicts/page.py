"""The disagreements as one page: the images side by side, who says what, and the words that it rests on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polydata.errors import InputError
from polydata.images.html import pdf_address, picture_address, template, write_page
from polydata.images.picture import ImageStore, image_store
from polydata.labels.conflicts.evidence import SEVERITY, Conflict, Picture, Scene, Voice
from polydata.labels.conflicts.find import Found
from polydata.workspace import Workspace

MAX_CARDS = 500
"""More would make a page that a browser opens slowly."""
SIDE, SMALL = 320, 130
"""Longer side of an image, and of its neighbours in the figure, in pixels."""
MAX_NEIGHBOURS = 6
MAX_TEXT = 1_500

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        cards: images, or pairs of images, on the page; one may have several conflicts.
        left_out: less weighty ones that had no place.
        failures: images that could not be opened, each with its reason.
    """

    path: Path
    cards: int
    left_out: int
    failures: tuple[str, ...]


def write_conflicts(workspace: Workspace, found: Found, path: Path, advance: Advance = lambda _: None) -> Written:
    """Write one page that shows every conflict; it needs no other file.

    Args:
        advance: called with 1 for each card.

    Raises:
        InputError: if the file cannot be written.
    """
    groups: dict[tuple[str, ...], list[Conflict]] = defaultdict(list)
    for conflict in found.conflicts:
        groups[conflict.images].append(conflict)
    shown = list(groups.items())[:MAX_CARDS]
    drawer = _Drawer(found.scene, image_store(workspace))
    cards = []
    for images, conflicts in shown:
        cards.append(drawer.card(images, conflicts))
        advance(1)
    page = template("conflicts.html.j2").render(
        counts=found.counts,
        cards=cards,
        left_out=len(groups) - len(shown),
        weights=SEVERITY,
        labels=found.scene.task.labels,
        problems=found.problems,
    )
    try:
        write_page(path, page)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.", "Choose another --html.") from error
    return Written(path, len(cards), len(groups) - len(shown), tuple(drawer.failures.values()))


class _Drawer:
    """Draws cards; each image is read once for each size."""

    def __init__(self, scene: Scene, store: ImageStore) -> None:
        self.scene = scene
        self.store = store
        self.failures: dict[str, str] = {}
        self._addresses: dict[tuple[str, int], str | None] = {}
        self._figures: dict[str, list[Picture]] = defaultdict(list)
        for picture in scene.pictures.values():
            self._figures[picture.figure_id].append(picture)

    def card(self, images: Sequence[str], conflicts: Sequence[Conflict]) -> dict[str, Any]:
        """What the template shows of one image or pair."""
        pictures = [self.scene.pictures[image] for image in images]
        near = {p.image_sha256: p for one in pictures for p in self._figures[one.figure_id]}
        neighbours = [p for image, p in near.items() if image not in images]
        said = [voice for conflict in conflicts for voice in conflict.voices]
        said += [voice for image in images for voice in self.scene.voices.get(image, ())]
        return {
            "conflicts": conflicts,
            "settled": all(c.settled for c in conflicts),
            "pictures": [self._shown(p, SIDE) for p in pictures],
            "neighbours": [self._shown(p, SMALL) for p in neighbours[:MAX_NEIGHBOURS]],
            "more": max(0, len(neighbours) - MAX_NEIGHBOURS),
            "voices": [_told(v) for v in _distinct(said)],
        }

    def _shown(self, picture: Picture, side: int) -> dict[str, Any]:
        where = [picture.paper, f"p. {picture.page}" if picture.page is not None else "", picture.figure or ""]
        return {
            "address": self._address(picture, side),
            "place": ", ".join(part for part in where if part) + (f" ({picture.panel})" if picture.panel else ""),
            "caption": " ".join((picture.caption or "").split())[:MAX_TEXT],
            "label": picture.label,
            "source": picture.source,
            "panel": picture.panel,
            "file_name": picture.file_name,
            "panel_id": picture.panel_id,
            "image_sha256": picture.image_sha256,
            "pdf": pdf_address(picture.path, picture.page),
        }

    def _address(self, picture: Picture, side: int) -> str | None:
        key = (picture.image_sha256, side)
        if key not in self._addresses:
            self._addresses[key], failure = picture_address(self.store, *key[:1], picture.format, side)
            if failure:
                self.failures[picture.image_sha256] = failure
        return self._addresses[key]


def _distinct(voices: Sequence[Voice]) -> list[Voice]:
    """Each voice once; where two differ only in their evidence both stay."""
    return list({(v.source, v.who, v.label, v.evidence): v for v in voices}.values())


def _told(voice: Voice) -> dict[str, Any]:
    return {
        "source": voice.source,
        "label": voice.label,
        "who": voice.who,
        "evidence": "" if voice.source == "rule" else voice.evidence,
        "texts": [{"field": t["field"], "parts": _parts(t)} for t in voice.texts],
    }


def _parts(text: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """A text cut at the words that speak: (words, whether they do)."""
    whole, parts, at = str(text["text"] or "")[:MAX_TEXT], list[tuple[str, bool]](), 0
    for start, end in sorted(text["spans"]):
        if at <= start < end <= len(whole):
            parts += [(whole[at:start], False), (whole[start:end], True)]
            at = end
    return [*parts, (whole[at:], False)]
