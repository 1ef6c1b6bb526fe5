"""All disagreements about labels: one function a kind, each looks at all images; then they are ranked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from polydata.catalogue.annotations import linked_records
from polydata.catalogue.resolution import distinct_commands
from polydata.catalogue.session import Session
from polydata.errors import InputError, UsageError
from polydata.files.predictions import Predictions, read_predictions
from polydata.files.tables import answer_text, column_patterns, meaning, read_table
from polydata.labels.conflicts.evidence import SEVERITY, Conflict, LabelEvidence, Statement, read_evidence
from polydata.labels.conflicts.same import pairs_alike, same_picture
from polydata.labels.consensus import majority
from polydata.text.reference import reference_keys
from polydata.types import Progress, quiet

PLACE = ("image_sha256", "panel_id", "paper", "page", "figure", "panel", "file_name", "label", "source")
"""What names an image for people and programs."""


def _labels(statements: Sequence[Statement]) -> list[str]:
    return sorted({v.label for v in statements})


def file_against_record(evidence: LabelEvidence) -> Iterator[Conflict]:
    """Kinds ``contradiction`` and ``partial``: the file name says another label than the record.

    A label that file names are unable to say is no contradiction: the file name then shows what became of it.
    """
    able = evidence.coarse_words("file")
    for image in evidence.pictures:
        file, record = evidence.of(image, "file"), evidence.of(image, "record")
        differing = [word for word in _labels(record) if word not in _labels(file)]
        if not file or not differing:
            continue
        kind = "contradiction" if any(word in able for word in differing) else "partial"
        says = f"the record says {evidence.words(*differing)}, the file name {evidence.words(*_labels(file))}"
        yield Conflict(kind, SEVERITY[kind], (image,), says, (*record, *file))


def records_that_differ(evidence: LabelEvidence) -> Iterator[Conflict]:
    """Kind ``records``: several records of one image say different labels."""
    for image in evidence.pictures:
        record = evidence.of(image, "record")
        if len(said := _labels(record)) > 1:
            weight = evidence.weight("records", *said)
            yield Conflict("records", weight, (image,), f"its records say {evidence.words(*said)}", record)


def text_against_label(evidence: LabelEvidence) -> Iterator[Conflict]:
    """Kind ``text``: the literature's words suggest another label than the record, or without one the file name."""
    for image in evidence.pictures:
        text = evidence.of(image, "rule")
        other = evidence.of(image, "record") or evidence.of(image, "file")
        differing = [word for word in _labels(text) if word not in _labels(other)]
        if not other or not differing:
            continue
        named = "record" if other[0].source == "record" else "file name"
        says = f"the words suggest {evidence.words(*differing)}, the {named} says {evidence.words(*_labels(other))}"
        weight = evidence.weight("text", *differing, *_labels(other))
        yield Conflict("text", weight, (image,), says, (*text, *other))


def reviewers_that_differ(evidence: LabelEvidence) -> Iterator[Conflict]:
    """Kinds ``tie`` and ``disputed``: reviewers differ, with nothing decided or with a decision by the method."""
    for image, row in evidence.reviewed.items():
        if not row["disputed"]:
            continue
        given = evidence.of(image, "review")
        kind = "tie" if row["choice"] is None else "disputed"
        end = "; nobody has the last word" if kind == "tie" else f"; {evidence.words(row['choice'])} counts"
        yield Conflict(kind, SEVERITY[kind], (image,), f"reviewers say {evidence.words(*_labels(given))}{end}", given)


