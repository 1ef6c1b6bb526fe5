"""How far people agree with each other and with a truth: answers in a table, and those pulled from Label Studio."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from polydata.catalogue.resolution import current_method, named_answers
from polydata.catalogue.session import Session
from polydata.files.tables import positive_answer, read_answers
from polydata.labels.consensus import (
    MIN_ANSWERS,
    Answer,
    Pair,
    by_item,
    confusion,
    dawid_skene,
    fleiss_kappa,
    majority,
    mean_scores,
    pairwise,
    scores,
)
from polydata.task import Task

PICKED_BY = "accuracy on the same images, so their mean is better than what they would reach on others"


@dataclass(frozen=True)
class TableAgreement:
    """What people answered in a table, against its truth. Shares are 0 to 1; None has no meaning (0 / 0).

    Attributes:
        images: that all raters judged and whose truth is known; all figures are of these.
        left_out: the other rows, each with its number, first cell and what is missing.
        positive: the answer that precision, recall and F1 speak of.
        truth: answer -> number of images.
        most_frequent_accuracy: of always giving the truth's most frequent answer.
        fleiss_kappa: chance-corrected agreement among raters; the truth has no part in it.
        majority_vote_accuracy: of the answer of most raters; a tie counts as wrong.
        majority_ties: images on which raters tie.
        mean: mean of each score over all raters.
        raters: accuracy of each, as they stand in the table.
        rater_scores: all scores of each.
        top_k: ``k``, ``picked_by``, the ``raters`` and the mean of each of their scores.
    """

    images: int
    left_out: list[dict[str, Any]]
    positive: str
    truth: dict[str, int]
    most_frequent_accuracy: float
    fleiss_kappa: float | None
    majority_vote_accuracy: float
    majority_ties: int
    mean: dict[str, float | None]
    raters: dict[str, float | None]
    rater_scores: dict[str, dict[str, float | None]]
    top_k: dict[str, Any]


def table_agreement(
    path: Path, task: Task, *, truth: str, raters: Sequence[str], positive: str | None = None, top: int = 10
) -> TableAgreement:
    """Compare the answers in a table with each other and with its truth.

    A row on which an answer or the truth is missing is left out of every figure and listed.

    Args:
        path: CSV, XLSX, JSON or JSON Lines; a row an image, a column a rater.
        task: tells which answer is the positive one where the table uses its words or its 0 and 1.
        truth: column with the true answers.
        raters: shell patterns of the raters' columns, such as ``R*``.
        positive: the positive answer; None asks the task.
        top: how many of the best raters are averaged.

    Raises:
        InputError: if the file cannot be read, lacks a column, or has no row with all answers.
        UsageError: if the positive answer is not known.
    """
    table = read_answers(path, truth, raters)
    rows, columns = table.rows, table.raters
    said = positive_answer(task, {word for row in rows for word in row.values()}, positive)
    truths = [row[truth] for row in rows]
    each = {name: scores([(row[truth], row[name]) for row in rows], said) for name in columns}
    votes = [majority([row[name] for name in columns]) for row in rows]
    best = sorted(columns, key=lambda name: -(each[name]["accuracy"] or 0))[:top]
    counts = Counter(truths)
    return TableAgreement(
        images=len(rows),
        left_out=list(table.left_out),
        positive=said,
        truth=dict(sorted(counts.items())),
        most_frequent_accuracy=max(counts.values()) / len(rows),
        fleiss_kappa=fleiss_kappa([[row[name] for name in columns] for row in rows]),
        majority_vote_accuracy=sum(v == t for v, t in zip(votes, truths, strict=True)) / len(rows),
        majority_ties=votes.count(None),
        mean=mean_scores(list(each.values())),
        raters={name: each[name]["accuracy"] for name in columns},
        rater_scores=each,
        top_k={"k": len(best), "picked_by": PICKED_BY, "raters": best, **mean_scores([each[name] for name in best])},
    )


@dataclass(frozen=True)
class PulledAgreement:
    """How far the reviewers agree whose answers were pulled. Shares and kappas are None where they have no meaning.

    Attributes:
        method: by which answers are resolved now.
        answers, images, images_with_several: numbers; every annotator counts once an image, with the last answer.
        fleiss_kappa: over images with several answers.
        cohen_kappa: of every two annotators.
        annotators: for each the ``answers``, those on ``images`` with a consensus, ``agreement`` with it and
            ``confusion`` (consensus -> answer -> number), on images with several answers.
        consensus: by Dawid and Skene's model, of each image with several answers.
        notes: what the figures cannot say.
    """

    method: str
    answers: int
    images: int
    images_with_several: int
    fleiss_kappa: float | None
    cohen_kappa: list[Pair]
    annotators: list[dict[str, Any]]
    consensus: list[dict[str, Any]]
    notes: list[str]


def agreement(session: Session) -> PulledAgreement:
    """Compare the reviewers' answers in the catalogue with each other. Few or none are no error: see ``notes``."""
    rows = named_answers(session.catalogue)
    known = [Answer(r["image_sha256"], r["annotator"], r["choice"]) for r in rows if not r["nameless"]]
    several = {image: given for image, given in by_item(known).items() if len(given) > 1}
    found = {image: one for image, one in dawid_skene(known).items() if image in several}
    names = sorted({a.annotator for a in known})
    return PulledAgreement(
        method=str(current_method(session.catalogue)),
        answers=len(known),
        images=len({a.item for a in known}),
        images_with_several=len(several),
        fleiss_kappa=fleiss_kappa([[a.choice for a in given] for given in several.values()]),
        cohen_kappa=pairwise(known),
        annotators=[_annotator(name, known, {image: one.choice for image, one in found.items()}) for name in names],
        consensus=[{"image_sha256": image, **asdict(one)} for image, one in found.items()],
        notes=_notes(rows, names, len(several), len(found) - sum(one.choice is not None for one in found.values())),
    )


def _annotator(name: str, answers: Sequence[Answer], consensus: dict[str, str | None]) -> dict[str, Any]:
    own = [a for a in answers if a.annotator == name]
    pairs = [(truth, a.choice) for a in own if (truth := consensus.get(a.item)) is not None]
    return {
        "annotator": name,
        "answers": len(own),
        "images": len(pairs),
        "agreement": sum(t == c for t, c in pairs) / len(pairs) if pairs else None,
        "confusion": confusion(pairs),
    }


def _notes(rows: Sequence[dict[str, Any]], names: Sequence[str], several: int, open_images: int) -> list[str]:
    nameless = sum(row["nameless"] for row in rows)
    notes = (
        (not rows, "No answer was pulled yet: polydata label pull"),
        (rows and not several, "No image was answered by two people, so nothing can be compared."),
        (nameless, f"{nameless} answers by nobody who is known have no part in these figures."),
        (several, "An annotator's own answers have a part in the consensus that they are compared with."),
        (several and len(names) < MIN_ANSWERS, "With two annotators nobody can tell who is right where they differ."),
        (open_images, f"{open_images} images have no consensus: their answers tie."),
    )
    return [note for applies, note in notes if applies]
