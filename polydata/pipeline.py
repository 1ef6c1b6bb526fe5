"""Extraction and screening over a whole workspace: what is to be done, the work itself, what came of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.papers import (
    extraction_counts,
    forget_failure,
    move_paper,
    older_versions,
    read_by,
    save_failure,
    save_paper,
)
from polydata.catalogue.screenings import save_screenings, unscreened_images
from polydata.errors import InputError
from polydata.extract.paper import Limits
from polydata.extract.pool import extract_many
from polydata.extract.screen import get_rule
from polydata.ids import sha256_file
from polydata.images import ImageStore, open_picture
from polydata.types import Failure
from polydata.workspace import Workspace

Advance = Callable[[int], None]
SCREEN_BATCH = 200

EXTRACTOR = "1"
"""Version of the extraction method. A new one makes every PDF be read again."""


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
    """

    counts: dict[str, int]
    done: int
    skipped: int
    duplicates: tuple[Path, ...]
    older: tuple[str, ...]
    failures: tuple[Failure, ...]


def extract(
    workspace: Workspace,
    catalogue: Catalogue,
    paths: Sequence[Path],
    *,
    workers: int | None = None,
    again: bool = False,
    advance: Advance = lambda _: None,
) -> ExtractionResult:
    """Read PDFs into the catalogue; files that were read before are left alone.

    Each paper is written in one transaction after its images are stored, so a process that is killed
    leaves whole papers only, and running it again goes on with the others.

    Args:
        paths: PDF files.
        workers: processes; None takes the setting, 0 one for each processor.
        again: read files anew that were read before.
        advance: called with the number of files that are dealt with.
    """
    settings = workspace.settings.extract
    limits = Limits(max_bytes=settings.max_megabytes * 1_000_000, max_pages=settings.max_pages)
    known = set() if again else read_by(catalogue, EXTRACTOR)
    todo: dict[str, Path] = {}
    failures: list[Failure] = []
    duplicates: list[Path] = []
    older: list[str] = []
    named: set[str] = set()
    for path in paths:
        digest = _digest(path, limits)
        if isinstance(digest, Failure):
            failures.append(digest)
            continue
        if digest in named:
            duplicates.append(path)
            forget_failure(catalogue, path)
        elif digest in known:
            move_paper(catalogue, digest, path)
        else:
            todo[digest] = path
        named.add(digest)
    advance(len(paths) - len(todo))
    for failure in failures:
        save_failure(catalogue, failure)

    count = settings.workers if workers is None else workers
    store = ImageStore(workspace.store)
    store.sweep()
    results = extract_many(
        list(todo.values()),
        store,
        workers=count or os.cpu_count() or 1,
        limits=limits,
        seconds_per_file=settings.seconds_per_file,
        memory_mb=settings.memory_mb,
    )
    done = 0
    for path, result in results:
        if isinstance(result, Failure):
            failures.append(result)
            save_failure(catalogue, result)
        else:
            save_paper(catalogue, result, path, EXTRACTOR)
            older += [f"{paper}, read from {path}" for paper in older_versions(catalogue, path, result.sha256)]
            named.add(result.sha256)  # not what was hashed above where the file was replaced meanwhile
            done += 1
        advance(1)
    return ExtractionResult(
        counts=extraction_counts(catalogue, sorted(named)),
        done=done,
        skipped=len(named) - len(todo),
        duplicates=tuple(duplicates),
        older=tuple(older),
        failures=tuple(sorted(failures, key=lambda f: f.path)),
    )


def _digest(path: Path, limits: Limits) -> str | Failure:
    """SHA-256 of a file, or why it is not read: pipes and devices never end, huge files are not even hashed."""
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


@dataclass(frozen=True)
class ScreeningResult:
    """What one ``polydata screen`` did.

    Attributes:
        screened: images looked at this time.
        failures: images that could not be opened, each with its reason.
    """

    screened: int
    failures: tuple[str, ...]


def screen(
    workspace: Workspace, catalogue: Catalogue, rule: str, *, again: bool = False, advance: Advance = lambda _: None
) -> ScreeningResult:
    """Apply the newest version of a screening rule to every image that it has not seen.

    Args:
        rule: name of a rule in ``polydata.extract.screen``.
        again: look at all images anew.

    Raises:
        UsageError: if there is no such rule.
    """
    version, judge = get_rule(rule)
    store = ImageStore(workspace.store)
    images = unscreened_images(catalogue, rule, version, again=again)
    failures = []
    for start in range(0, len(images), SCREEN_BATCH):
        batch = []
        for sha256, true_format in images[start : start + SCREEN_BATCH]:
            try:
                batch.append((sha256, judge(np.asarray(open_picture(store.path(sha256, true_format))))))
            except InputError as error:
                failures.append(error.message)
        save_screenings(catalogue, rule, version, batch)
        advance(min(SCREEN_BATCH, len(images) - start))
    return ScreeningResult(screened=len(images) - len(failures), failures=tuple(failures))
