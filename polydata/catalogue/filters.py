"""Which images fulfil a condition on what is known of them. The condition's words never become part of the query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.described import PAPERS, SCALES


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
        words = [_quoted(v) for v in self.values]
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


def _quoted(value: str | float) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else f"{value:.15g}"


def images_where(catalogue: Catalogue, condition: Condition) -> set[str]:
    """SHA-256 of the images that fulfil a condition ; what is unknown fulfils no comparison."""
    parameters: list[Any] = []
    sql = _sql(condition, parameters)
    rows = catalogue.column(
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
    return set(rows)


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
