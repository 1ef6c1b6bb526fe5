"""How reviewers' answers are resolved, what is set by hand (labels, images that differ), and every label's history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from polydata.catalogue.connect import Catalogue

REVIEW = "review"
DEFAULT = "majority"


@dataclass(frozen=True)
class Method:
    """How the answers on an image become one.

    Attributes:
        name: ``majority``, ``dawid-skene``, ``adjudicator`` or ``gold``.
        annotator: the adjudicator, or whose answers are gold; None for gold takes those marked as ground truth.
    """

    name: str = DEFAULT
    annotator: str | None = None

    def __str__(self) -> str:
        return self.name if self.annotator is None else f"{self.name} {self.annotator}"


def current_method(catalogue: Catalogue) -> Method:
    """The method in force."""
    rows = catalogue.tuples("SELECT method, annotator FROM resolution WHERE source = ?", [REVIEW])
    return Method(*rows[0]) if rows else Method()


def save_method(catalogue: Catalogue, method: Method) -> None:
    """Put a method in force. Call it inside a transaction."""
    catalogue.upsert("resolution", [{"source": REVIEW, "method": method.name, "annotator": method.annotator}])


def named_answers(catalogue: Catalogue) -> list[dict[str, Any]]:
    """The answers that stand: image_sha256, annotator, choice, comment, nameless, ground_truth, ordered."""
    return catalogue.rows(
        """SELECT image_sha256, annotator, choice, comment, nameless, ground_truth
           FROM named_answers ORDER BY image_sha256, annotator, choice"""
    )


def save_consensus(catalogue: Catalogue, rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace what the model makes of answers that differ. Call it inside a transaction."""
    catalogue.run("DELETE FROM consensus")
    catalogue.upsert("consensus", rows)


