"""The disagreements as one page: the images side by side, who says what, and the words that it follows from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from polydata.catalogue.resolution import distinct_command
from polydata.catalogue.session import Session
from polydata.files.atomic import refuse_other_file, write_text, writing_to
from polydata.images.html import MAX_TEXT, TICKS, Pictures, Written, script_hash, template
from polydata.labels.conflicts.evidence import SEVERITY, Conflict, LabelEvidence, Statement
from polydata.labels.conflicts.find import Conflicts
from polydata.types import Progress, quiet, tracked

MAX_CARDS = 500
"""More would make a page that a browser opens slowly."""
SIDE, SMALL = 320, 130
"""Longer side of an image, and of its neighbours in the figure, in pixels."""
MAX_NEIGHBOURS = 6


def write_conflicts(session: Session, found: Conflicts, path: Path, progress: Progress = quiet) -> Written:
    """Write one page that shows every conflict, a card an image or pair of images; it needs no other file.

    Raises:
        InputError: if the file cannot be written.
        RefusedError: if another program's file is there.
    """
    refuse_other_file(path, "<title>Conflicts about labels</title>")
    groups: dict[tuple[str, ...], list[Conflict]] = defaultdict(list)
    for conflict in found.conflicts:
        groups[conflict.images].append(conflict)
    shown = list(groups.items())[:MAX_CARDS]
    drawer = _Drawer(found.evidence, pictures := Pictures(session.images))
    cards = [drawer.card(images, conflicts) for images, conflicts in tracked(shown, "Drawing", progress, len(shown))]
    page = template("conflicts.html.j2").render(
        counts=found.counts,
        cards=cards,
        left_out=len(groups) - len(shown),
        weights=SEVERITY,
        choices=found.evidence.task.choices,
        script_hash=script_hash(TICKS),
        problems=found.problems,
    )
    with writing_to(path, "Choose another --html."):
        write_text(path, page)
    return Written(path, len(cards), len(groups) - len(shown), tuple(pictures.failures.values()))


class _Drawer:
    """Draws cards."""

    def __init__(self, evidence: LabelEvidence, pictures: Pictures) -> None:
        self.evidence = evidence
        self._pictures = pictures
        self._figures: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for picture in evidence.pictures.values():
            self._figures[picture["figure_id"]].append(picture)

    def card(self, images: Sequence[str], conflicts: Sequence[Conflict]) -> dict[str, Any]:
        """What the template shows of one image or pair."""
        pictures = [self.evidence.pictures[image] for image in images]
        near = {p["image_sha256"]: p for one in pictures for p in self._figures[one["figure_id"]]}
        neighbours = [p for image, p in near.items() if image not in images]
        said = [statement for conflict in conflicts for statement in conflict.statements]
        said += [statement for image in images for statement in self.evidence.statements.get(image, ())]
        return {
            "conflicts": conflicts,
            "settled": all(c.settled for c in conflicts),
            "apart": distinct_command(*images)
            if any(c.kind == "duplicate" and not c.settled for c in conflicts)
            else "",
            "pictures": [self._pictures.shown(p, SIDE) for p in pictures],
            "neighbours": [self._pictures.shown(p, SMALL) for p in neighbours[:MAX_NEIGHBOURS]],
            "more": max(0, len(neighbours) - MAX_NEIGHBOURS),
            # Each once; where two differ only in their evidence both stay.
            "statements": [_row(s) for s in {(s.source, s.who, s.label, s.evidence): s for s in said}.values()],
        }


def _row(said: Statement) -> dict[str, Any]:
    texts = [{"field": t["field"], "parts": _parts(t)} for t in said.texts]
    return vars(said) | {"evidence": "" if said.source == "rule" else said.evidence, "texts": texts}


def _parts(text: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """A text cut at the words that speak: (words, whether they do)."""
    whole, parts, at = str(text["text"] or "")[:MAX_TEXT], list[tuple[str, bool]](), 0
    for start, end in sorted(text["spans"]):
        if at <= start < end <= len(whole):
            parts += [(whole[at:start], False), (whole[start:end], True)]
            at = end
    return [*parts, (whole[at:], False)]
