"""Rows that are to stand in tables, gathered in temporary ones: the database tells what changes, not Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polydata.catalogue.connect import UPSERT_BATCH, Catalogue


@dataclass(frozen=True)
class Target:
    """The rows of a table that others take the place of.

    Attributes:
        key: columns that tell the table's rows apart.
        old: a query of the rows as they stand, all columns that new ones have, the key among them.
        parameters: of that query.
    """

    key: Sequence[str]
    old: str
    parameters: Sequence[Any] = ()


class Staging:
    """New rows of some tables. Use it inside one transaction: nothing is touched before ``settle``.

    Args:
        targets: by the name of a table of the schema.
    """

    def __init__(self, catalogue: Catalogue, targets: Mapping[str, Target]) -> None:
        self._catalogue, self._targets = catalogue, targets
        self._waiting: dict[str, list[Mapping[str, Any]]] = {table: [] for table in targets}
        for table, target in targets.items():
            like = f"CREATE OR REPLACE TEMP TABLE staged_{table} AS FROM ({target.old}) LIMIT 0"
            catalogue.run(like, target.parameters)

    def put(self, table: str, row: Mapping[str, Any]) -> None:
        """One row for a table, each key once."""
        self._waiting[table].append(row)
        if len(self._waiting[table]) >= UPSERT_BATCH:
            self._write(table)

    def _write(self, table: str) -> None:
        self._catalogue.upsert(table, self._waiting[table], staged=f"staged_{table}")
        self._waiting[table] = []
        self._catalogue.let_go()

    def settle(self) -> bool:
        """Put the rows into their tables, touching only those that differ. Returns whether anything changed."""
        changed = 0
        for table, target in self._targets.items():
            self._write(table)
            key, staged = ", ".join(target.key), f"staged_{table}"
            gone = f"SELECT ({key}) FROM ({target.old}) ANTI JOIN {staged} USING ({key})"  # noqa: S608 - names and queries of this room
            news = f"FROM {staged} EXCEPT FROM ({target.old}) ORDER BY {key}"
            for statement in (
                f"DELETE FROM {table} WHERE ({key}) IN ({gone})",  # noqa: S608
                f"INSERT OR REPLACE INTO {table} BY NAME {news}",
            ):
                changed += self._catalogue.value(statement, target.parameters)
            self._catalogue.run(f"DROP TABLE {staged}")
        return changed > 0