def unresolved_images(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Images whose reviewers tie by the method in force: image_sha256, votes, said."""
    return catalogue.rows("SELECT image_sha256, votes, said FROM reviews WHERE choice IS NULL ORDER BY image_sha256")


def choice_counts(catalogue: Catalogue) -> dict[str, int]:
    """How many images have each answer in the end, by hand or by the method in force."""
    return dict(catalogue.tuples("SELECT choice, count(*) FROM reviews WHERE choice IS NOT NULL GROUP BY 1 ORDER BY 1"))


def decide(catalogue: Catalogue, image_sha256: str, choice: str, *, reason: str, by: str) -> None:
    """Set a label by hand and note it, in one transaction."""
    number = catalogue.value("SELECT coalesce(max(number), 0) + 1 FROM label_decisions")
    row = {"number": number, "image_sha256": image_sha256, "choice": choice, "reason": reason, "decided_by": by}
    with catalogue.transaction():
        catalogue.upsert("label_decisions", [row])
        note_changes(catalogue, what="set", who=by, reason=f"{choice}: {reason}", image=image_sha256)


def last_decision(catalogue: Catalogue, image_sha256: str | None = None) -> dict[str, Any] | None:
    """The decision by hand that was made last, of this image or of all made here; None where there is none."""
    return catalogue.row(
        """SELECT DISTINCT label_decisions.* FROM label_decisions JOIN speaks_of USING (image_sha256)
           WHERE image = coalesce($1, image) AND ($1 IS NOT NULL OR origin IS NULL) ORDER BY number DESC LIMIT 1""",
        [image_sha256],
    )


def take_back(catalogue: Catalogue, decision: Mapping[str, Any], *, by: str) -> None:
    """Take a decision back and note it, in one transaction; the one before it counts again."""
    reason = f"{decision['choice']}: {decision['reason']}"
    with catalogue.transaction():
        catalogue.run("DELETE FROM label_decisions WHERE number = ?", [decision["number"]])
        note_changes(catalogue, what="undo", who=by, reason=reason, image=decision["image_sha256"])


def distinct_pairs(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Images that look nearly alike and are two pictures: image_sha256 < other_sha256, reason, decided_by."""
    return catalogue.rows("FROM distinct_pairs WHERE image_sha256 < other_sha256 ORDER BY ALL")


def distinct_images(catalogue: Catalogue) -> frozenset[tuple[str, str]]:
    """The same pairs by their SHA-256, each in both directions."""
    return frozenset(catalogue.tuples("SELECT image_sha256, other_sha256 FROM distinct_pairs"))


def distinct_command(*images: str) -> str:
    """The command by which somebody says that the first image, by its SHA-256, is another picture than the others."""
    return f"polydata label distinct {' '.join(image[:12] for image in images)}"


def distinct_commands(pairs: Iterable[Sequence[str]]) -> list[str]:
    """The commands for all of some pairs, few: the images that stand in most of them are named first."""
    others: dict[str, dict[str, None]] = defaultdict(dict)
    for one, two in pairs:
        others[one][two] = others[two][one] = None
    found = []
    for image in sorted(others, key=lambda image: -len(others[image])):
        if others[image]:
            found.append(distinct_command(image, *others[image]))
        for other in others.pop(image):
            others[other].pop(image)
    return found


def set_distinct(catalogue: Catalogue, image: str, others: Iterable[str], *, reason: str, by: str) -> None:
    """Note that an image is another picture than each of others, in one transaction."""
    row = {"reason": reason, "decided_by": by}
    pairs = [pair for other in others for pair in ((image, other), (other, image))]
    with catalogue.transaction():
        catalogue.upsert("distinct_images", [{"image_sha256": a, "other_sha256": b, **row} for a, b in pairs])


def unset_distinct(catalogue: Catalogue, a: str, b: str) -> bool:
    """Take that back, also where others stood in the place of these images; whether it was noted."""
    standing = """SELECT ? UNION SELECT image_sha256 FROM image_successors WHERE successor = ?"""
    pair = f"image_sha256 IN ({standing}) AND other_sha256 IN ({standing})"
    with catalogue.transaction():
        gone = [
            catalogue.value(f"DELETE FROM distinct_images WHERE {pair}", [one, one, other, other])  # noqa: S608
            for one, other in ((a, b), (b, a))
        ]
    return any(gone)


def note_changes(
    catalogue: Catalogue,
    what: str | None = None,
    *,
    who: str | None = None,
    reason: str | None = None,
    image: str | None = None,
) -> int:
    """Note in the history every label that is not what was noted of it last.

    Args:
        what: brought the change; None: ``answers`` where the reviewers had or have the word, else ``sources``.
        who: brought it; None: those whose answer it is.
        reason: given for it.
        image: is noted even if its label stays.

    Returns:
        How many were noted.
    """
    noted = catalogue.value(
        """
        INSERT INTO label_history
        WITH noted AS (
            SELECT image_sha256, to_label, to_source FROM label_history
            QUALIFY row_number() OVER (PARTITION BY image_sha256 ORDER BY number DESC) = 1
        ), changed AS (
            SELECT coalesce(labels.image_sha256, noted.image_sha256) AS image_sha256, noted.to_label AS from_label,
                   noted.to_source AS from_source, labels.label AS to_label, labels.source AS to_source,
                   coalesce(labels.sources, []) AS said
            FROM labels FULL JOIN noted ON noted.image_sha256 = labels.image_sha256
            WHERE labels.label IS DISTINCT FROM noted.to_label OR labels.source IS DISTINCT FROM noted.to_source
               OR coalesce(labels.image_sha256, noted.image_sha256) = $1
        ), also AS (
            SELECT * FROM changed
            UNION ALL
            SELECT $1, NULL, NULL, NULL, NULL, []
            WHERE $1 IS NOT NULL AND $1 NOT IN (SELECT image_sha256 FROM changed)
        ), answered AS (
            SELECT image_sha256, choice, string_agg(DISTINCT annotator, ', ' ORDER BY annotator) AS annotators
            FROM named_answers GROUP BY image_sha256, choice
        )
        SELECT (SELECT coalesce(max(number), 0) FROM label_history) + row_number() OVER (ORDER BY also.image_sha256),
               also.image_sha256, $2,
               coalesce($3, CASE WHEN 'review' IN (coalesce(from_source, ''), coalesce(to_source, ''))
                                    THEN 'answers' ELSE 'sources' END),
               coalesce($4, CASE WHEN to_source = 'review' THEN answered.annotators
                                   WHEN to_source = 'manual' THEN decided.decided_by END),
               $5, from_label, from_source, to_label, to_source, said
        FROM also
        LEFT JOIN answered ON answered.image_sha256 = also.image_sha256 AND answered.choice = also.to_label
        LEFT JOIN decided ON decided.image_sha256 = also.image_sha256
        """,
        [image, datetime.now(UTC).replace(tzinfo=None), what, who, reason],
    )
    return int(noted)


def history_of(catalogue: Catalogue, image_sha256: str | None = None) -> list[dict[str, Any]]:
    """What became of a label, or of all, the oldest change first; every column of the table."""
    return catalogue.rows(
        "SELECT * FROM label_history WHERE image_sha256 = coalesce(?, image_sha256) ORDER BY number", [image_sha256]
    )


def count_disagreeing(catalogue: Catalogue) -> int:
    """Images whose records say different labels, with none set by hand."""
    sql = """SELECT count(*) FROM (
                 SELECT image_sha256 FROM label_candidates ANTI JOIN decided USING (image_sha256)
                 WHERE source = 'record' GROUP BY image_sha256 HAVING count(DISTINCT label) > 1)"""
    return int(catalogue.value(sql))
