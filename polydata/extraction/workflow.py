"""Extraction over a whole workspace: what is to be done, the work itself, what came of it."""

from __future__ import annotations

import math
import os
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from polydata.catalogue.by_hand import edits_of
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.metadata import tie_supplements
from polydata.catalogue.papers import (
    Corrections,
    Reading,
    extraction_counts,
    failures,
    forget_failure,
    move_papers,
    note_begun,
    note_ended,
    older_versions,
    read_by,
    read_in_part,
    save_failure,
    save_papers,
    saved_again,
)
from polydata.catalogue.session import Session
from polydata.edits import Edit
from polydata.errors import InputError, UsageError
from polydata.extraction.amend import Amended, amend_paper
from polydata.extraction.document.open import ExtractionFailure, file_digest
from polydata.extraction.paper import extract_paper
from polydata.extraction.pool import Readers
from polydata.files.find import find_pdfs, path_from_text
from polydata.images.picture import ImageStore
from polydata.resources import install_hint
from polydata.types import Failure, Paper, Progress, quiet
from polydata.workspace import ExtractSettings

EXTRACTOR = "2"
"""Version of the extraction method. A new one makes every PDF be read again."""

TOGETHER = 32
"""Papers that are written in one transaction at most,"""
HELD_S = 1.0
"""and seconds after the last one within which they are held for that: so much reading is lost to whoever kills it."""

UNREAD = "page-not-read"
"""What a paper is read again for that was read in part: for its scanned pages there was no time."""

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
        unread: scanned pages for which there was no time, by their paper.
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
    unread: tuple[str, ...]
    gone: tuple[Path, ...]
    stale: tuple[str, ...]


def editor(session: Session) -> Readers:
    """Who makes corrections: one worker, which starts with the first of them."""
    return Readers(session.images, session.workspace.settings.extract, workers=1)


def _save(
    catalogue: Catalogue, by: Readers, results: Sequence[tuple[Path, Paper | Failure]], undone: str | None = None
) -> list[tuple[str, ...] | Failure]:
    """Write papers that were just read with all their corrections, in one transaction.

    A PDF that was saved again has those of the one that was read before.

    Args:
        by: ``editor``.
        results: the path of each PDF and what extraction gave; no two papers are one but for their bytes.
        undone: id of a correction that is taken back.

    Returns:
        For each what could not be corrected, with its reason; or what is wrong with the file where it, or its
        pictures, could not be read, and nothing of it was written.
    """
    papers = [paper for _, paper in results if isinstance(paper, Paper)]
    again = saved_again(catalogue, papers)
    hashes = [paper.sha256 for paper in papers] + [sha256 for _, sha256 in again.values()]
    edits: dict[str, list[Edit]] = defaultdict(list)
    for edit in edits_of(catalogue, *hashes):
        edits[edit.paper_sha256] += [edit] if edit.edit_id != undone else []
    outcomes: list[tuple[str, ...] | Failure] = []
    readings = []
    for path, paper in results:
        if isinstance(paper, Failure):
            outcomes.append(paper)
            continue
        older, sha256 = again.get(paper.sha256, (None, ""))
        its = edits[paper.sha256] or [replace(edit, paper_sha256=paper.sha256) for edit in edits[sha256]]
        made = by.do(amend_paper, path, paper, tuple(its)) if its else Amended(paper, (), (), {})
        if isinstance(made, Failure):
            outcomes.append(made)
            continue
        readings.append(Reading(made.paper, path, Corrections(made.edits, undone, made.moved, older)))
        outcomes.append(tuple(f"{paper.file_name}: {one.edit_id}: {one.stale}" for one in made.edits if one.stale))
    if readings:
        save_papers(catalogue, readings, EXTRACTOR)
    return outcomes


