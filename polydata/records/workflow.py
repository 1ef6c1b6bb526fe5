"""Brings records and their links up to date, each in one step with the labels that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from polydata.catalogue.manual_links import (
    ManualLink,
    add_manual_link,
    record_named,
    remove_manual_links,
    target_named,
)
from polydata.catalogue.session import Session
from polydata.errors import InputError
from polydata.records.importer import ImportReport, import_records
from polydata.records.join import JoinReport, join_records
from polydata.records.rules import VoteReport, write_votes


@dataclass(frozen=True)
class Imported:
    """What an import of records did: to the records, and to the labels of those that were linked before."""

    records: ImportReport
    votes: VoteReport


@dataclass(frozen=True)
class Joined:
    """What a join did: to the links, and to the labels that follow from them."""

    links: JoinReport
    votes: VoteReport

    @property
    def changed(self) -> bool:
        """Whether the catalogue changed."""
        return self.links.changed or self.votes.changed

    def facts(self) -> dict[str, int]:
        """The numbers, named for a person."""
        labels = {f"labels by {source}": count for source, count in self.votes.votes.items()}
        return {**self.links.facts(), **labels}


def import_tables(
    session: Session,
    files: Sequence[Path],
    *,
    sheet: str | None = None,
    chosen: Mapping[str, str] | None = None,
    skip_bad: bool = False,
) -> Imported:
    """Import tables of records; labels of panels that are linked to them follow in the same transaction.

    Where any row of any file is bad, nothing is written unless ``skip_bad``.

    Raises:
        InputError: if a file is no table.
    """
    with session.catalogue.transaction():
        records = import_records(session.catalogue, files, sheet=sheet, chosen=chosen, skip_bad=skip_bad)
        return Imported(records, write_votes(session) if records.done else VoteReport({}, {}, changed=False))


def join(session: Session, advance: Callable[[int], None] = lambda _: None) -> Joined:
    """Bring all automatic links, and the labels that follow from links, up to date in one transaction.

    Args:
        advance: called with 1 for each paper that is done.
    """
    with session.catalogue.transaction():
        links = join_records(session.catalogue, advance)
        return Joined(links, write_votes(session))


def link_by_hand(session: Session, record: str, target: str | None) -> ManualLink:
    """Link a record to a panel or figure by hand, and let labels follow, in one transaction.

    It wins over every join until it is taken back, and finds its target again when the PDF is read anew. A record
    may be linked to several panels, and a panel to several records.

    Args:
        record: its id, the beginning of it, or its own key.
        target: id of a panel or figure, or the beginning of it; None: the record belongs to none.

    Raises:
        InputError: if either is not there or not the only one.
    """
    with session.catalogue.transaction():
        kind, identifier = ("nothing", "") if target is None else target_named(session.catalogue, target)
        made = ManualLink(record_named(session.catalogue, record), kind, identifier)
        add_manual_link(session.catalogue, made)
        write_votes(session)
    return made


def unlink(session: Session, record: str, target: str | None = None) -> list[ManualLink]:
    """Take links by hand back, and the labels that followed; the next join decides about the record again.

    Args:
        record: as in ``link_by_hand``.
        target: the panel or figure whose link goes; None: all links by hand of the record.

    Raises:
        InputError: if there is no such record or link.
    """
    with session.catalogue.transaction():
        record_id = record_named(session.catalogue, record)
        gone = remove_manual_links(session.catalogue, record_id, target)
        if not gone:
            raise InputError(
                f"{record!r} has no link by hand" + (f" to {target!r}." if target else "."),
                "See them with: polydata list manual-links",
            )
        write_votes(session)
    return gone
