"""Lines of a split's lists, made from what the catalogue knows of the images."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from polydata.splits.evidence import Evidence
from polydata.splits.groups import Groups
from polydata.splits.manifest import Item
from polydata.workspace import Workspace

MAX_TEXT = 1000
"""Longer texts are cut: a list is read by spreadsheets, the catalogue holds the whole text."""


def make_items(
    workspace: Workspace, evidence: Evidence, groups: Groups, labels: Mapping[str, tuple[str, str]]
) -> dict[str, Item]:
    """The line of each labelled image, by its hash.

    Args:
        labels: label and label source of each image; all must be among the evidence.
    """
    store, above = workspace.images(), f"{workspace.root.as_posix()}/"
    items = {}
    for image, (label, source) in sorted(labels.items()):
        facts = evidence.facts[image]
        items[image] = Item(
            image_sha256=image,
            label=label,
            group=groups.of_image[image],
            path=store.path(image, facts["format"]).as_posix().removeprefix(above),
            extra={
                "paper_id": facts["paper_id"],
                "figure_id": facts["figure_id"],
                "panel_id": facts["panel_id"],
                "label_source": source,
                "width": str(facts["width"]),
                "height": str(facts["height"]),
                "doi": facts["doi"] or "",
                "journal": _one_line(facts["journal"]),
                "year": _number(facts["year"]),
                "page": _number(facts["page"]),
                "panel": facts["panel"] or "",
                "file_name": _one_line(facts["file_name"]),
                "technique": facts["technique"] or "",
                "scale_um": _number(facts["scale_um"]),
                "caption": _one_line(facts["caption"]),
            },
        )
    return items


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())[:MAX_TEXT]


@cache
def _number(value: float | None) -> str:
    """A number in the one way in which lists write it, at most six digits; empty for none."""
    return "" if value is None else f"{value:.6g}"
