"""Splits in the catalogue: what they are built from, by conditions whose words never become part of a query; and where
the images of each one stand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.described import PAPERS, SCALES

# What a label source says: one row an image, ``label`` NULL where it says several words.
_RESOLVED = "SELECT image_sha256, label, source, sources AS said FROM labels"
_ONE_SOURCE = """
    SELECT image_sha256, CASE WHEN count(DISTINCT label) = 1 THEN min(label) END AS label, $source AS source,
           list(DISTINCT label ORDER BY label) AS said
    FROM label_candidates WHERE source = $source GROUP BY image_sha256
"""
_REVIEW = """
    SELECT image_sha256, CASE WHEN choice IN (SELECT label FROM label_words) THEN choice END AS label,
           $source AS source, said
    FROM reviews
"""


def label_choices(catalogue: Catalogue, source: str | None, review: bool = False) -> list[dict[str, Any]]:
    """What is to be learned of each image that a panel shows, by hash.

    Args:
        source: the only source that is heard; None takes the resolved label of the ``labels`` view.
        review: the source is the reviewers, whose answers stand in annotations.

    Returns:
        Rows ``image_sha256``, ``label`` (None where nothing was said, or the source contradicts itself),
        ``source``, ``said`` (all that was said, None for nothing), ``answer`` (of the reviewers, whatever the
        source; None where there is none), ``tied`` (all that reviewers said who disagree without a majority, else
        None) and ``rejected`` (by the newest version of the automatic screening).
    """
    said = _REVIEW if review else _ONE_SOURCE if source else _RESOLVED
    return catalogue.rows(
        f"""SELECT image_sha256, chosen.label, chosen.source, chosen.said, reviews.choice AS answer,
                   CASE WHEN reviews.choice IS NULL THEN reviews.said END AS tied,
                   coalesce(screened.decision = 'rejected', false) AS rejected
            FROM (SELECT DISTINCT image_sha256 FROM panels)
            LEFT JOIN ({said.replace("$source", "?")}) chosen USING (image_sha256)
            LEFT JOIN reviews USING (image_sha256)
            LEFT JOIN screened USING (image_sha256)
            ORDER BY image_sha256""",  # noqa: S608
        [source] * said.count("$source"),
    )


def shown_images(catalogue: Catalogue, images: Sequence[str], source: str | None = None) -> list[dict[str, Any]]:
    """What is known of images, by their hash; where several panels show one, the panel with the first id speaks.

    Args:
        source: look only at papers of this source.

    Returns:
        Rows ``image_sha256``, ``phash``, ``format``, ``alpha_only``, ``width``, ``height``, ``panel_id``,
        ``figure_id``, ``paper_id``, ``paper`` (its file), ``doi``, ``journal``, ``year``, ``page``,
        ``panel``, ``file_name`` (of an imported image), ``caption``, ``scale_um``, ``technique`` and ``by_caption``
        (None where the caption names none).
    """
    return catalogue.rows(
        f"""WITH known AS ({PAPERS}), scales AS ({SCALES})
           SELECT i.image_sha256, phash, images.format, images.alpha_only, images.width, images.height,
                  panels.panel_id, figures.figure_id, papers.paper_id, papers.file_name AS paper,
                  known.doi, known.journal, known.year, figures.page, panels.label AS panel, panels.file_name,
                  coalesce(panels.caption, panels.caption_stem, figures.caption) AS caption,
                  scales.scale_um, technique, by_caption
           FROM (SELECT DISTINCT unnest(?::TEXT[]) AS image_sha256) i
           JOIN images ON images.sha256 = i.image_sha256
           JOIN panels USING (image_sha256) JOIN figures USING (figure_id) JOIN papers USING (paper_id)
           JOIN known USING (paper_id) JOIN panel_techniques USING (panel_id) LEFT JOIN scales USING (panel_id)
           WHERE papers.source = coalesce(?, papers.source)
           QUALIFY row_number() OVER (PARTITION BY i.image_sha256 ORDER BY panels.panel_id) = 1
           ORDER BY i.image_sha256""",  # noqa: S608 - constants
        [list(images), source],
    )


def image_places(catalogue: Catalogue, images: Sequence[str], source: str | None = None) -> list[tuple[str, str, str]]:
    """Hash, figure and paper of every panel that shows one of the images, or of those in papers of one source."""
    return catalogue.tuples(
        """SELECT DISTINCT image_sha256, figure_id, paper_id
           FROM (SELECT DISTINCT unnest(?::TEXT[]) AS image_sha256) JOIN panels USING (image_sha256)
           JOIN figures USING (figure_id) JOIN papers USING (paper_id)
           WHERE papers.source = coalesce(?, papers.source) ORDER BY 1, 2, 3""",
        [list(images), source],
    )


def paper_references(catalogue: Catalogue, papers: Sequence[str]) -> list[dict[str, Any]]:
    """What names each paper: its own DOI and citation, and those of the records joined to it.

    Returns:
        Rows ``paper_id``, ``doi``, ``citation``, ``journal``, ``volume``, ``pages``, ``year``, any of them None.
    """
    return catalogue.rows(
        """WITH wanted AS (SELECT DISTINCT unnest(?::TEXT[]) AS paper_id),
           joined AS (SELECT DISTINCT paper_id, record_id FROM record_places)
           SELECT paper_id, doi, citation, journal, volume, pages, year FROM wanted JOIN known_papers USING (paper_id)
           UNION
           SELECT paper_id, doi, reference, journal, volume, pages, year
           FROM wanted JOIN joined USING (paper_id) JOIN records USING (record_id)
           ORDER BY ALL""",
        [list(papers)],
    )


def polymers_of(catalogue: Catalogue, images: Sequence[str]) -> list[tuple[str, str]]:
    """Image and the polymers of each panel that shows it, parted by semicolons: as its caption names them, else as the
    records do that are joined to it."""
    return catalogue.tuples(
        """SELECT DISTINCT image_sha256,
                  coalesce(array_to_string(from_json(composition->'components', '["VARCHAR"]'), ';'), polymers) AS words
           FROM (SELECT DISTINCT unnest(?::TEXT[]) AS image_sha256) JOIN panels USING (image_sha256)
           LEFT JOIN links USING (panel_id) LEFT JOIN records USING (record_id)
           WHERE words IS NOT NULL ORDER BY 1, 2""",
        [list(images)],
    )


def linked_records(catalogue: Catalogue) -> list[dict[str, Any]]:
    """The records that are joined to panels: ``image_sha256`` of the panel, and all that the record has."""
    return catalogue.rows(
        """SELECT DISTINCT image_sha256, records.* EXCLUDE (source_row)
           FROM links JOIN panels USING (panel_id) JOIN records USING (record_id)
           ORDER BY image_sha256, record_id"""
    )


def registered(catalogue: Catalogue, name: str) -> str | None:
    """The digest under which a split is known, None where it is not."""
    digest: str | None = catalogue.value("SELECT digest FROM splits WHERE name = ?", [name])
    return digest


def register(
    catalogue: Catalogue,
    name: str,
    manifest: Mapping[str, Any],
    images: Sequence[tuple[int, str, str, str, str]],
) -> None:
    """Write a split into the catalogue, in one transaction.

    Args:
        images: fold (from 1), side (``train`` or ``test``), hash, label and group of every image of every fold.
    """
    columns = [list(column) for column in zip(*images, strict=True)]
    with catalogue.transaction():
        catalogue.run("DELETE FROM split_images WHERE split = ?", [name])
        row = {"name": name, "digest": manifest["digest"], "manifest": json.dumps(manifest)}
        catalogue.upsert("splits", [{**row, "created_at": datetime.now(UTC).replace(tzinfo=None)}])
        catalogue.run(
            """INSERT INTO split_images (split, fold, side, image_sha256, label, group_id)
               SELECT ?, unnest(?::INTEGER[]), unnest(?::TEXT[]), unnest(?::TEXT[]),
                      unnest(?::TEXT[]), unnest(?::TEXT[])""",
            [name, *columns],
        )


def labels_there(catalogue: Catalogue, name: str, digest: str) -> dict[str, str]:
    """The labels of the images of a split of this name and digest, by hash; none where it is not known."""
    return dict(
        catalogue.tuples(
            """SELECT image_sha256, any_value(split_images.label) FROM split_images JOIN splits ON splits.name = split
               WHERE split = ? AND digest = ? GROUP BY image_sha256""",
            [name, digest],
        )
    )


def forget(catalogue: Catalogue, name: str) -> None:
    """Strike a split out, in one transaction."""
    with catalogue.transaction():
        catalogue.run("DELETE FROM split_images WHERE split = ?", [name])
        catalogue.run("DELETE FROM splits WHERE name = ?", [name])


def split_memberships(catalogue: Catalogue, image_sha256: str) -> list[dict[str, Any]]:
    """Where an image stands: split, fold, side, label, group_id and digest, by split and fold."""
    return catalogue.rows(
        """SELECT split, fold, side, split_images.label, group_id, splits.digest
           FROM split_images JOIN splits ON splits.name = split_images.split
           WHERE image_sha256 = ? ORDER BY split, fold""",
        [image_sha256],
    )


def images_in_split(catalogue: Catalogue) -> int:
    """How many images stand in at least one split."""
    return int(catalogue.value("SELECT count(DISTINCT image_sha256) FROM split_images"))


def splits_of_images(catalogue: Catalogue) -> dict[str, list[str]]:
    """Names of the splits in which each image stands, on whatever side."""
    sql = "SELECT image_sha256, list(DISTINCT split ORDER BY split) FROM split_images GROUP BY image_sha256"
    return dict(catalogue.tuples(sql))


def said_of(catalogue: Catalogue, images: Sequence[str]) -> list[dict[str, Any]]:
    """Labels of images by hash: ``image_sha256``, ``label`` (resolved, or None) and ``said``, a list of ``source`` and
    ``label`` for every source that speaks."""
    return catalogue.rows(
        """WITH wanted AS (SELECT DISTINCT unnest(?::TEXT[]) AS image_sha256)
           SELECT image_sha256, any_value(labels.label) AS label,
                  list({'source': c.source, 'label': c.label} ORDER BY c.source, c.label) AS said
           FROM wanted JOIN label_candidates c USING (image_sha256) LEFT JOIN labels USING (image_sha256)
           GROUP BY image_sha256 ORDER BY image_sha256""",
        [list(images)],
    )


def scales_of(catalogue: Catalogue, images: Sequence[str]) -> list[tuple[str, str, float]]:
    """Image, paper and micrometres a pixel, where both the value and the length of a scale bar are known."""
    return catalogue.tuples(
        """SELECT image_sha256, paper_id, median(value_um / length_px)
           FROM (SELECT DISTINCT unnest(?::TEXT[]) AS image_sha256) JOIN panels USING (image_sha256)
           JOIN figures USING (figure_id) JOIN panel_scales USING (panel_id)
           WHERE value_um > 0 AND length_px > 0 GROUP BY 1, 2 ORDER BY 1, 2""",
        [list(images)],
    )


def shown_more_than_once(catalogue: Catalogue, images: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Images that several panels show, byte for byte, with the names of their papers."""
    return catalogue.tuples(
        """SELECT image_sha256, list(papers.file_name ORDER BY papers.file_name, panel_id)
           FROM (SELECT DISTINCT unnest(?::TEXT[]) AS image_sha256) JOIN panels USING (image_sha256)
           JOIN figures USING (figure_id) JOIN papers USING (paper_id)
           GROUP BY image_sha256 HAVING count(DISTINCT panel_id) > 1 ORDER BY image_sha256""",
        [list(images)],
    )


