"""Links by hand decided in a table: every row is checked first, and all of them are made or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from polydata.catalogue.by_hand import (
    ManualLink,
    add_manual_links,
    manual_link,
    manual_links,
    remove_manual_links,
)
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.session import Session
from polydata.errors import InputError
from polydata.files.cells import Odd, Row, Table
from polydata.files.tables import answer_text, read_sheet
from polydata.records.kept import objections
from polydata.records.reading import BadRow
from polydata.records.rules import write_votes

COLUMNS = ("record", "panel")
NOTHING = "nothing"
"""What stands under ``panel`` where a record belongs to none."""


@dataclass(frozen=True)
class LinkedTable:
    """What a table of links did, or would do.

    Attributes:
        linked: links that are new.
        unchanged: number of links that stood there before.
        left_open: rows without a panel.
        taken_back: links by hand of the table's records that stand in no row.
        doubts: rows whose record says of itself what is not so of the panel; they are linked all the same.
        bad: rows that cannot be; with one of these nothing is done.
    """

    linked: tuple[ManualLink, ...]
    unchanged: int
    left_open: int
    taken_back: tuple[ManualLink, ...]
    doubts: tuple[BadRow, ...]
    bad: tuple[BadRow, ...]


def link_table(session: Session, path: Path, *, dry_run: bool = False) -> LinkedTable:
    """Link records to panels or figures by hand as a table says, and let labels follow, in one transaction.

    The rows of a record are all that is said of it: its links by hand that stand in none are taken back, so that a
    corrected table corrects. The same table again changes nothing.

    Args:
        path: CSV, XLSX, JSON or JSON Lines with the columns ``record`` and ``panel``, each as in ``manual_link``; the
            word ``nothing``: the record belongs to none. Rows without a panel, and other columns, are left aside.
        dry_run: write nothing.

    Raises:
        InputError: if the file is no such table.
    """
    catalogue = session.catalogue
    with catalogue.transaction():
        rows, left_open, bad = _read(catalogue, path)
        records = {link.record_id for link in rows}
        there = [link for link in manual_links(catalogue) if link.record_id in records]
        linked = tuple(link for link in rows if link not in there)
        gone = tuple(link for link in there if link not in rows)
        if not (bad or dry_run):
            for link in gone:
                remove_manual_links(catalogue, link.record_id, link.target_id)
            add_manual_links(catalogue, linked)
            write_votes(session, sorted({link.record_id for link in linked + gone}))
        doubts = [BadRow(path.name, rows[link], doubt) for link in linked for doubt in objections(session, link)]
    return LinkedTable(linked, len(rows) - len(linked), left_open, gone, tuple(doubts), bad)


def _read(catalogue: Catalogue, path: Path) -> tuple[dict[ManualLink, int], int, tuple[BadRow, ...]]:
    """The links that a table asks for, each with its first row, how many rows are open, and those that cannot be."""
    table = read_sheet(path, known=lambda cells: len(_columns(cells)))
    names = _columns(table.columns)
    if missing := [name for name in COLUMNS if name not in names]:
        hint = "A table to begin with is written by: polydata export candidates"
        raise InputError(f"{path} has no column {missing[0]!r}.", hint)
    rows, left_open, bad = dict[ManualLink, int](), 0, list[BadRow]()
    for row in table.rows:
        try:
            link = _link(catalogue, table, row, names)
            if link is None:
                left_open += 1
            else:
                rows.setdefault(link, row.number)
        except InputError as error:
            bad.append(BadRow(path.name, row.number, error.message))
    nothing = {link.record_id: number for link, number in rows.items() if link.target == "nothing"}
    for link, number in rows.items():
        if link.target != "nothing" and link.record_id in nothing:
            said = f"row {nothing[link.record_id]} says that its record belongs to nothing"
            bad.append(BadRow(path.name, number, said))
    return rows, left_open, tuple(sorted(bad, key=lambda one: one.row))


def _columns(names: Iterable[str]) -> dict[str, str]:
    """Those of ``COLUMNS`` that are among these, each as it is written here."""
    return {plain: name for name in names if (plain := name.strip().lower()) in COLUMNS}


def _link(catalogue: Catalogue, table: Table, row: Row, names: Mapping[str, str]) -> ManualLink | None:
    """The link that a row means, None where it names no panel; raises as ``manual_link``."""
    if row.problem:
        raise InputError(row.problem)
    cells = [row.values.get(names[name]) for name in COLUMNS]
    for name, cell in zip(COLUMNS, cells, strict=True):
        if isinstance(cell, Odd):
            raise InputError(f"{table.cell(row, names[name])} {cell.why}")
    record, panel = map(answer_text, cells)
    return manual_link(catalogue, record, None if panel.lower() == NOTHING else panel) if panel else None
