"""Screening over a whole workspace: which images are candidate micrographs, by a rule and by the user's hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

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
from polydata.images.picture import ImageStore, open_picture
from polydata.images.several import in_processes
from polydata.screening.rules import THRESHOLD, Rule, get_rule
from polydata.types import Decision, Progress, Screening, quiet
from polydata.vision.scale_bar import VERSION as READER

BATCH = 50
"""Images that are screened between two writes; what a killed command loses at most."""

Image = tuple[str, str, str | None, bool | None, str | None]
"""SHA-256, true format, captions, whether extraction took it for a micrograph, own words; see ``unscreened_images``."""


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
    workers: int | None = None,
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
        workers: processes; None takes the setting, 0 one for each processor.
        progress: told how many images are done.

    Raises:
        UsageError: if there is no such rule, the threshold means nothing, or an image is both accepted and rejected.
        InputError: if an id names no image or several.
    """
    version, judge = get_rule(rule)
    before = final_decisions(session.catalogue)
    _choose(session.catalogue, rule, threshold, {"accepted": accept, "rejected": reject, None: undo})
    images = unscreened_images(session.catalogue, rule, version, again=again)
    count = session.workspace.settings.extract.workers if workers is None else workers
    results = zip(images, in_processes(partial(_judge, judge, session.images), images, count), strict=True)
    done, failures = 0, []
    while batch := list(islice(results, BATCH)):
        failures += [one for _, one in batch if isinstance(one, str)]
        judged = [(image[0], one) for image, one in batch if isinstance(one, Screening)]
        save_screenings(session.catalogue, rule, version, judged)
        read = [(sha256, one.scale_bar) for sha256, one in judged if one.decision == "accepted"]
        save_readings(session.catalogue, READER, read)
        done += len(batch)
        progress("Screening", done, len(images))
    after = final_decisions(session.catalogue)
    return ScreeningResult(
        screened=len(images) - len(failures),
        changed=sum(after.get(sha256, decision) != decision for sha256, decision in before.items()),
        threshold=threshold_of(session.catalogue, rule) or THRESHOLD,
        counts=count_decisions(session.catalogue),
        failures=tuple(failures),
    )


def _judge(judge: Rule, store: ImageStore, image: Image) -> Screening | str:
    """What the rule says of an image, or what is wrong with its file."""
    sha256, true_format, captions, among, own = image
    try:
        return judge(np.asarray(open_picture(store.path(sha256, true_format))), captions, among, own)
    except InputError as error:
        return error.message


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
