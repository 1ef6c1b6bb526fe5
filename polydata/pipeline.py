"""Extraction and screening over a whole workspace: what is to be done, the work itself, what came of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.papers import extraction_counts, move_paper, read_by, save_failure, save_paper
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
        failures: files that could not be read.
    """

    counts: dict[str, int]
    done: int
    skipped: int
    duplicates: tuple[Path, ...]
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
    known = set() if again else read_by(catalogue, EXTRACTOR)
    todo: dict[str, Path] = {}
    failures: list[Failure] = []
    duplicates: list[Path] = []
    named: set[str] = set()
    for path in paths:
        try:
            digest = sha256_file(path)
        except OSError as error:
            failures.append(Failure(None, str(path), "unreadable", f"The file cannot be read: {error.strerror}."))
            continue
        if digest in named:
            duplicates.append(path)
        elif digest in known:
            move_paper(catalogue, digest, path)
        else:
            todo[digest] = path
        named.add(digest)
    advance(len(paths) - len(todo))
    for failure in failures:
        save_failure(catalogue, failure)

    limits = Limits(max_bytes=settings.max_megabytes * 1_000_000, max_pages=settings.max_pages)
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
    for result in results:
        if isinstance(result, Failure):
            failures.append(result)
            save_failure(catalogue, result)
        else:
            save_paper(catalogue, result, todo[result.sha256], EXTRACTOR)
            done += 1
        advance(1)
    return ExtractionResult(
        counts=extraction_counts(catalogue, sorted(named)),
        done=done,
        skipped=len(named) - len(todo),
        duplicates=tuple(duplicates),
        failures=tuple(sorted(failures, key=lambda f: f.path)),
    )


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
