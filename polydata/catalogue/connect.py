"""Opens the catalogue and brings its schema up to date."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import duckdb

from polydata.errors import CatalogueError, first_line
from polydata.ids import sha256_bytes
from polydata.resources import schemas

if TYPE_CHECKING:
    import pyarrow as pa

CONTENT_TABLES = (
    "papers", "paper_resolutions", "failures", "figures", "images", "panels", "leftovers", "scale_bars",
    "scale_readings", "screenings", "screening_thresholds", "screening_corrections", "records", "record_components",
    "record_properties", "links", "figure_links", "paper_links", "link_candidates", "manual_links", "annotations",
    "label_sources", "label_words", "label_votes", "edits", "paper_licences", "resolution", "label_decisions",
)  # fmt: skip
"""Tables that make up the data; the fingerprint is taken over these."""
UPSERT_BATCH = 100
WHERE_IT_LAY = {"papers": ("path",), "failures": ("path", "detail"), "records": ("source",)}
"""Columns that name places on this machine and so have no part in the fingerprint."""


def migrations() -> list[tuple[int, str, str]]:
    """Number, file name and text of each migration, in order."""
    files = sorted((schemas() / "sql").glob("[0-9][0-9][0-9]_*.sql"))
    return [(int(f.name[:3]), f.name, f.read_text(encoding="utf-8")) for f in files]


def _holder(message: str) -> str:
    """Who holds the file, from DuckDB's message: a process id, and its command line where it can be read."""
    match = re.search(r"PID (\d+)", message)
    if not match:
        return "another process"
    try:
        words = Path(f"/proc/{match[1]}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return f"process {match[1]}"
    command = " ".join(Path(w).name if i < 2 else w for i, w in enumerate(words) if w)
    return f"process {match[1]} ({command[:80]})"


class Catalogue:
    """An open catalogue. Use it as a context manager.

    One process may write; others may read only while none writes. All changes of one step belong into
    one ``transaction()``: a process that is killed leaves the catalogue as it was before the step.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.at_end: Callable[[Catalogue], object] | None = None
        """Called when a ``with`` block ends without an error, before the file is let go."""

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Self:
        """Open a catalogue, make it where it is missing, and apply the migrations it lacks.

        Raises:
            CatalogueError: if another process holds it, if it is newer than this program, or damaged.
        """
        read_only = read_only and path.exists()
        connection = cls._connect(path, read_only=read_only)
        catalogue = cls(connection)
        try:
            missing = catalogue._missing_migrations(path)
            if missing and read_only:
                catalogue.close()
                catalogue = cls(cls._connect(path, read_only=False))
            if missing:
                catalogue._migrate(missing)
        except BaseException:
            catalogue.close()
            raise
        return catalogue

    @staticmethod
    def _connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        try:
            return duckdb.connect(str(path), read_only=read_only)
        except duckdb.IOException as error:
            if "lock" in str(error).lower():
                raise CatalogueError(
                    f"The catalogue {path} is in use by {_holder(str(error))}.",
                    "Wait until it has ended, or stop it, then run this command again. Nothing was changed.",
                ) from None
            raise CatalogueError(f"The catalogue {path} cannot be opened: {first_line(error)}") from error
        except duckdb.Error as error:
            raise CatalogueError(
                f"{path} is not a catalogue that can be read: {first_line(error)}",
                "Restore it from a copy, or move it away and extract again: the images in store/ are kept.",
            ) from error

    def _missing_migrations(self, path: Path) -> list[tuple[int, str, str]]:
        """Migrations that the catalogue lacks; raises where it has others than this program."""
        found = self._connection.execute(
            "SELECT 1 FROM duckdb_tables() WHERE table_name = 'applied_migrations'"
        ).fetchone()
        applied = dict(self.tuples("SELECT number, sha256 FROM applied_migrations")) if found else {}
        known = migrations()
        newest = max(applied, default=0)
        if newest > known[-1][0]:
            raise CatalogueError(
                f"The catalogue {path} has schema {newest}; this polydata knows schemas up to {known[-1][0]}.",
                "Update polydata, or use the one that last wrote to this catalogue.",
            )
        if any(applied[number] != sha256_bytes(text.encode()) for number, _, text in known if number in applied):
            raise CatalogueError(
                f"The catalogue {path} was made by a development version of polydata whose schema was another.",
                "Move it away and run the commands again: the images in store/ are kept.",
            )
        return [m for m in known if m[0] not in applied]

    def _migrate(self, missing: Sequence[tuple[int, str, str]]) -> None:
        with self.transaction():
            self.run(
                "CREATE TABLE IF NOT EXISTS applied_migrations "
                "(number INTEGER PRIMARY KEY, file TEXT NOT NULL, sha256 TEXT NOT NULL)"
            )
            for number, name, text in missing:
                self.run(text)
                self.run("INSERT INTO applied_migrations VALUES (?, ?, ?)", [number, name, sha256_bytes(text.encode())])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self.at_end is not None:
                self.at_end(self)
        finally:
            self.close()

    def close(self) -> None:
        """Write everything out and let go of the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def beside(self, path: Path, name: str) -> Iterator[None]:
        """Another catalogue under a name of its own, to be read only.

        Raises:
            CatalogueError: if it is not there, cannot be read, is held by another process or has another schema.
        """
        if not path.is_file():
            raise CatalogueError(f"There is no catalogue {path}.", "Make one with: polydata status --workspace DIR")
        there = type(self)(self._connect(path, read_only=True))  # says what is wrong with it
        try:
            missing = there._missing_migrations(path)
        finally:
            there.close()
        if missing:
            raise CatalogueError(
                f"The catalogue {path} has an older schema than this polydata.",
                f"Bring it up to date by looking at it: polydata status --workspace {path.parent}",
            )
        place = str(path).replace("'", "''")
        self._connection.execute(f"ATTACH '{place}' AS {name} (READ_ONLY)")
        try:
            yield
        finally:
            self._connection.execute(f"DETACH {name}")

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Execute a statement whose answer is not needed."""
        self._connection.execute(sql, list(parameters))

    def tuples(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query as tuples."""
        return self._connection.execute(sql, list(parameters)).fetchall()

    def column(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """The first column of all rows."""
        return [row[0] for row in self.tuples(sql, parameters)]

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """All rows of a query as dictionaries."""
        result = self._connection.execute(sql, list(parameters))
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> dict[str, Any] | None:
        """The first row of a query as a dictionary, None where there is no row."""
        return next(iter(self.rows(sql, parameters)), None)

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first column of the first row, None where there is no row."""
        row = self._connection.execute(sql, list(parameters)).fetchone()
        return row[0] if row else None

    def arrow(self, sql: str) -> pa.Table:
        """All rows of a query as an Arrow table, whose columns have the same types also where there is no row."""
        return self._connection.sql(sql).to_arrow_table()

    def upsert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows, each a mapping of the same columns; a row with the same primary key is replaced.

        Args:
            table: name of a table of the schema (never anything a user typed).
        """
        if not rows:
            return
        columns = list(rows[0])
        names = ", ".join(f'"{c}"' for c in columns)
        one = f"({', '.join('?' for _ in columns)})"
        # Many rows a statement: one by one DuckDB takes ten times as long. Of rows with the same key in one
        # statement it keeps the first, so each batch is turned round for the last one to win.
        for start in range(0, len(rows), UPSERT_BATCH):
            batch = rows[start : start + UPSERT_BATCH][::-1]
            self._connection.execute(
                f'INSERT OR REPLACE INTO "{table}" ({names}) VALUES {", ".join([one] * len(batch))}',  # noqa: S608
                [row[c] for row in batch for c in columns],
            )

    def replace(
        self, table: str, key: Sequence[str], old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]]
    ) -> bool:
        """Put rows in the place of others of the same columns, touching only those that differ.

        Args:
            table: name of a table of the schema.
            key: columns that tell its rows apart.

        Returns:
            Whether anything changed.
        """
        before, after = ({tuple(row[k] for k in key): dict(row) for row in rows} for rows in (old, new))
        gone = sorted(before.keys() - after.keys())
        where = " AND ".join(f"{column} = ?" for column in key)
        for values in gone:
            self.run(f'DELETE FROM "{table}" WHERE {where}', values)  # noqa: S608
        changed = [row for values, row in sorted(after.items()) if before.get(values) != row]
        self.upsert(table, changed)
        return bool(gone or changed)

    def fingerprint(self) -> str:
        """SHA-256 over the content of all data tables: equal contents give equal digests on any machine.

        The order of rows and the places of files on this machine have no part in it.
        """
        digest = hashlib.sha256()
        for table in CONTENT_TABLES:
            leave_out = WHERE_IT_LAY.get(table, ())
            columns = [
                c for (c,) in self.tuples(
                    "SELECT column_name FROM duckdb_columns() WHERE table_name = ? ORDER BY column_name", [table]
                ) if c not in leave_out
            ]  # fmt: skip
            row = ", ".join(f'"{c}"' for c in columns)
            total = self.value(
                f"SELECT sha256(coalesce(string_agg(h, '' ORDER BY h), '')) "  # noqa: S608
                f'FROM (SELECT sha256(to_json(row({row}))::TEXT) AS h FROM "{table}")'
            )
            digest.update(f"{table}={total}\n".encode())
        return digest.hexdigest()
