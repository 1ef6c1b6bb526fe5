"""Lines of a split's lists, made from what the catalogue knows of the images."""

from __future__ import annotations

from collections.abc import Mapping

from polydata.audit.evidence import Evidence
from polydata.splits.groups import Groups
from polydata.splits.manifest import Item
from polydata.workspace import Workspace

MAX_CAPTION = 1000
"""Longer captions are cut: a list is read by spreadsheets, the catalogue holds the whole text."""


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
                "page": "" if facts["page"] is None else str(facts["page"]),
                "panel": facts["panel"] or "",
                "technique": facts["technique"] or "",
                "caption": " ".join((facts["caption"] or "").split())[:MAX_CAPTION],
            },
        )
    return items
