"""Which answer of several reviewers an image counts: the method is chosen here and stands in the catalogue."""

from __future__ import annotations

import getpass
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from polydata.catalogue import resolution as stored
from polydata.catalogue.annotations import restore_deleted, save_rename
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.lookup import find_image
from polydata.catalogue.session import Session
from polydata.choices import MethodName
from polydata.errors import InputError, UsageError
from polydata.labels.consensus import Answer, dawid_skene

MAX_REASON = 2_000


@dataclass(frozen=True)
class Resolution:
    """What the method in force makes of the answers.

    Attributes:
        method: in force: ``majority``, ``dawid-skene``, ``adjudicator`` or ``gold``.
        annotator: the adjudicator, or whose answers are gold.
        changed: labels that became others by choosing it.
        choices: answer -> number of images.
        unresolved: images whose reviewers tie, each with its ``votes`` and what was ``said``.
    """

    method: str
    annotator: str | None
    changed: int
    choices: dict[str, int]
    unresolved: list[dict[str, Any]]


def resolution(session: Session, changed: int = 0) -> Resolution:
    """The method in force and what comes of it."""
    catalogue, method = session.catalogue, stored.current_method(session.catalogue)
    counts, unresolved = stored.choice_counts(catalogue), stored.unresolved_images(catalogue)
    return Resolution(method.name, method.annotator, changed, counts, unresolved)


def resolve(session: Session, name: MethodName, annotator: str | None = None) -> Resolution:
    """Choose how reviewers' answers are resolved from now on; labels that change are noted in their history.

    - ``majority``: the answer of most.
    - ``dawid-skene``: where answers differ, the model that learns who errs in which way from all answers.
    - ``adjudicator``: where the others differ, or one stands against one, the adjudicator's answer; else the majority.
    - ``gold``: the answer of a named annotator, or those marked as ground truth, wherever there is one.

    Ties stay unresolved by every method.

    Raises:
        UsageError: if a method that needs a name lacks it, or one that knows none has it.
        InputError: if nobody of that name has answered, or no answer is marked as ground truth.
    """
    catalogue, method = session.catalogue, stored.Method(name.value, annotator)
    _check(catalogue, method)
    return resolution(session, settle(catalogue, method))


def settle(catalogue: Catalogue, method: stored.Method | None = None) -> int:
    """Bring up to date what follows from answers, after they or the method changed; returns how many labels changed."""
    with catalogue.transaction():
        if method is not None:
            stored.save_method(catalogue, method)
        return follow(catalogue, *(("resolve", str(method)) if method else ()))


def follow(catalogue: Catalogue, what: str | None = None, reason: str | None = None, who: str | None = None) -> int:
    """The same within the caller's transaction; what brought it, why and who, as ``note_changes`` takes them."""
    _work_out(catalogue)
    return stored.note_changes(catalogue, what, who=who, reason=reason)


def rename(session: Session, old: str, new: str, by: str | None = None) -> int:
    """Let a word of answers and decisions be another of the task from now on; the labels' history says so.

    Args:
        old: a word that the task does not know any more.
        by: who decides; None takes the name of the user who runs this.

    Returns:
        How many answers and decisions had it.

    Raises:
        UsageError: if the task knows the old word or does not know the new one.
    """
    known = session.task.choices
    if old in known:
        raise UsageError(f"{old!r} is an answer of the task.", "Take it out of the task file first.")
    if new not in known:
        raise UsageError(f"{new!r} is no answer of the task.", f"Choose one of: {', '.join(known)}.")
    who = by or current_user()
    with session.catalogue.transaction():
        count = save_rename(session.catalogue, old, new, who)
        follow(session.catalogue, "rename", who=who, reason=f"{old} is called {new} now")
    return count


def restore(session: Session, annotator: str | None = None) -> int:
    """Let answers count again that vanished from their server; returns how many.

    Args:
        annotator: only theirs.

    Raises:
        UsageError: if there are none.
    """
    with session.catalogue.transaction():
        count = restore_deleted(session.catalogue, annotator)
        follow(session.catalogue)
    if not count:
        raise UsageError("No answer was deleted" + (f" of {annotator}." if annotator else "."), "Nothing was changed.")
    return count


def _work_out(catalogue: Catalogue) -> None:
    if stored.current_method(catalogue).name != MethodName.DAWID_SKENE:
        stored.save_consensus(catalogue, [])
        return
    given, known = defaultdict[str, list[str]](list), []
    for row in stored.named_answers(catalogue):
        given[row["image_sha256"]].append(f"{row['annotator']}={row['choice']}")
        if not row["nameless"]:
            known.append(Answer(row["image_sha256"], row["annotator"], row["choice"]))
    consensus = [
        {"image_sha256": image, "choice": one.choice, "probability": one.probability, "answers": given[image]}
        for image, one in dawid_skene(known).items()
        if one.disputed
    ]
    stored.save_consensus(catalogue, consensus)


