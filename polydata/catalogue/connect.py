"""Opens the catalogue and brings its schema up to date."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import duckdb

from polydata.catalogue.held import held_error, patiently
from polydata.errors import CatalogueError, first_line
from polydata.files.atomic import PART
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
UPSERT_BATCH = 2000
KEPT_MB = 32
BACKUPS = "backups"
"""Folder beside the catalogue for copies of it."""
KEPT_COPIES = 3
"""Copies from before a change of the schema: the newest that are kept."""
LATER_TABLES = (
    "image_successors", "label_renames", "task_answers", "quality_strata", "quality_sample", "distinct_images",
)  # fmt: skip
"""Tables that came later: they have a part in the fingerprint where there is something in them."""
WHERE_IT_LAY = {
    "papers": ("path",), "failures": ("path", "detail"), "records": ("source", "source_row"), "annotations": ("mark",),
    "task_answers": ("mark", "made_as"), "label_decisions": ("origin",), "label_renames": ("renamed_at", "renamed_by"),
}  # fmt: skip
"""Columns that name places and times and so have no part in the fingerprint."""


def migrations() -> list[tuple[int, str, str]]:
    """Number, file name and text of each migration, in order."""
    files = sorted((schemas() / "sql").glob("[0-9][0-9][0-9]_*.sql"))
    return [(int(f.name[:3]), f.name, f.read_text(encoding="utf-8")) for f in files]


def backups_of(path: Path) -> list[Path]:
    """Copies of a catalogue in the folder of its backups, the newest first."""
    found = [f for f in (path.parent / BACKUPS).glob("*") if f.suffix in (".duckdb", ".zip") and f.name[0] != "."]
    return sorted(found, key=lambda f: (f.stat().st_mtime_ns, f.name), reverse=True)


def time_stamp() -> str:
    """The time of now for the name of a backup: 20260131-235959-123456, UTC."""
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")


DAMAGE = (duckdb.IOException, duckdb.InternalException, duckdb.FatalException, duckdb.SerializationException)
FULL = re.compile("No space left|Could not (write|truncate)")


@contextmanager
def _readable(path: Path, kinds: tuple[type[duckdb.Error], ...] = DAMAGE) -> Iterator[None]:
    """What the database says of damage, by these kinds of errors, or of a full disk, by any, as errors of ours."""
    try:
        yield
    except duckdb.Error as error:
        if FULL.search(str(error)):
            raise CatalogueError(
                f"The catalogue {path} cannot be written: {first_line(error)}",
                "Make room, then run this command again: what it was doing has not been written.",
            ) from error
        if not isinstance(error, kinds):
            raise
        newest = next(iter(backups_of(path)), None)
        raise CatalogueError(
            f"{path} is not a catalogue that can be read: {first_line(error)}",
            f"Restore the newest backup: polydata restore {newest}"
            if newest
            else "There is no backup of it. Restore it from a copy of your own, or move it away and extract again: the "
            "images in store/ are kept, what people said is not.",
        ) from error


def _as_text(value: Any) -> Any:
    """A parameter in which no text is broken: bytes that are no UTF-8, as names of files may hold, are written out."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return [_as_text(one) for one in value] if isinstance(value, list) else value