@dataclass(frozen=True)
class Column:
    """A column that a filter may name.

    Attributes:
        sql: what it is in the query below.
        is_number: compared with numbers rather than with texts.
    """

    sql: str
    is_number: bool = False


COLUMNS = {
    "technique": Column("panel_techniques.technique"),
    "year": Column("known.year", is_number=True),
    "journal": Column("known.journal"),
    "doi": Column("known.doi"),
    "paper": Column("papers.file_name"),
    "source": Column("papers.source"),
    "caption": Column("coalesce(panels.caption, panels.caption_stem, figures.caption)"),
    "panel": Column("panels.label"),
    "page": Column("figures.page", is_number=True),
    "width": Column("images.width", is_number=True),
    "height": Column("images.height", is_number=True),
    "size": Column("least(images.width, images.height)", is_number=True),
    "format": Column("images.format"),
    "scale_um": Column("scales.scale_um", is_number=True),
    "score": Column("screened.score", is_number=True),
    "label_source": Column("labels.source"),
}
"""What a filter can ask: of the image, of the panel with the smallest id that shows it, and of its paper."""


OPERATORS = {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
"""How a column can be compared, as a filter writes it, and in SQL."""


@dataclass(frozen=True)
class Comparison:
    """A column compared with constants.

    Attributes:
        operator: a key of ``OPERATORS``, ``contains``, ``in`` or ``null``.
        values: one, any number for ``in``, none for ``null``.
    """

    column: str
    operator: str
    values: tuple[str | float, ...]

    def __str__(self) -> str:
        if self.operator == "null":
            return f"{self.column} is null"
        words = ["'" + v.replace("'", "''") + "'" if isinstance(v, str) else f"{v:.15g}" for v in self.values]
        return f"{self.column} {self.operator} {'(' + ', '.join(words) + ')' if self.operator == 'in' else words[0]}"


@dataclass(frozen=True)
class Combined:
    """Conditions put together."""

    how: Literal["and", "or", "not"]
    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        words = [f"({p})" if isinstance(p, Combined) else str(p) for p in self.parts]
        return f"not {words[0]}" if self.how == "not" else f" {self.how} ".join(words)


Condition = Comparison | Combined
"""``str`` of it is the one way in which it is written down: it can be read again and means the same."""


def images_where(catalogue: Catalogue, condition: Condition) -> set[str]:
    """SHA-256 of the images that fulfil a condition ; what is unknown fulfils no comparison."""
    parameters: list[Any] = []
    sql = _sql(condition, parameters)
    images = catalogue.column(
        f"""WITH scales AS ({SCALES}), known AS ({PAPERS})
            SELECT panels.image_sha256
            FROM panels JOIN images ON images.sha256 = panels.image_sha256
            JOIN figures USING (figure_id) JOIN papers USING (paper_id) JOIN known USING (paper_id)
            JOIN panel_techniques ON panel_techniques.panel_id = panels.panel_id
            LEFT JOIN scales ON scales.panel_id = panels.panel_id
            LEFT JOIN screened ON screened.image_sha256 = panels.image_sha256
            LEFT JOIN labels ON labels.image_sha256 = panels.image_sha256
            QUALIFY row_number() OVER (PARTITION BY panels.image_sha256 ORDER BY panels.panel_id) = 1
                    AND coalesce({sql}, false)""",  # noqa: S608
        parameters,
    )
    return set(images)


def _sql(condition: Condition, parameters: list[Any]) -> str:
    """A condition as SQL of fixed words; its constants are added to the parameters."""
    if isinstance(condition, Combined):
        parts = [_sql(part, parameters) for part in condition.parts]
        return f"(NOT {parts[0]})" if condition.how == "not" else f"({(' ' + condition.how + ' ').join(parts)})"
    column = COLUMNS[condition.column].sql
    if condition.operator == "null":
        return f"({column} IS NULL)"
    parameters.extend(condition.values)
    if condition.operator == "in":
        return f"({column} IN ({', '.join('?' for _ in condition.values)}))"
    if condition.operator == "contains":
        return f"contains(lower({column}), lower(?))"
    return f"({column} {OPERATORS[condition.operator]} ?)"