def reviewers_against_sources(evidence: LabelEvidence) -> Iterator[Conflict]:
    """Kind ``review``: what the reviewers come to is not what record and file name say."""
    able = evidence.coarse_words("file")
    for image, row in evidence.reviewed.items():
        others = (*evidence.of(image, "record"), *evidence.of(image, "file"))
        choice = row["choice"]
        differing = [v for v in others if v.label != choice]
        # A file name that cannot say the reviewers' word does not contradict it where the record agrees.
        if choice not in able and choice in evidence.task.labels and any(v.label == choice for v in others):
            differing = [v for v in differing if v.source != "file"]
        if choice is None or not differing:
            continue
        said = _labels(differing)
        where = " and ".join(sorted({"file name" if v.source == "file" else v.source for v in differing}))
        says = f"reviewers say {evidence.words(choice)}, {where} {evidence.words(*said)}"
        given = evidence.of(image, "review")
        yield Conflict("review", evidence.weight("review", choice, *said), (image,), says, (*given, *differing))


def several_papers(evidence: LabelEvidence, records: Sequence[Mapping[str, Any]]) -> Iterator[Conflict]:
    """Kind ``key``: records of several papers are linked to one image, as where one key names two papers.

    Args:
        records: rows of ``catalogue.annotations.linked_records``.
    """
    by_image: dict[str, list[Mapping[str, Any]]] = {}
    for row in records:
        if row["image_sha256"] in evidence.pictures:
            by_image.setdefault(row["image_sha256"], []).append(row)
    for image, linked in by_image.items():
        papers = _papers(linked)
        if len(papers) < 2:
            continue
        keys = sorted({row["record_key"] for row in linked if row["record_key"]})
        named = f"the key {keys[0]} names" if len(keys) == 1 else "its records name"
        statements = tuple(
            Statement(
                "record",
                evidence.task.label_of(row["compatibility"] or "") or "",
                f"{row['reference'] or row['doi']}: {row['caption'] or ''}",
                row["record_key"] or row["record_id"],
                row["stands"],
            )
            for row in linked
        )
        yield Conflict("key", SEVERITY["key"], (image,), f"{named} {len(papers)} papers", statements)


def _papers(linked: Sequence[Mapping[str, Any]]) -> list[frozenset[str]]:
    """What names each of the papers that records come from; records that name none have no part in it."""
    papers: list[frozenset[str]] = []
    for row in linked:
        keys = reference_keys({**row, "citation": row["reference"]})
        if not keys:
            continue
        same = [known for known in papers if known & keys]
        papers = [known for known in papers if known not in same] + [keys.union(*same)]
    return papers


def model_against_label(evidence: LabelEvidence, predictions: Predictions) -> Iterator[Conflict]:
    """Kind ``model``: a model predicts another label; the surer it is, the weightier.

    Labels that the model does not know are left alone. A model agrees with the labels that it was trained with more
    than it should: that it agrees with one of them says little.
    """
    for image, prediction in predictions.by_image.items():
        picture = evidence.pictures.get(image)
        if picture is None or picture["label"] not in predictions.labels or prediction.label == picture["label"]:
            continue
        said, label = prediction.label, picture["label"]
        sure = f"probability {prediction.score:.2f}"
        says = f"{predictions.version} predicts {evidence.words(said)} ({sure}), the label is {evidence.words(label)}"
        statements = (
            Statement("model", said, sure, predictions.version),
            Statement(picture["source"] or "", label, "", picture["panel_id"]),
        )
        weight = evidence.weight("model", said, label) * (prediction.score or 0)
        yield Conflict("model", round(weight, 4), (image,), says, statements)


@dataclass(frozen=True)
class TableOptions:
    """A table that people filled in.

    Attributes:
        truth: column of true answers.
        raters: shell patterns of the raters' columns; none for the truth alone.
        key: column that names the image; None takes the first. It may hold a hash, a panel's id, a file name with or
            without its ending and label, or a record's key.
    """

    path: Path
    truth: str
    raters: tuple[str, ...] = ()
    key: str | None = None


@dataclass(frozen=True)
class Line:
    """A row of the table: its number as a spreadsheet counts it, the image, and labels ("" for no true one)."""

    number: int
    image: str
    truth: str
    answers: tuple[str, ...]


