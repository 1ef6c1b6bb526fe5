"""Images in whose place others stand: what people said of a picture counts of the one that replaced it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from polydata.catalogue.connect import Catalogue

SPOKEN_OF = """(SELECT image_sha256 FROM annotations UNION SELECT image_sha256 FROM label_decisions
                UNION SELECT image_sha256 FROM screening_corrections)"""
"""Images of which people said something."""
LOST = f"""image_sha256 IN {SPOKEN_OF} AND image_sha256 NOT IN (SELECT image_sha256 FROM panels)
           AND image_sha256 NOT IN (SELECT image_sha256 FROM image_successors
                                    WHERE successor IN (SELECT image_sha256 FROM panels))"""  # noqa: S608 - a constant
"""Those of them that no panel shows, nor a picture in their place."""
SHAPE = 0.05
"""Pictures of the same scene differ by less than this in their sides' ratio."""


def note_successors(catalogue: Catalogue, images: Mapping[str, str], *, shown: bool = False) -> None:
    """Let what people said of an image count of the one that took its place, within the caller's transaction.

    Args:
        images: SHA-256 by that of the image whose place they took. One that a panel still shows keeps what is its own.
        shown: note it also of such a one: both show the same.
    """
    for old, new in images.items():
        catalogue.run(
            """INSERT OR REPLACE INTO image_successors
               SELECT $1, $2 WHERE $1 <> $2 AND ($3 OR $1 NOT IN (SELECT image_sha256 FROM panels))""",
            [old, new, shown],
        )
        catalogue.run(
            """UPDATE image_successors SET successor = $2
               WHERE successor = $1 AND image_sha256 <> $2 AND $1 NOT IN (SELECT image_sha256 FROM panels)""",
            [old, new],
        )
        catalogue.run(
            """INSERT OR IGNORE INTO screening_corrections
               SELECT ?, decision FROM screening_corrections WHERE image_sha256 = ?""",
            [new, old],
        )
        catalogue.run(
            """DELETE FROM screening_corrections
               WHERE image_sha256 = ? AND NOT EXISTS (SELECT 1 FROM panels WHERE image_sha256 = ?)""",
            [old, old],
        )
    # An image that is shown again while the other is not takes back what is its own.
    catalogue.run(
        """DELETE FROM image_successors WHERE image_sha256 IN (SELECT image_sha256 FROM panels)
           AND successor NOT IN (SELECT image_sha256 FROM panels)"""
    )


def adopt(catalogue: Catalogue, paper_id: str | None = None) -> None:
    """Let pictures of a paper stand for ones that no panel shows any more and that look nearly the same.

    Only where people said something of the one that is gone, and exactly one picture of the paper looks like it: see
    ``images.hashes.NEAR``. Call it within a transaction, after the paper was written.

    Args:
        paper_id: None looks at the pictures of all papers.
    """
    lost = _looks(catalogue, LOST)
    if not lost:
        return
    from polydata.images.hashes import NEAR, near_hashes

    there = _looks(
        catalogue,
        """image_sha256 IN (SELECT image_sha256 FROM panels JOIN figures USING (figure_id)
                            WHERE paper_id = coalesce(?, paper_id))""",
        [paper_id],
    )
    near = {frozenset(pair) for pair in near_hashes((row["phash"] for row in [*lost, *there]), NEAR)}
    heirs = {}
    for old in lost:
        alike = [
            new["image_sha256"]
            for new in there
            if (old["phash"] == new["phash"] or frozenset((old["phash"], new["phash"])) in near)
            and abs(old["width"] * new["height"] / (old["height"] * new["width"]) - 1) < SHAPE
        ]
        if len(alike) == 1:
            heirs[old["image_sha256"]] = alike[0]
    note_successors(catalogue, heirs)


def _looks(catalogue: Catalogue, condition: str, parameters: Sequence[str | None] = ()) -> list[dict[str, Any]]:
    return catalogue.rows(
        f"""SELECT * FROM (SELECT sha256 AS image_sha256, phash, width, height FROM images
                           UNION SELECT image_sha256, phash, width, height FROM seen_images)
            WHERE {condition} ORDER BY image_sha256""",  # noqa: S608 - conditions of this module
        parameters,
    )


def remember_looks(catalogue: Catalogue, images: Sequence[str]) -> None:
    """Keep what images look like of which people said something, before their rows go; within a transaction."""
    catalogue.run(
        f"""INSERT OR REPLACE INTO seen_images SELECT sha256, phash, width, height FROM images
            WHERE list_contains(?, sha256) AND sha256 IN {SPOKEN_OF}""",  # noqa: S608 - a constant
        [list(images)],
    )
