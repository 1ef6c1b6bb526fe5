"""Joins records to panels and writes the labels that follow, as one step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from polydata.catalogue.connect import Catalogue
from polydata.labels.votes import VoteReport, write_votes
from polydata.records.join import JoinReport, join_records
from polydata.task import Task


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


def join(catalogue: Catalogue, task: Task, advance: Callable[[int], None] = lambda _: None) -> Joined:
    """Bring all automatic links, and the labels that follow from links, up to date in one transaction.

    Args:
        advance: called with 1 for each paper that is done.
    """
    with catalogue.transaction():
        links = join_records(catalogue, advance)
        return Joined(links, write_votes(catalogue, task))