def read_lines(evidence: LabelEvidence, table: TableOptions) -> tuple[list[Line], list[str]]:
    """Rows of a table whose image is known, and what could not be used, one line each.

    Raises:
        InputError: if the table cannot be read, lacks a column, or names none of the images.
    """
    path = table.path
    rows = [row for row in read_table(path) if not row.problem]
    columns = list(dict.fromkeys(name for row in rows for name in row.values))
    for name in (table.truth, table.key):
        if name is not None and name not in columns:
            raise InputError(f"{path} has no column {name!r}.", f"Its columns: {', '.join(columns)}.")
    named = table.key or columns[0]
    judges = column_patterns(path, columns, table.raters, leave_out=(table.truth, named))
    images: dict[str, set[str]] = defaultdict(set)
    for image, picture in evidence.pictures.items():
        for name in picture["names"]:
            images[name].add(image)
    lines, problems = [], []
    for row in rows:
        called = answer_text(row.values.get(named))
        found = images.get(called, set())
        if len(found) != 1:
            problems.append(f"row {row.number}: {called!r} names {'several images' if found else 'no image'}")
            continue
        words = [answer_text(row.values.get(name)) for name in (table.truth, *judges)]
        labels = [meaning(evidence.task, word) for word in words]
        unknown = sorted({w for w, label in zip(words, labels, strict=True) if w and label is None})
        if unknown:
            problems.append(f"row {row.number}: {', '.join(unknown[:3])} is no label")
            continue
        answers = tuple(label for label in labels[1:] if label is not None)
        lines.append(Line(row.number, next(iter(found)), labels[0] or "", answers))
    if not lines:
        raise InputError(
            f"No row of {path} names an image of this workspace.", f"First {problems[0]}." if problems else ""
        )
    return lines, problems


def truth_against_label(evidence: LabelEvidence, lines: Sequence[Line], name: str) -> Iterator[Conflict]:
    """Kind ``table``: the table's truth is not the image's own label; two rows in a row may have been swapped."""
    able = {line.truth for line in lines if line.truth}
    wrong = {
        line.number: (line, own)
        for line in lines
        if line.truth and (own := evidence.own_label(line.image, able)) is not None and own != line.truth
    }
    done: set[int] = set()
    words = evidence.words
    for number, (line, own) in wrong.items():
        if number in done:
            continue
        statements = (_row(line, name), *evidence.own_statements(line.image))
        other, own_of_other = wrong.get(number + 1, (None, ""))
        if other and (line.truth, own) == (own_of_other, other.truth):
            done.add(number + 1)
            says = (
                f"{name} says {words(line.truth)} in row {number} and {words(other.truth)} in row {number + 1}, "
                f"the images are {words(own)} and {words(own_of_other)}: the labels of these rows look swapped"
            )
            statements += (_row(other, name), *evidence.own_statements(other.image))
            yield Conflict("table", SEVERITY["table"], (line.image, other.image), says, statements)
            continue
        says = f"{name} says {words(line.truth)} in row {number}, the image is {words(own)}"
        yield Conflict("table", evidence.weight("table", line.truth, own), (line.image,), says, statements)


def people_against_label(evidence: LabelEvidence, lines: Sequence[Line], name: str) -> Iterator[Conflict]:
    """Kind ``people``: most raters say another label than the image's own; the more of them, the weightier."""
    able = {answer for line in lines for answer in line.answers}
    for line in lines:
        most, own = majority(line.answers), evidence.own_label(line.image, able)
        if most is None or own is None or most == own:
            continue
        share = line.answers.count(most) / len(line.answers)
        count = f"{line.answers.count(most)} of {len(line.answers)}"
        statement = Statement("people", most, f"{count} raters", f"{name}, row {line.number}")
        says = f"{count} raters say {evidence.words(most)}, the image is {evidence.words(own)}"
        weight = round(evidence.weight("people", most, own) * share, 4)
        yield Conflict("people", weight, (line.image,), says, (statement, *evidence.own_statements(line.image)))