def _check(catalogue: Catalogue, method: stored.Method) -> None:
    answers = stored.named_answers(catalogue)
    names = sorted({row["annotator"] for row in answers if not row["nameless"]})
    takes_name = method.name in (MethodName.ADJUDICATOR, MethodName.GOLD)
    who = f"Who answered: {', '.join(names) or 'nobody yet'}."
    if method.annotator is not None and not takes_name:
        raise UsageError(f"{method.name} takes no name.", f"Leave {method.annotator!r} out.")
    if method.annotator is None and method.name == MethodName.ADJUDICATOR:
        raise UsageError("An adjudicator must be named.", who)
    if method.annotator is not None and method.annotator not in names:
        raise InputError(f"Nobody called {method.annotator!r} has answered.", who)
    if method == stored.Method(MethodName.GOLD.value) and not any(row["ground_truth"] for row in answers):
        raise InputError("No answer is marked as ground truth.", f"Mark them in Label Studio, or name somebody. {who}")


def set_label(session: Session, identifier: str, choice: str, *, reason: str, by: str | None = None) -> str:
    """Set the label of one image by hand, as ``set_labels``; returns its SHA-256."""
    return next(iter(set_labels(session, [(identifier, choice)], reason=reason, by=by)))


def set_labels(
    session: Session, said: Iterable[tuple[str, str]], *, reason: str, by: str | None = None
) -> dict[str, str]:
    """Set labels of images by hand, all or none; they win over every source until they are taken back.

    Args:
        said: of each image its SHA-256, a panel's id or the beginning of either, and a label of the task or one of its
            answers that are no label.
        reason: why; it stays in the history.
        by: who decides; None takes the name of the user who runs this.

    Returns:
        SHA-256 of the images, each with its label.

    Raises:
        InputError: if there is no such image.
        UsageError: if the task has no such answer, an image gets two, or there is no reason or too long a one.
    """
    words, found = " ".join(reason.split()), dict[str, str]()
    if not words or len(words) > MAX_REASON:
        raise UsageError(f"A reason is needed, of at most {MAX_REASON} characters.", 'Say why: --reason "..."')
    for identifier, choice in said:
        if choice not in session.task.choices:
            known = f"Choose one of: {', '.join(session.task.choices)}."
            raise UsageError(f"{choice!r} is no label of the task.", known)
        if found.setdefault(find_image(session.catalogue, identifier), choice) != choice:
            raise UsageError(f"The image {identifier!r} is given two labels.", "Name it once; nothing was changed.")
    with session.catalogue.transaction():
        for image, choice in found.items():
            stored.decide(session.catalogue, image, choice, reason=words, by=by or current_user())
    return found


def undo(session: Session, identifier: str | None = None, by: str | None = None) -> dict[str, object]:
    """Take back the last label that was set by hand, of one image or of all; the one before it counts again.

    Returns:
        The decision that was taken back.

    Raises:
        InputError: if there is no such image.
        UsageError: if no label was set by hand.
    """
    image = find_image(session.catalogue, identifier) if identifier else None
    decision = stored.last_decision(session.catalogue, image)
    if decision is None:
        where = f" of the image {identifier}" if identifier else ""
        raise UsageError(f"No label{where} was set by hand.", "Nothing was changed.")
    stored.take_back(session.catalogue, decision, by=by or current_user())
    return decision


def set_distinct(session: Session, image: str, *others: str, reason: str = "", by: str | None = None) -> list[str]:
    """Say of an image that it is another picture than others that look nearly like it: all may keep their labels.

    Splits keep them on one side all the same.

    Args:
        image: SHA-256 of an image, a panel's id, or the beginning of either.
        others: those that look like it; nothing is said of these among each other.
        reason: why; it is shown by ``trace``.
        by: who decides; None takes the name of the user who runs this.

    Returns:
        SHA-256 of all.

    Raises:
        InputError: if there is no such image.
        UsageError: if one of the others is the image itself, or the reason is too long.
    """
    images = _different_images(session, image, *others)
    if len(words := " ".join(reason.split())) > MAX_REASON:
        raise UsageError(f"A reason is at most {MAX_REASON} characters long.")
    stored.set_distinct(session.catalogue, images[0], images[1:], reason=words, by=by or current_user())
    return images


def undo_distinct(session: Session, image: str, *others: str) -> list[str]:
    """Take that back; arguments and result as of ``set_distinct``.

    Raises:
        InputError: if there is no such image.
        UsageError: if it was not said of one of the others: nothing is taken back.
    """
    images = _different_images(session, image, *others)
    with session.catalogue.transaction():
        for other in images[1:]:
            if not stored.unset_distinct(session.catalogue, images[0], other):
                raise UsageError(
                    f"Nobody said of {images[0][:12]} and {other[:12]} that they differ.",
                    "Who did of which: polydata label distinct",
                )
    return images


def _different_images(session: Session, image: str, *others: str) -> list[str]:
    first, *more = (find_image(session.catalogue, identifier) for identifier in (image, *others))
    if first in more:
        raise UsageError(f"Both are one image, {first[:12]}: the same bytes.", "Name two images.")
    return [first, *dict.fromkeys(more)]


def current_user() -> str:
    """The name under which somebody is logged in here."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
