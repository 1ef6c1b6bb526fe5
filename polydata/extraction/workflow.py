"""Extraction over a whole workspace: what is to be done, the work itself, what came of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.edits import edits_of
from polydata.catalogue.metadata import tie_supplements
from polydata.catalogue.papers import (
    Corrections,
    extraction_counts,
    failures,
    forget_failure,
    move_paper,
    older_versions,
    read_by,
    save_failure,
    save_paper,
)
from polydata.catalogue.session import Session
from polydata.edits import Edit
from polydata.errors import InputError, UsageError
from polydata.extraction.amend import Amended
from polydata.extraction.document.open import Limits
from polydata.extraction.pool import Readers, extract_many
from polydata.files.find import find_pdfs
from polydata.ids import sha256_file
from polydata.images.picture import ImageStore
from polydata.resources import install_hint
from polydata.types import Failure, Paper, Progress, quiet
from polydata.workspace import ExtractSettings

EXTRACTOR = "2"
"""Version of the extraction method. A new one makes every PDF be read again."""

REASONS = ("broken", "encrypted", "too-large", "too-slow", "out-of-memory", "unreadable")
"""Why a file may fail, see ``types.Failure``."""


@dataclass(frozen=True)
class ExtractionResult:
    """What one ``polydata extract`` did.

    Attributes:
        counts: papers, pages, figures, panels and micrographs of all the files named, whenever they were read.
        files: how many files were meant.
        done: files read this time.
        skipped: files that had been read before by the same version of the method.
        duplicates: files whose bytes another named file has too.
        older: papers whose file holds other bytes by now; they and what hangs on them stay in the catalogue.
        failures: files that could not be read.
        gone: files that failed earlier, were to be read again, and are there no more.
        stale: corrections by hand that could not be made again, each with its reason.
    """

    counts: dict[str, int]
    files: int
    done: int
    skipped: int
    duplicates: tuple[Path, ...]
    older: tuple[str, ...]
    failures: tuple[Failure, ...]
    gone: tuple[Path, ...]
    stale: tuple[str, ...]


class EditApplier:
    """Makes corrections. Use it as a context manager; its worker starts with the first paper that has any.

    Args:
        session: open for writing.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._readers: Readers | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._readers is not None:
            self._readers.stop()

    def make(self, path: Path, paper: Paper, edits: Sequence[Edit]) -> Amended | Failure:
        """Make corrections on a paper.

        Args:
            path: of its PDF, which is opened only where pictures have to be cut anew.
            paper: as read, or with earlier corrections made.
            edits: in the order in which they were made.
        """
        if not edits:
            return Amended(paper, (), (), {})
        if self._readers is None:
            self._readers = Readers(self._session.images, self._session.workspace.settings.extract, workers=1)
        return self._readers.amend(path, paper, edits)

    def save(self, path: Path, paper: Paper, extractor: str, undone: str | None = None) -> tuple[str, ...] | Failure:
        """Write a paper that was just read with all its corrections, in one transaction.

        Args:
            path: of its PDF.
            paper: as extraction gave it.
            extractor: version of the method.
            undone: id of a correction that is taken back.

        Returns:
            What could not be corrected, each with its reason; or what is wrong with the file where its pictures
            could not be cut, and nothing was written.
        """
        edits = [edit for edit in edits_of(self._session.catalogue, paper.sha256) if edit.edit_id != undone]
        made = self.make(path, paper, edits)
        if isinstance(made, Failure):
            return made
        save_paper(self._session.catalogue, made.paper, path, extractor, Corrections(made.edits, undone, made.moved))
        return tuple(f"{paper.file_name}: {one.edit_id}: {one.stale}" for one in made.edits if one.stale)


