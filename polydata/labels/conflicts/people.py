"""Disagreements between the images' own labels and a table that people filled in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from polydata.errors import InputError
from polydata.files.rater_tables import answer_text, column_patterns, meaning
from polydata.files.tables import read_table
from polydata.labels.conflicts.evidence import SEVERITY, Conflict, Scene, Voice
from polydata.labels.consensus import majority


@dataclass(frozen=True)
class Line:
    """A row of the table.

    Attributes:
        number: as a spreadsheet counts it.
        image: hash of the image that it is about.
        truth: the label that its column of true answers says; None for an empty cell.
        answers: the raters' labels.
    """

    number: int
    image: str
    truth: str | None
    answers: tuple[str, ...]


def read_lines(
    scene: Scene, path: Path, *, truth: str, raters: Sequence[str] = (), key: str | None = None
) -> tuple[list[Line], list[str]]:
    """Rows of a table whose image is known, and what could not be used, one line each.

    Args:
        truth: column of true answers.
        raters: shell patterns of the raters' columns; none for the truth alone.
        key: column that names the image; None takes the first. It may hold a hash, a panel's id, a file name with or
            without its ending and label, or a record's key.

    Raises:
        InputError: if the table cannot be read, lacks a column, or names none of the images.
    """
    rows = [row for row in read_table(path) if not row.problem]
    columns = list(dict.fromkeys(name for row in rows for name in row.values))
    for name in (truth, key):
        if name is not None and name not in columns:
            raise InputError(f"{path} has no column {name!r}.", f"Its columns: {', '.join(columns)}.")
    named = key or columns[0]
    judges = column_patterns(path, columns, raters, leave_out=(truth, named))
    images: dict[str, set[str]] = defaultdict(set)
    for image, picture in scene.pictures.items():
        for name in picture.names:
            images[name].add(image)
    lines, problems = [], []
    for row in rows:
        called = answer_text(row.values.get(named))
        found = images.get(called, set())
        if len(found) != 1:
            problems.append(f"row {row.number}: {called!r} names {'several images' if found else 'no image'}")
            continue
        words = [answer_text(row.values.get(name)) for name in (truth, *judges)]
        labels = [meaning(scene.task, word) for word in words]
        unknown = sorted({w for w, label in zip(words, labels, strict=True) if w and label is None})
        if unknown:
            problems.append(f"row {row.number}: {', '.join(unknown[:3])} is no label")
            continue
        lines.append(Line(row.number, next(iter(found)), labels[0], tuple(x for x in labels[1:] if x is not None)))
    if not lines:
        raise InputError(
            f"No row of {path} names an image of this workspace.", f"First {problems[0]}." if problems else ""
        )
    return lines, problems


def truth_against_label(scene: Scene, lines: Sequence[Line], name: str) -> Iterator[Conflict]:
    """Kind ``table``: the table's truth is not the image's own label; two rows in a row may have been swapped."""
    able = {line.truth for line in lines if line.truth}
    wrong = {
        line.number: (line, own)
        for line in lines
        if line.truth and (own := scene.own_label(line.image, able)) is not None and own != line.truth
    }
    done: set[int] = set()
    for number, (line, own) in wrong.items():
        if number in done:
            continue
        after = wrong.get(number + 1)
        if after and (line.truth, own) == (after[1], after[0].truth):
            done.add(number + 1)
            images = (line.image, after[0].image)
            says = (
                f"{name} says {_told(line.truth)} in row {number} and {_told(after[0].truth)} in row {number + 1}, "
                f"the images are {_told(own)} and {_told(after[1])}: the labels of these rows look swapped"
            )
            voices = (_row(line, name), *_own(scene, line), _row(after[0], name), *_own(scene, after[0]))
            yield Conflict("table", SEVERITY["table"], images, says, voices)
            continue
        says = f"{name} says {_told(line.truth)} in row {number}, the image is {_told(own)}"
        yield Conflict(
            "table",
            scene.weight("table", str(line.truth), own),
            (line.image,),
            says,
            (_row(line, name), *_own(scene, line)),
        )


def people_against_label(scene: Scene, lines: Sequence[Line], name: str) -> Iterator[Conflict]:
    """Kind ``people``: most raters say another label than the image's own; the more of them, the weightier."""
    able = {answer for line in lines for answer in line.answers}
    for line in lines:
        most, own = majority(line.answers), scene.own_label(line.image, able)
        if most is None or own is None or most == own:
            continue
        share = line.answers.count(most) / len(line.answers)
        count = f"{line.answers.count(most)} of {len(line.answers)}"
        voice = Voice("people", most, f"{count} raters", f"{name}, row {line.number}")
        says = f"{count} raters say {_told(most)}, the image is {_told(own)}"
        weight = round(scene.weight("people", most, own) * share, 4)
        yield Conflict("people", weight, (line.image,), says, (voice, *_own(scene, line)))


def _own(scene: Scene, line: Line) -> tuple[Voice, ...]:
    found = scene.of(line.image, "file")
    picture = scene.pictures[line.image]
    return found or (Voice(picture.source or "", picture.label or "", "", picture.panel_id),)


def _row(line: Line, name: str) -> Voice:
    return Voice("table", line.truth or "", f"row {line.number}", name)


def _told(label: str | None) -> str:
    return (label or "").replace("_", " ")
