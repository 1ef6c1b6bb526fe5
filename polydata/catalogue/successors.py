"""Images in whose place others stand: what people said of a picture counts of the one that replaced it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from polydata.catalogue.connect import Catalogue

SPOKEN_OF = """(SELECT image_sha256 FROM annotations UNION SELECT image_sha256 FROM label_decisions
                UNION SELECT image_sha256 FROM screening_corrections)"""
"""Images of which people said something."""
SHAPE = 0.05
"""Pictures of the same scene differ by less than this in their sides' ratio."""


def shown_images(catalogue: Catalogue, images: Iterable[str]) -> set[str]:
    """Those of the images that a panel shows."""
    return set(
        catalogue.column(
            "SELECT DISTINCT image_sha256 FROM panels WHERE image_sha256 IN (SELECT unnest(?::TEXT[]))", [list(images)]
        )
    )


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
        rows = ([{"image_sha256": image, column: value} for image, value in some.items()] for some in (stood, stands))
        catalogue.replace(table, ("image_sha256",), *rows)


SPEECH = ("annotations", "label_decisions", "screening_corrections", "seen_images")
"""Tables with what people said of images, and what these looked like."""
LOOKS = "SELECT sha256 AS image_sha256, phash, width, height FROM images UNION SELECT * FROM seen_images"


def note_hidden(catalogue: Catalogue, paper_id: str) -> None:
    """The panels of a paper go, within the caller's transaction: its images may be lost, see ``adopt``."""
    _look_for_hidden(catalogue)
    images = """SELECT image_sha256 FROM panels JOIN figures USING (figure_id) WHERE paper_id = ?"""
    hidden = _spoken_of(catalogue, catalogue.column(images, [paper_id]))
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
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in SPEECH)  # noqa: S608 - constants
    said = catalogue.value(f"SELECT [{counts}]")
    catalogue.run("CREATE TEMP TABLE IF NOT EXISTS hidden_as_of (said BIGINT[])")
    if catalogue.value("SELECT said FROM hidden_as_of") != said:
        catalogue.run(
            f"""CREATE OR REPLACE TEMP TABLE hidden AS FROM ({LOOKS})
                WHERE image_sha256 IN {SPOKEN_OF} AND image_sha256 NOT IN (SELECT image_sha256 FROM panels)"""  # noqa: S608
        )
        forget_hidden(catalogue)
        catalogue.run("INSERT INTO hidden_as_of VALUES (?)", [said])


def _spoken_of(catalogue: Catalogue, images: Iterable[str]) -> set[str]:
    """Those of the images of which people said something."""
    tables = " UNION ALL ".join(f"SELECT image_sha256 FROM {table}" for table in SPEECH[:3])  # noqa: S608
    return set(
        catalogue.column(
            f"SELECT image_sha256 FROM ({tables}) WHERE image_sha256 IN (SELECT unnest(?::TEXT[]))",  # noqa: S608
            [list(images)],
        )
    )


def adopt(catalogue: Catalogue, paper_id: str | None = None) -> None:
    """Let pictures of a paper stand for ones that no panel shows any more and that look nearly the same.

    Only where people said something of the one that is gone, nothing stands in its place, and exactly one picture of
    the paper looks like it: see ``images.hashes.NEAR``. Call it within a transaction, after the paper was written.

    Args:
        paper_id: None looks at the pictures of all papers.
    """
    from polydata.images.hashes import NEAR, masks

    _look_for_hidden(catalogue)
    of_paper = "" if paper_id is None else "JOIN figures USING (figure_id) WHERE paper_id = $2"
    heirs = dict(
        catalogue.tuples(
            f"""WITH masks AS (SELECT unnest($1::UBIGINT[]) AS mask), gone AS (
                    SELECT *, ('0x' || phash)::UBIGINT AS bits, bits & mask AS part FROM hidden, masks
                ), there AS (
                    SELECT *, ('0x' || phash)::UBIGINT AS bits, bits & mask AS part FROM masks, (
                        SELECT phash, width, height, count(*) AS number, min(sha256) AS sha256
                        FROM images SEMI JOIN (SELECT image_sha256 FROM panels {of_paper}) ON image_sha256 = sha256
                        GROUP BY phash, width, height)
                )
                SELECT image_sha256, min(sha256) FROM (
                    SELECT DISTINCT image_sha256, sha256, number FROM gone JOIN there USING (mask, part)
                    WHERE bit_count(xor(gone.bits, there.bits)) <= {NEAR}
                      AND abs(gone.width::DOUBLE * there.height / gone.height / there.width - 1) < {SHAPE}
                ) GROUP BY image_sha256 HAVING sum(number) = 1""",  # noqa: S608 - constants
            [masks(NEAR)] if paper_id is None else [[0], paper_id],
        )
    )
    if not heirs:
        return
    lost = _spoken_of(catalogue, heirs) - shown_images(catalogue, heirs)
    replaced = catalogue.tuples(
        "SELECT image_sha256, successor FROM image_successors WHERE image_sha256 IN (SELECT unnest(?::TEXT[]))",
        [list(lost)],
    )
    in_place = shown_images(catalogue, [successor for _, successor in replaced])
    lost -= {old for old, successor in replaced if successor in in_place}
    if lost:
        note_successors(catalogue, {old: heirs[old] for old in sorted(lost)})


def remember_looks(catalogue: Catalogue, images: Sequence[str]) -> None:
    """Keep what images look like of which people said something, before their rows go; within a transaction."""
    catalogue.run(
        f"""INSERT OR REPLACE INTO seen_images SELECT sha256, phash, width, height FROM images
            WHERE list_contains(?, sha256) AND sha256 IN {SPOKEN_OF}""",  # noqa: S608 - a constant
        [list(images)],
    )