def extract(
    session: Session,
    paths: Sequence[str | Path] = (),
    *,
    workers: int | None = None,
    again: bool = False,
    retry: str | None = None,
    cluster: str | None = None,
    progress: Progress = quiet,
) -> ExtractionResult:
    """Read PDFs into the catalogue; files that were read before are left alone.

    Each paper is written in one transaction after its images are stored, so a process that is killed
    leaves whole papers only, and running it again goes on with the others. Corrections by hand are made again.

    Args:
        session: open for writing.
        paths: PDF files, folders and glob patterns.
        workers: processes; None takes the setting, 0 one for each processor.
        again: read files anew that were read before.
        retry: read only files that failed, of those named or wherever they lie: ``failed`` for all, or one of
            ``REASONS``.
        cluster: address or file of a Dask scheduler whose workers read the files; None reads them here.
        progress: told how many files are dealt with.

    Raises:
        UsageError: if nothing is named, something is named that is not there, or there is no such reason.
        ServerError: if the cluster cannot be used.
    """
    if not paths and not retry:
        raise UsageError(
            "No file is named.", "Name PDFs or folders, or read failed ones again: polydata extract --retry failed"
        )
    files = find_pdfs([str(path) for path in paths])
    gone: list[Path] = []
    if retry:
        files, gone = _failed(session.catalogue, retry, files, [Path(path).resolve() for path in paths])
    settings, limits = session.workspace.settings.extract, Limits.of(session.workspace.settings.extract)
    known = set() if again or retry else read_by(session.catalogue, EXTRACTOR)
    todo: dict[str, Path] = {}
    failed: list[Failure] = []
    duplicates: list[Path] = []
    older: list[str] = []
    named: set[str] = set()
    for path in files:
        digest = _digest(path, limits)
        if isinstance(digest, Failure):
            failed.append(digest)
            continue
        if digest in named:
            duplicates.append(path)
            forget_failure(session.catalogue, path)
        elif digest in known:
            move_paper(session.catalogue, digest, path)
        else:
            todo[digest] = path
        named.add(digest)
    left = len(todo)
    progress("Extracting", len(files) - left, len(files))
    for failure in failed:
        save_failure(session.catalogue, failure)

    store = session.images
    store.sweep()
    count = (settings.workers if workers is None else workers) or os.cpu_count() or 1
    results = _read(list(todo.values()), store, settings, count if cluster is None else cluster)
    done = 0
    stale: list[str] = []
    with EditApplier(session) as applier:
        for path, result in results:
            outcome = result if isinstance(result, Failure) else applier.save(path, result, EXTRACTOR)
            if isinstance(outcome, Failure):
                failed.append(outcome)
                save_failure(session.catalogue, outcome)
            elif isinstance(result, Paper):
                stale += outcome
                older += [
                    f"{paper}, read from {path}" for paper in older_versions(session.catalogue, path, result.sha256)
                ]
                named.add(result.sha256)  # not what was hashed above where the file was replaced meanwhile
                done += 1
            left -= 1
            progress("Extracting", len(files) - left, len(files))
    tie_supplements(session.catalogue)
    return ExtractionResult(
        counts=extraction_counts(session.catalogue, sorted(named)),
        files=len(files),
        done=done,
        skipped=len(named) - len(todo),
        duplicates=tuple(duplicates),
        older=tuple(older),
        failures=tuple(sorted(failed, key=lambda f: f.path)),
        gone=tuple(gone),
        stale=tuple(sorted(stale)),
    )


def read_anew(session: Session, path: Path, sha256: str, undone: str) -> tuple[str, ...]:
    """Read one paper anew without one of its corrections.

    Args:
        path: of its PDF.
        sha256: that the PDF must have.
        undone: id of the correction that is taken back.

    Returns:
        Other corrections that could not be made again, each with its reason.

    Raises:
        InputError: if the PDF cannot be read or has other bytes. Nothing has changed then.
    """
    ((_, result),) = _read([path], session.images, session.workspace.settings.extract, 1)
    if isinstance(result, Paper) and result.sha256 != sha256:
        result = Failure(result.sha256, str(path), "unreadable", f"{path} holds other bytes than when it was read")
    with EditApplier(session) as applier:
        outcome = result if isinstance(result, Failure) else applier.save(path, result, EXTRACTOR, undone)
    if isinstance(outcome, Failure):
        raise InputError(f"{outcome.detail}.", "The correction stays; put the PDF back and undo it again.")
    tie_supplements(session.catalogue)
    return outcome


def _failed(
    catalogue: Catalogue, reason: str, files: Sequence[Path], places: Sequence[Path]
) -> tuple[list[Path], list[Path]]:
    """Files that could not be read, by path: those that are still there, and those that are gone.

    Args:
        reason: ``failed`` for all of them, or the reason of those that are meant.
        files: that they must be among.
        places: folders that they may lie in instead; without any, wherever they lie.
    """
    if reason not in ("failed", *REASONS):
        raise UsageError(f"No file fails for the reason {reason!r}.", f"Say failed, or one of {', '.join(REASONS)}.")
    paths = [Path(row["path"]) for row in failures(catalogue) if reason in ("failed", row["reason"])]
    if places:
        meant = set(files)
        paths = [path for path in paths if path in meant or any(path.is_relative_to(place) for place in places)]
    there = [path for path in paths if path.exists()]
    return there, sorted(set(paths) - set(there))


def _read(
    paths: Sequence[Path], store: ImageStore, settings: ExtractSettings, where: int | str
) -> Iterator[tuple[Path, Paper | Failure]]:
    """What each file gives, read by this many processes here or by the cluster of this name."""
    if isinstance(where, int):
        return extract_many(paths, store, settings, workers=where)
    try:
        from polydata.extraction.cluster import extract_on_cluster
    except ModuleNotFoundError as error:
        raise UsageError(
            f"--cluster needs Dask, but {error.name} is not installed.", f"Install it with: {install_hint('dask')}"
        ) from None
    return extract_on_cluster(paths, store, settings, cluster=where)


def _digest(path: Path, limits: Limits) -> str | Failure:
    """SHA-256 of a file, or why it is not read: pipes and devices never end, huge files are not even hashed."""
    try:
        str(path).encode()
    except UnicodeEncodeError:  # the file system knows names that are no text; a catalogue holds text
        shown = str(path).encode(errors="backslashreplace").decode()
        return Failure(None, shown, "unreadable", f"{shown} has a name that is not UTF-8: rename it")
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            return Failure(None, str(path), "unreadable", f"{path} is no regular file")
        if facts.st_size > limits.max_bytes:
            detail = f"{path} has {facts.st_size} bytes; the limit is {limits.max_bytes}"
            return Failure(None, str(path), "too-large", detail)
        return sha256_file(path)
    except OSError as error:
        return Failure(None, str(path), "unreadable", f"{path} cannot be read: {error.strerror}")
