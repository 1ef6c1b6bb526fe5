"""Brings records and their links up to date, each in one step with the labels that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from polydata.catalogue.connect import Catalogue
from polydata.labels.votes import VoteReport, write_votes
from polydata.records.importer import ImportReport, import_records
from polydata.records.join import JoinReport, join_records
from polydata.task import Task


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
    catalogue: Catalogue,
    task: Task,
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
    with catalogue.transaction():
        records = import_records(catalogue, files, sheet=sheet, chosen=chosen, skip_bad=skip_bad)
        return Imported(records, write_votes(catalogue, task) if records.done else VoteReport({}, {}, changed=False))


def join(catalogue: Catalogue, task: Task, advance: Callable[[int], None] = lambda _: None) -> Joined:
    """Bring all automatic links, and the labels that follow from links, up to date in one transaction.

    Args:
        advance: called with 1 for each paper that is done.
    """
    with catalogue.transaction():
        links = join_records(catalogue, advance)
        return Joined(links, write_votes(catalogue, task))