class Catalogue:
    """An open catalogue. Use it as a context manager.

    One process may write; others may read only while none writes. All changes of one step belong into
    one ``transaction()``: a process that is killed leaves the catalogue as it was before the step.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._within = False
        self._known_kinds: dict[str, dict[str, str]] = {}
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
        catalogue = cls(connection, path)
        try:
            missing = catalogue._missing_migrations(path)
            if missing and read_only:
                catalogue.close()
                catalogue = cls(cls._connect(path, read_only=False), path)
            if missing:
                catalogue._keep_copy(missing[0][0])
                catalogue._migrate(missing)
        except BaseException:
            catalogue.close()
            raise
        return catalogue

    @staticmethod
    def _connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        """A connection; while another process holds the file, it is waited for."""
        return patiently(lambda: Catalogue._connect_once(path, read_only=read_only))

    @staticmethod
    def _connect_once(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        try:
            with _readable(path, (duckdb.Error,)):
                return duckdb.connect(str(path), read_only=read_only)
        except CatalogueError as error:
            cause = error.__cause__ or error
            if re.search(r"\block on file", str(cause)):
                raise held_error(path, str(cause)) from None
            if not os.access(path if path.exists() else path.parent, os.R_OK | (0 if read_only else os.W_OK)):
                raise CatalogueError(
                    f"The catalogue {path} cannot be opened: {first_line(cause)}",
                    f"Let it be {'read' if read_only else 'written'} (permissions, mount), or work on a copy of the "
                    "workspace.",
                ) from error
            raise

    def _missing_migrations(self, path: Path) -> list[tuple[int, str, str]]:
        """Migrations that the catalogue lacks; raises where it has others than this program."""
        found = self.value("SELECT 1 FROM duckdb_tables() WHERE table_name = 'applied_migrations'")
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

    def _keep_copy(self, number: int) -> None:
        """Copy the catalogue before its schema changes, and let go of older such copies."""
        if not self.value("SELECT count(*) FROM duckdb_tables()"):
            return
        self.copy_to(self._path.parent / BACKUPS / f"before-schema-{number:03}-{time_stamp()}.duckdb")
        for old in [f for f in backups_of(self._path) if f.name.startswith("before-schema-")][KEPT_COPIES:]:
            old.unlink(missing_ok=True)

    def copy_to(self, target: Path) -> None:
        """Write all that the catalogue holds to a new file, which is there once it is whole; folders are made.

        Raises:
            CatalogueError: if it cannot be written.
        """
        part = target.with_name(f".{target.name}{PART}")
        own = self.value("SELECT current_database()")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            place = str(part).replace("'", "''")
            self._connection.execute(f"ATTACH '{place}' AS the_copy")
            try:
                self._connection.execute(f'COPY FROM DATABASE "{own}" TO the_copy')
            finally:
                self._connection.execute("DETACH the_copy")
            part.replace(target)
        except (OSError, duckdb.Error) as error:
            part.unlink(missing_ok=True)
            raise CatalogueError(
                f"The catalogue cannot be copied to {target}: {first_line(error)}", "Make room, or mend the folder."
            ) from error

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
        """All or nothing; one within another is part of it, and an error that leaves it must leave the other too."""
        if self._within:
            yield
            return
        self.run("BEGIN")
        self._within = True
        try:
            yield
        except BaseException:
            with suppress(CatalogueError, duckdb.Error):  # it is undone as well where nothing can be said any more
                self.run("ROLLBACK")
            raise
        finally:
            self._within = False
        self.run("COMMIT")

    @contextmanager
    def beside(self, path: Path, name: str) -> Iterator[None]:
        """Another catalogue under a name of its own, to be read only.

        Raises:
            CatalogueError: if it is not there, cannot be read, is held by another process or has another schema.
        """
        if not path.is_file():
            raise CatalogueError(f"There is no catalogue {path}.", "Make one with: polydata status --workspace DIR")
        there = type(self)(self._connect(path, read_only=True), path)  # says what is wrong with it
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
        self.run(f"ATTACH '{place}' AS {name} (READ_ONLY)")
        try:
            yield
        finally:
            self.run(f"DETACH {name}")

    def _execute(self, sql: str, parameters: Sequence[Any]) -> duckdb.DuckDBPyConnection:
        try:
            return self._connection.execute(sql, list(parameters))
        except duckdb.InvalidInputException as error:
            if "surrogate" not in str(error):
                raise
            return self._connection.execute(sql, [_as_text(value) for value in parameters])

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Execute a statement whose answer is not needed."""
        with _readable(self._path):
            self._execute(sql, parameters)

    def tuples(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query as tuples."""
        with _readable(self._path):
            return self._execute(sql, parameters).fetchall()

    @contextmanager
    def one_thread(self) -> Iterator[None]:
        """What is asked within takes less memory, and more time where there are many cores."""
        self.run("SET threads = 1")
        try:
            yield
        finally:
            with suppress(duckdb.Error):  # after an error within a transaction nothing can be said
                self.run("RESET threads")

    def let_go(self) -> None:
        """Give memory back: what queries left over, and read pages of the file beyond some, which are read again."""
        with self._connection.cursor() as beside:  # what cannot be given back is an error there, not in the transaction
            for statement in (f"SET memory_limit = '{KEPT_MB} MB'", "RESET memory_limit"):
                with suppress(duckdb.Error):
                    beside.execute(statement)

    def column(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """The first column of all rows."""
        return [row[0] for row in self.tuples(sql, parameters)]

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """All rows of a query as dictionaries."""
        found = self.tuples(sql, parameters)
        names = [column[0] for column in self._connection.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found]

    def each(self, sql: str, parameters: Sequence[Any] = (), size: int = 2000) -> Iterator[dict[str, Any]]:
        """The rows of a query as dictionaries, some thousand in memory at a time.

        They are read beside the transaction that is open, in which nothing else may be asked until the last one came.
        """
        with _readable(self._path):
            self._execute(sql, parameters)
            names = [column[0] for column in self._connection.description or ()]
            while found := self._connection.fetchmany(size):
                self.let_go()
                for row in found:
                    yield dict(zip(names, row, strict=True))

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> dict[str, Any] | None:
        """The first row of a query as a dictionary, None where there is no row."""
        return next(iter(self.rows(sql, parameters)), None)

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first column of the first row, None where there is no row."""
        with _readable(self._path):
            row = self._execute(sql, parameters).fetchone()
        return row[0] if row else None

    def arrow(self, sql: str) -> pa.Table:
        """All rows of a query as an Arrow table, whose columns have the same types also where there is no row."""
        with _readable(self._path):
            return self._connection.sql(sql).to_arrow_table()

    def upsert(self, table: str, rows: Sequence[Mapping[str, Any]], staged: str | None = None) -> None:
        """Insert rows, each a mapping of the same columns; a row with the same primary key is replaced.

        Args:
            table: name of a table of the schema (never anything a user typed).
            staged: name of a temporary table like it that takes the rows instead, whatever their keys.
        """
        if not rows:
            return
        columns = list(rows[0])
        names = ", ".join(f'"{c}"' for c in columns)
        kinds = self._kinds(table)
        # A list a column: with a parameter a cell planning takes five times as long. Of rows with the same key in one
        # statement DuckDB keeps the first, so each batch is turned round for the last one to win.
        values = ", ".join(f"unnest(?::{kinds[column]}[])" for column in columns)
        into = f'INSERT INTO "{staged}"' if staged else f'INSERT OR REPLACE INTO "{table}"'
        for start in range(0, len(rows), UPSERT_BATCH):
            batch = rows[start : start + UPSERT_BATCH][::-1]
            self.run(f"{into} ({names}) SELECT {values}", [[row[c] for row in batch] for c in columns])

    def _kinds(self, table: str) -> dict[str, str]:
        """The type of each column of a table of the schema, in their order."""
        if table not in self._known_kinds:
            self._known_kinds[table] = dict(
                self.tuples(
                    """SELECT column_name, data_type FROM duckdb_columns()
                       WHERE table_name = ? AND database_name = current_database() ORDER BY column_index""",
                    [table],
                )
            )
        return self._known_kinds[table]

    def fingerprint(self) -> str:
        """SHA-256 over the content of all data tables: equal contents give equal digests on any machine.

        The order of rows and the places of files on this machine have no part in it.
        """
        digest = hashlib.sha256()
        later = [table for table in LATER_TABLES if self.value(f"SELECT count(*) FROM {table}")]  # noqa: S608
        for table in (*CONTENT_TABLES, *later):
            named = "SELECT column_name FROM duckdb_columns() WHERE table_name = ? ORDER BY column_name"
            row = ", ".join(f'"{c}"' for c in self.column(named, [table]) if c not in WHERE_IT_LAY.get(table, ()))
            total = self.value(
                f"SELECT sha256(coalesce(string_agg(h, '' ORDER BY h), '')) "  # noqa: S608
                f'FROM (SELECT sha256(to_json(row({row}))::TEXT) AS h FROM "{table}")'
            )
            digest.update(f"{table}={total}\n".encode())
        return digest.hexdigest()
