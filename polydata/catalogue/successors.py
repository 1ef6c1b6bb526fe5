"""Images in whose place others stand: what people said of a picture counts of the one that replaced it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.lookup import among
from polydata.types import ImageInfo

SPEECH = ("annotations", "label_decisions", "screening_corrections", "distinct_images")
"""Tables with what people said of images."""
SPOKEN_OF = f"({' UNION '.join(f'SELECT image_sha256 FROM {table}' for table in SPEECH)})"  # noqa: S608 - constants
"""Images of which people said something."""
SHAPE = 0.05
"""Pictures of the same scene differ by less than this in their sides' ratio."""


def shown_images(catalogue: Catalogue, images: Iterable[str]) -> set[str]:
    """Those of the images that a panel shows."""
    is_one, asked = among(set(images))
    return set(catalogue.column(f"SELECT DISTINCT image_sha256 FROM panels WHERE image_sha256 {is_one}", asked))  # noqa: S608


def note_successors(
    catalogue: Catalogue, images: Mapping[str, str], others: Iterable[str] = (), *, shown: bool = False
) -> None:
    """Let what people said of an image count of the one that took its place, within the caller's transaction.

    An image that is shown again while the one in its place is not takes back what is its own.

    Args:
        images: SHA-256 by that of the image whose place they took. One that a panel still shows keeps what is its own.
        others: images of the same paper that came or went.
        shown: note it also of one that is still shown: both show the same.
    """
    touched = [list({*images, *images.values(), *others})]
    before = dict(
        catalogue.tuples(
            """SELECT image_sha256, successor FROM image_successors
               WHERE image_sha256 IN (SELECT unnest($1::TEXT[])) OR successor IN (SELECT unnest($1::TEXT[]))""",
            touched,
        )
    )
    decided = dict(
        catalogue.tuples(
            """SELECT image_sha256, decision FROM screening_corrections
               WHERE image_sha256 IN (SELECT unnest(?::TEXT[]))""",
            touched,
        )
    )
    there = shown_images(catalogue, {*touched[0], *before, *before.values()})
    after, decisions = dict(before), dict(decided)
    for old, new in images.items():
        if old != new and (shown or old not in there):
            after[old] = new
        if old not in there:
            after |= {image: new for image, successor in after.items() if successor == old and image != new}
        if old in decisions:
            decisions.setdefault(new, decisions[old])
            if old not in there:
                del decisions[old]
    after = {image: new for image, new in after.items() if image not in there or new in there}
    for table, column, stood, stands in (
        ("image_successors", "successor", before, after),
        ("screening_corrections", "decision", decided, decisions),
    ):
        gone = [list(stood.keys() - stands.keys())]
        catalogue.run(f"DELETE FROM {table} WHERE image_sha256 IN (SELECT unnest(?::TEXT[]))", gone)  # noqa: S608
        changed = [(image, value) for image, value in sorted(stands.items()) if stood.get(image) != value]
        catalogue.upsert(table, [{"image_sha256": image, column: value} for image, value in changed])


LOOKS = "SELECT sha256 AS image_sha256, phash, width, height FROM images UNION SELECT * FROM seen_images"


def note_hidden(catalogue: Catalogue, images: Iterable[str]) -> None:
    """Panels that show these images go, within the caller's transaction: the images may be lost, see ``adopt``."""
    _look_for_hidden(catalogue)
    hidden = _spoken_of(catalogue, images)
    if hidden:
        catalogue.run(
            f"INSERT INTO hidden FROM ({LOOKS}) WHERE image_sha256 IN (SELECT unnest(?::TEXT[]))",
            [list(hidden)],
        )


def forget_hidden(catalogue: Catalogue) -> None:
    """Panels went without ``note_hidden``: let ``adopt`` look through all images when it is called next."""
    catalogue.run("CREATE OR REPLACE TEMP TABLE hidden_as_of (said BIGINT[])")


def _look_for_hidden(catalogue: Catalogue) -> None:
    """Keep the images of which people said something and that no panel shows in the temporary table ``hidden``.

    All images are looked through for them once in a process, and again where somebody said something since; those
    that go are added by ``note_hidden``. So an adoption is as quick in a large catalogue as in a small one.
    """
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in (*SPEECH, "seen_images"))  # noqa: S608 - constants
    said = catalogue.value(f"SELECT [{counts}]")
    catalogue.run("CREATE TEMP TABLE IF NOT EXISTS hidden_as_of (said BIGINT[])")
    if catalogue.value("SELECT said FROM hidden_as_of") != said:
        catalogue.run(
            f"""CREATE OR REPLACE TEMP TABLE hidden AS
                WITH lost AS (FROM {SPOKEN_OF} spoken ANTI JOIN panels USING (image_sha256))
                SELECT sha256 AS image_sha256, phash, width, height
                FROM images SEMI JOIN lost ON image_sha256 = sha256 UNION FROM seen_images SEMI JOIN lost
                USING (image_sha256)"""  # noqa: S608 - a constant
        )
        forget_hidden(catalogue)
        catalogue.run("INSERT INTO hidden_as_of VALUES (?)", [said])


