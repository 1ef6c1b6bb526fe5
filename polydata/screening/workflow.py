"""Screening over a whole workspace: which images are candidate micrographs, by a rule and by the user's hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.lookup import find_image
from polydata.catalogue.screenings import (
    count_decisions,
    final_decisions,
    save_choices,
    save_readings,
    save_screenings,
    threshold_of,
    unscreened_images,
)
from polydata.catalogue.session import Session
from polydata.errors import InputError, UsageError
from polydata.images.picture import open_picture
from polydata.screening.rules import THRESHOLD, get_rule
from polydata.types import Decision, Progress, quiet
from polydata.vision.scale_bar import VERSION as READER

SCREEN_BATCH = 200


@dataclass(frozen=True)
class ScreeningResult:
    """What one ``polydata screen`` did.

    Attributes:
        screened: images looked at this time.
        changed: images whose decision was another one before.
        threshold: the one in force.
        counts: images accepted, rejected, decided by hand and borderline.
        failures: images that could not be opened, each with its reason.
    """

    screened: int
    changed: int
    threshold: float
    counts: dict[str, int]
    failures: tuple[str, ...]


def screen(
    session: Session,
    rule: str = "micrograph",
    *,
    again: bool = False,
    threshold: float | None = None,
    accept: Sequence[str] = (),
    reject: Sequence[str] = (),
    undo: Sequence[str] = (),
    progress: Progress = quiet,
) -> ScreeningResult:
    """Write the user's choices, then apply a rule to every image that it has not seen.

    The scale bars of accepted images are kept, so that they are not read twice.

    Images are named by their SHA-256 or a panel's id.

    Args:
        rule: name of a rule in ``polydata.screening.rules``.
        again: look at all images anew. Decisions by hand and the threshold stay.
        threshold: the score from which images are accepted, above 0 and at most 1; None keeps the one in force.
        accept: images decided by hand from now on.
        reject: the same.
        undo: images whose decision by hand is taken back.
        progress: told how many images are done.

    Raises:
        UsageError: if there is no such rule, the threshold means nothing, or an image is both accepted and rejected.
        InputError: if an id names no image or several.
    """
    version, judge = get_rule(rule)
    before = final_decisions(session.catalogue)
    _choose(session.catalogue, rule, threshold, {"accepted": accept, "rejected": reject, None: undo})
    store = session.images
    images = unscreened_images(session.catalogue, rule, version, again=again)
    failures = []
    for start in range(0, len(images), SCREEN_BATCH):
        batch = []
        for sha256, true_format, captions, among, own in images[start : start + SCREEN_BATCH]:
            try:
                pixels = np.asarray(open_picture(store.path(sha256, true_format)))
                batch.append((sha256, judge(pixels, captions, among, own)))
            except InputError as error:
                failures.append(error.message)
        save_screenings(session.catalogue, rule, version, batch)
        read = [(sha256, one.scale_bar) for sha256, one in batch if one.decision == "accepted"]
        save_readings(session.catalogue, READER, read)
        progress("Screening", min(start + SCREEN_BATCH, len(images)), len(images))
    after = final_decisions(session.catalogue)
    return ScreeningResult(
        screened=len(images) - len(failures),
        changed=sum(after.get(sha256, decision) != decision for sha256, decision in before.items()),
        threshold=threshold_of(session.catalogue, rule) or THRESHOLD,
        counts=count_decisions(session.catalogue),
        failures=tuple(failures),
    )


def _choose(
    catalogue: Catalogue, rule: str, threshold: float | None, by_hand: Mapping[Decision | None, Sequence[str]]
) -> None:
    """Check the user's choices and write them, all or none."""
    if threshold is not None and not 0 < threshold <= 1:
        raise UsageError(
            f"The threshold must be above 0 and at most 1, not {threshold:g}.",
            "See the scores with: polydata list screenings",
        )
    wanted: dict[str, Decision | None] = {}
    for decision, names in by_hand.items():
        for name in names:
            sha256 = find_image(catalogue, name)
            if wanted.setdefault(sha256, decision) != decision:
                raise UsageError(f"The image {name!r} is named with two different decisions.", "Name it once.")
    save_choices(catalogue, rule, threshold=threshold, corrections=wanted.items())