def _row(line: Line, name: str) -> Statement:
    return Statement("table", line.truth, f"row {line.number}", name)


DETECTORS: tuple[Callable[[LabelEvidence], Iterator[Conflict]], ...] = (
    file_against_record,
    records_that_differ,
    text_against_label,
    reviewers_that_differ,
    reviewers_against_sources,
)


@dataclass(frozen=True)
class Conflicts:
    """Every disagreement.

    Attributes:
        evidence: what they were found in.
        conflicts: the weightiest first; those that were settled by hand last.
        problems: rows of the table that could not be used, and why copies were not looked for.
    """

    evidence: LabelEvidence
    conflicts: tuple[Conflict, ...]
    problems: tuple[str, ...]

    @property
    def apart(self) -> list[str]:
        """The commands that settle all open pairs whose labels are both right, one for an image and all its likes."""
        return distinct_commands([c.images for c in self.conflicts if c.kind == "duplicate" and not c.settled])

    @property
    def counts(self) -> dict[str, int]:
        """Open conflicts of each kind, the weightiest kind first, and how many are settled."""
        count = Counter(c.kind for c in self.conflicts if not c.settled)
        open_ones = {kind: count[kind] for kind in SEVERITY if count[kind]}
        return {**open_ones, "settled": sum(c.settled for c in self.conflicts)}

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        listed = [
            {name: getattr(c, name) for name in ("kind", "severity", "settled", "says")}
            | {"images": [{name: self.evidence.pictures[i][name] for name in PLACE} for i in c.images]}
            | {"evidence": [asdict(s) for s in c.statements]}
            for c in self.conflicts
        ]
        return {"counts": self.counts, "conflicts": listed, "apart": self.apart, "problems": list(self.problems)}


def find_conflicts(
    session: Session,
    *,
    table: TableOptions | None = None,
    predictions: Sequence[Path] = (),
    crops: bool | None = None,
    progress: Progress = quiet,
) -> Conflicts:
    """Find every disagreement between file names, records, their texts, reviewers, models and same pictures.

    Args:
        table: answers of people in a table, compared with the images' own labels.
        predictions: Parquet files as ``polymodel predict`` writes them, or folders of runs.
        crops: whether crops and copies are looked for by keypoints; None as for ``splits.options.SplitOptions``.
        progress: told of that look.

    Raises:
        UsageError: if the catalogue has no images.
        InputError: if table or predictions cannot be used.
    """
    evidence = read_evidence(session)
    if not evidence.pictures:
        raise UsageError("The catalogue has no images.", "Read papers first: polydata extract PAPERS/")
    found = [conflict for detect in DETECTORS for conflict in detect(evidence)]
    found += several_papers(evidence, linked_records(session.catalogue))
    pairs, problems = pairs_alike(session, evidence, crops, progress)
    found += same_picture(evidence, pairs)
    if table is not None:
        lines, unread = read_lines(evidence, table)
        problems += unread
        found += truth_against_label(evidence, lines, table.path.name)
        found += people_against_label(evidence, lines, table.path.name)
    for path in predictions:
        found += model_against_label(evidence, read_predictions(path, session.task.labels))
    return Conflicts(evidence, _ranked(evidence, found), tuple(problems))


def _ranked(evidence: LabelEvidence, found: Sequence[Conflict]) -> tuple[Conflict, ...]:
    """The weightiest first; of equals those whose images have more conflicts; then in page order."""
    settled = [
        c if c.kind == "duplicate" else replace(c, settled=all(i in evidence.decided for i in c.images)) for c in found
    ]
    several = Counter(image for c in settled for image in c.images)
    place = {image: number for number, image in enumerate(evidence.pictures)}
    return tuple(
        sorted(settled, key=lambda c: (c.settled, -c.severity, -several[c.images[0]], place[c.images[0]], c.kind))
    )