def _together(results: Iterable[tuple[Path, Paper | Failure]]) -> Iterator[list[tuple[Path, Paper | Failure]]]:
    """Results to be written in one transaction: what came within ``HELD_S`` of the last one, at most ``TOGETHER``.

    A paper that is another one but for its bytes comes with the next ones, as it inherits from that one.
    """
    batch: list[tuple[Path, Paper | Failure]] = []
    words = set[object]()
    written = -math.inf
    for path, result in results:
        its = (result.pages, result.meta.first_page_text) if isinstance(result, Paper) else path
        if batch and (its in words or len(batch) == TOGETHER):
            yield batch
            batch, words, written = [], set(), time.monotonic()
        batch.append((path, result))
        words.add(its)
        if time.monotonic() - written > HELD_S:
            yield batch
            batch, words, written = [], set(), time.monotonic()
    if batch:
        yield batch


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

    Papers are written in transactions, some together, after their images are stored, so a process that is killed
    leaves whole papers only, and running it again goes on with the others. Corrections by hand are made again.

    Args:
        session: open for writing.
        paths: PDF files, folders and glob patterns.
        workers: processes; None takes the setting, 0 one for each processor.
        again: read files anew that were read before.
        retry: read only files that failed or were read in part, of those named or wherever they lie: ``failed`` for
            all, ``UNREAD``, or one of ``REASONS``.
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
    settings = session.workspace.settings.extract
    known = set() if again or retry else read_by(session.catalogue, EXTRACTOR)
    todo, moved, duplicates, failed = _sorted_out(files, known, settings)
    older, stale, unread, named = list[str](), list[str](), list[str](), {*todo, *moved}
    for path in duplicates:
        forget_failure(session.catalogue, path)
    move_papers(session.catalogue, moved)
    left = len(todo)
    words = [str(Path(path).absolute()) for path in paths]
    words += ["--again"] * again + (["--retry", retry] if retry else [])
    note_begun(session.catalogue, words)
    progress("Extracting", len(files) - left, len(files))
    for failure in failed:
        save_failure(session.catalogue, failure)

    session.images.sweep()
    count = (settings.workers if workers is None else workers) or os.cpu_count() or 1
    results = _read(list(todo.values()), session.images, settings, count if cluster is None else cluster)
    done = 0
    with editor(session) as by:
        for batch in _together(results):
            holds = dict[Path, str]()
            for (path, result), outcome in zip(batch, _save(session.catalogue, by, batch), strict=True):
                if isinstance(outcome, Failure):
                    failed.append(outcome)
                    save_failure(session.catalogue, outcome)
                elif isinstance(result, Paper):
                    stale += outcome
                    unread += [f"{path}: page {one.page}" for one in result.leftovers if one.what == UNREAD]
                    holds[path] = result.sha256
            named.update(holds.values())  # not what was hashed above where a file was replaced meanwhile
            done += len(holds)
            older += [f"{paper}, read from {path}" for paper, path in older_versions(session.catalogue, holds)]
            left -= len(batch)
            progress("Extracting", len(files) - left, len(files))
    tie_supplements(session.catalogue)
    note_ended(session.catalogue, words)
    return ExtractionResult(
        counts=extraction_counts(session.catalogue, sorted(named)),
        files=len(files),
        done=done,
        skipped=len(named) - len(todo),
        duplicates=tuple(duplicates),
        older=tuple(older),
        failures=tuple(sorted(failed, key=lambda f: f.path)),
        unread=tuple(sorted(unread)),
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
    with editor(session) as by:
        (outcome,) = _save(session.catalogue, by, [(path, result)], undone)
    if isinstance(outcome, Failure):
        raise InputError(f"{outcome.detail}.", "The correction stays; put the PDF back and undo it again.")
    tie_supplements(session.catalogue)
    return outcome


def _failed(
    catalogue: Catalogue, reason: str, files: Sequence[Path], places: Sequence[Path]
) -> tuple[list[Path], list[Path]]:
    """Files that could not be read, or in part, by path: those that are still there, and those that are gone.

    Args:
        reason: ``failed`` for all of them, or the reason of those that are meant.
        files: that they must be among.
        places: folders that they may lie in instead; without any, wherever they lie.
    """
    if reason not in ("failed", UNREAD, *REASONS):
        say = f"Say failed, or one of {', '.join((*REASONS, UNREAD))}."
        raise UsageError(f"No file fails for the reason {reason!r}.", say)
    rows = failures(catalogue) + [row | {"reason": UNREAD} for row in read_in_part(catalogue, UNREAD)]
    paths = sorted({path_from_text(row["path"]) for row in rows if reason in ("failed", row["reason"])})
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
        return Readers(store, settings, workers=where).each((path, extract_paper, ()) for path in paths)
    try:
        from polydata.extraction.cluster import extract_on_cluster
    except ModuleNotFoundError as error:
        raise UsageError(
            f"--cluster needs Dask, but {error.name} is not installed.", f"Install it with: {install_hint('dask')}"
        ) from None
    return extract_on_cluster(paths, store, settings, cluster=where)


def _sorted_out(
    files: Sequence[Path], known: Collection[str], settings: ExtractSettings
) -> tuple[dict[str, Path], dict[str, Path], list[Path], list[Failure]]:
    """Files to be read and those known before, by their hashes; others of the same bytes; and those that cannot be."""
    todo, moved, duplicates, failed = dict[str, Path](), dict[str, Path](), list[Path](), list[Failure]()
    for path in files:
        digest = _digest(path, settings)
        if isinstance(digest, Failure):
            failed.append(digest)
        elif digest in todo or digest in moved:
            duplicates.append(path)
        else:
            (moved if digest in known else todo)[digest] = path
    return todo, moved, duplicates, failed


def _digest(path: Path, settings: ExtractSettings) -> str | Failure:
    """SHA-256 of a file, or why it is not read."""
    try:
        return file_digest(path, settings)
    except ExtractionFailure as error:
        return error.of(path)