def _spoken_of(catalogue: Catalogue, images: Iterable[str]) -> set[str]:
    """Those of the images of which people said something."""
    return set(
        catalogue.column(
            f"SELECT image_sha256 FROM {SPOKEN_OF} WHERE image_sha256 IN (SELECT unnest(?::TEXT[]))",  # noqa: S608
            [list(images)],
        )
    )


def adopt(catalogue: Catalogue, papers: Sequence[Sequence[ImageInfo]] | None = None) -> None:
    """Let pictures of papers stand for ones that no panel shows any more and that look nearly the same.

    Only where people said something of the one that is gone, nothing stands in its place, and exactly one picture of
    a paper looks like it: see ``images.hashes.NEAR``. Call it within a transaction, after the papers were written.

    Args:
        papers: pictures of each; of several papers that have such a picture the first gives it. None looks at all that
            are shown as at those of one paper.
    """
    from polydata.images.hashes import NEAR, masks

    _look_for_hidden(catalogue)
    shown = "SELECT 0 AS place, sha256, phash, width, height FROM images SEMI JOIN panels ON image_sha256 = sha256"
    asked: list[list[Any]] = []
    if papers is not None:
        rows = [(n, i.sha256, i.phash, i.width, i.height) for n, images in enumerate(papers) for i in images]
        shown = """SELECT DISTINCT unnest(?::INTEGER[]) AS place, unnest(?::TEXT[]) AS sha256,
                          unnest(?::TEXT[]) AS phash, unnest(?::INTEGER[]) AS width, unnest(?::INTEGER[]) AS height"""
        asked = [list(column) for column in zip(*rows, strict=True)]
        if not rows:
            return
    heirs = dict(
        catalogue.tuples(
            f"""WITH masks AS (SELECT unnest(?::UBIGINT[]) AS mask), gone AS (
                    SELECT *, ('0x' || phash)::UBIGINT AS bits, bits & mask AS part FROM hidden, masks
                ), there AS (
                    SELECT *, ('0x' || phash)::UBIGINT AS bits, bits & mask AS part FROM masks, (
                        SELECT place, phash, width, height, count(*) AS number, min(sha256) AS sha256
                        FROM ({shown}) GROUP BY place, phash, width, height)
                )
                SELECT image_sha256, min(sha256) FROM (
                    SELECT DISTINCT place, image_sha256, sha256, number FROM gone JOIN there USING (mask, part)
                    WHERE bit_count(xor(gone.bits, there.bits)) <= {NEAR}
                      AND abs(gone.width::DOUBLE * there.height / gone.height / there.width - 1) < {SHAPE}
                ) GROUP BY place, image_sha256 HAVING sum(number) = 1 ORDER BY place DESC""",  # noqa: S608 - constants
            [masks(NEAR), *asked],
        )
    )
    if not heirs:
        return
    lost = _spoken_of(catalogue, heirs) - shown_images(catalogue, heirs)
    replaced = successors_of(catalogue, list(lost))
    in_place = shown_images(catalogue, list(replaced.values()))
    lost -= {old for old, successor in replaced.items() if successor in in_place}
    if lost:
        note_successors(catalogue, {old: heirs[old] for old in sorted(lost)})


def successors_of(catalogue: Catalogue, images: Sequence[str]) -> dict[str, str]:
    """The picture that stands in the place of each of these images, by their SHA-256; none of those that stand."""
    return dict(
        catalogue.tuples(
            "SELECT image_sha256, successor FROM image_successors WHERE image_sha256 IN (SELECT unnest(?::TEXT[]))",
            [list(images)],
        )
    )


def remember_looks(catalogue: Catalogue, images: Sequence[str]) -> None:
    """Keep what images look like of which people said something, before their rows go; within a transaction."""
    catalogue.run(
        f"""INSERT OR REPLACE INTO seen_images SELECT sha256, phash, width, height FROM images
            WHERE list_contains(?, sha256) AND sha256 IN {SPOKEN_OF}""",  # noqa: S608 - a constant
        [list(images)],
    )
