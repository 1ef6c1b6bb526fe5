"""Extraction over a whole workspace: what is to be done, the work itself, what came of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.metadata import tie_supplements
from polydata.catalogue.papers import (
    extraction_counts,
    failures,
    forget_failure,
    move_paper,
    older_versions,
    read_by,
    save_failure,
)
from polydata.catalogue.session import Session
from polydata.errors import InputError, UsageError
from polydata.extraction.corrector import Corrector, limits_of
from polydata.extraction.paper import Limits
from polydata.extraction.pool import extract_many
from polydata.files.find import find_pdfs
from polydata.ids import sha256_file
from polydata.images.picture import ImageStore
from polydata.resources import install_hint
from polydata.types import Failure, Paper
from polydata.workspace import ExtractSettings

Advance = Callable[[int], None]

EXTRACTOR = "2"
"""Version of the extraction method. A new one makes every PDF be read again."""

REASONS = ("broken", "encrypted", "too-large", "too-slow", "out-of-memory", "unreadable")
"""Why a file may fail, see ``types.Failure``."""


@dataclass(frozen=True)
class ExtractionResult:
    """What one ``polydata extract`` did.

    Attributes:
        counts: papers, pages, figures, panels and micrographs of all the files named, whenever they were read.
        done: files read this time.
        skipped: files that had been read before by the same version of the method.
        duplicates: files whose bytes another named file has too.
        older: papers whose file holds other bytes by now; they and what hangs on them stay in the catalogue.
        failures: files that could not be read.
        stale: corrections by hand that could not be made again, each with its reason.
    """

    counts: dict[str, int]
    done: int
    skipped: int
    duplicates: tuple[Path, ...]
    older: tuple[str, ...]
    failures: tuple[Failure, ...]
    stale: tuple[str, ...] = ()


def extract(
    session: Session,
    paths: Sequence[Path],
    *,
    workers: int | None = None,
    again: bool = False,
    cluster: str | None = None,
    advance: Advance = lambda _: None,
) -> ExtractionResult:
    """Read PDFs into the catalogue; files that were read before are left alone.

    Each paper is written in one transaction after its images are stored, so a process that is killed
    leaves whole papers only, and running it again goes on with the others. Corrections by hand are made again.

    Args:
        paths: PDF files.
        workers: processes; None takes the setting, 0 one for each processor.
        again: read files anew that were read before.
        cluster: address or file of a Dask scheduler whose workers read the files; None reads them here.
        advance: called with the number of files that are dealt with.
    """
    settings = session.workspace.settings.extract
    limits = limits_of(session.workspace)
    known = set() if again else read_by(session.catalogue, EXTRACTOR)
    todo: dict[str, Path] = {}
    failed: list[Failure] = []
    duplicates: list[Path] = []
    older: list[str] = []
    named: set[str] = set()
    for path in paths:
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
    advance(len(paths) - len(todo))
    for failure in failed:
        save_failure(session.catalogue, failure)

    store = session.images
    store.sweep()
    count = (settings.workers if workers is None else workers) or os.cpu_count() or 1
    results = _read(list(todo.values()), store, settings, limits, count if cluster is None else cluster)
    done = 0
    stale: list[str] = []
    with Corrector(session) as corrector:
        for path, result in results:
            outcome = result if isinstance(result, Failure) else corrector.save(path, result, EXTRACTOR)
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
            advance(1)
    tie_supplements(session.catalogue)
    return ExtractionResult(
        counts=extraction_counts(session.catalogue, sorted(named)),
        done=done,
        skipped=len(named) - len(todo),
        duplicates=tuple(duplicates),
        older=tuple(older),
        failures=tuple(sorted(failed, key=lambda f: f.path)),
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
    settings, store = session.workspace.settings.extract, session.images
    ((_, result),) = _read([path], store, settings, limits_of(session.workspace), 1)
    if isinstance(result, Paper) and result.sha256 != sha256:
        result = Failure(result.sha256, str(path), "unreadable", f"{path} holds other bytes than when it was read")
    with Corrector(session) as corrector:
        outcome = result if isinstance(result, Failure) else corrector.save(path, result, EXTRACTOR, undone)
    if isinstance(outcome, Failure):
        raise InputError(f"{outcome.detail}.", "The correction stays; put the PDF back and undo it again.")
    tie_supplements(session.catalogue)
    return outcome


def failed_paths(
    catalogue: Catalogue, reason: str = "failed", named: Sequence[str] = ()
) -> tuple[list[Path], list[Path]]:
    """Files that could not be read, by path: those that are still there, and those that are gone.

    Args:
        catalogue: open.
        reason: ``failed`` for all of them, or the reason of those that are meant.
        named: files, folders and glob patterns that they must be among; empty for wherever they lie.

    Raises:
        UsageError: if there is no such reason, or something is named that is not there.
    """
    if reason not in ("failed", *REASONS):
        raise UsageError(f"No file fails for the reason {reason!r}.", f"Say failed, or one of {', '.join(REASONS)}.")
    files, folders = set(find_pdfs(named)), [Path(name).resolve() for name in named]
    paths = [Path(row["path"]) for row in failures(catalogue) if reason in ("failed", row["reason"])]
    paths = [p for p in paths if not named or p in files or any(p.is_relative_to(folder) for folder in folders)]
    there = [path for path in paths if path.exists()]
    return there, [path for path in paths if path not in there]


def _read(
    paths: Sequence[Path], store: ImageStore, settings: ExtractSettings, limits: Limits, where: int | str
) -> Iterator[tuple[Path, Paper | Failure]]:
    """What each file gives, read by this many processes here or by the cluster of this name."""
    seconds, memory_mb = settings.seconds_per_file, settings.memory_mb
    if isinstance(where, int):
        return extract_many(paths, store, workers=where, limits=limits, seconds_per_file=seconds, memory_mb=memory_mb)
    try:
        from polydata.extraction.cluster import extract_on_cluster
    except ModuleNotFoundError as error:
        raise UsageError(
            f"--cluster needs Dask, but {error.name} is not installed.", f"Install it with: {install_hint('dask')}"
        ) from None
    return extract_on_cluster(paths, store, cluster=where, limits=limits, seconds_per_file=seconds, memory_mb=memory_mb)


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
