"""What people say in projects that ask for no labels becomes corrections and decisions by hand, each once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

from polydata.catalogue import task_answers as stored
from polydata.catalogue.annotations import save_project
from polydata.catalogue.lookup import find_image, find_in_pdf
from polydata.catalogue.papers import load_paper
from polydata.catalogue.quality import CLAIMED, MEASURED, asked_as, checked, sampled, save_judged
from polydata.catalogue.screenings import decided_by_hand, save_choices
from polydata.catalogue.session import Session
from polydata.edits import Correction, Place
from polydata.edits import Target as Corrects
from polydata.errors import PolydataError, UsageError
from polydata.extraction.editing import correct
from polydata.extraction.places import figure_at, nearest
from polydata.extraction.pool import Readers
from polydata.extraction.workflow import editor
from polydata.labels.annotation import Annotation, read_annotation
from polydata.labels.boxes import AskedFigure, Layout, corrections
from polydata.labels.labelstudio import tasks as server_tasks
from polydata.labels.labelstudio.connection import Server
from polydata.labels.labelstudio.project import Project, check_page
from polydata.labels.page import OUR_ID, READ, choices_of, shown_text
from polydata.labels.projects import Pulled, Target
from polydata.types import Decision, Paper, Progress, tracked

Task = Mapping[str, Any]
Wanted = tuple[Corrects, Place, Correction]


class Meaning(Protocol):
    """What the answers of a kind of project mean."""

    def read(self, task: Task, raw: Mapping[str, Any], found: Annotation) -> str:
        """What an annotation says, as JSON or a word; ValueError if it cannot be used."""

    def same(self, one: str, other: str) -> bool:
        """Whether two answers mean the same, as far as both speak."""

    def joint(self, said: Sequence[str]) -> str | None:
        """What people say together of one thing; None where they differ."""

    def apply(self, task: Task, subject: str, said: str, before: str | None) -> None:
        """Make it so; PolydataError if it cannot be made. ``before`` is what was last made of it."""


class _Whole:
    """Answers that are alike or differ as a whole."""

    def same(self, one: str, other: str) -> bool:
        """Whether they mean the same."""
        return one == other

    def joint(self, said: Sequence[str]) -> str | None:
        """The first, where all are the same."""
        return said[0] if all(self.same(said[0], one) for one in said[1:]) else None


class Screened(_Whole):
    """Images accepted or rejected, as ``polydata screen --accept`` and ``--reject`` do."""

    def __init__(self, session: Session) -> None:
        self._catalogue = session.catalogue

    def read(self, _task: Task, _raw: Mapping[str, Any], found: Annotation) -> str:
        """The decision."""
        if found.problem or found.choice is None:
            raise ValueError(found.problem)
        return f'"{found.choice}"'

    def apply(self, _task: Task, subject: str, said: str, before: str | None) -> None:
        """Decide by hand."""
        image = find_image(self._catalogue, subject)
        there = decided_by_hand(self._catalogue, image)
        if there is not None and f'"{there}"' not in (said, before):
            raise UsageError(f"It was {there} by hand.", f"To follow the answer: polydata screen --undo {image}")
        save_choices(self._catalogue, "", corrections=[(image, cast(Decision, said.strip('"')))])


class Corrected(_Whole):
    """Figures whose panels and captions are set right, as ``polydata edit`` does.

    Args:
        session: open for writing.
        by: makes corrections.
    """

    def __init__(self, session: Session, by: Readers) -> None:
        self._session, self._by = session, by

    def read(self, task: Task, raw: Mapping[str, Any], _found: Annotation) -> str:
        """The layout of the figure."""
        results = raw["result"] if isinstance(raw.get("result"), list) else []
        return self._asked(task).read(results).as_json()

    def same(self, one: str, other: str) -> bool:
        """Whether the layouts mean the same."""
        return Layout.from_json(one).same(Layout.from_json(other))

    def apply(self, task: Task, _subject: str, said: str, before: str | None) -> None:
        """Make what differs from before; of a figure all or nothing."""
        asked = self._asked(task)
        was = asked.layout if before is None else Layout.from_json(before)
        wanted = corrections(asked.place, was, Layout.from_json(said))
        if not wanted:
            return
        target = find_in_pdf(self._session.catalogue, "paper", asked.sha256)
        paper = load_paper(self._session.catalogue, str(target.paper_id))

        wanted = [one for one in (_where_it_stands(paper, one) for one in wanted) if one is not None]
        if wanted:
            correct(self._session, self._by, target, paper, wanted)

    @staticmethod
    def _asked(task: Task) -> AskedFigure:
        return AskedFigure.from_json(server_tasks.shown_by(task, "asked"))


def _where_it_stands(paper: Paper, wanted: Wanted) -> Wanted | None:
    """A correction of what stands now where a person saw it, whatever its label; None to delete what is gone.

    Raises:
        UsageError: if none stands there that could be changed.
    """
    what, place, changes = wanted
    if what == "figure" and changes.delete:
        stands = nearest([one for one in paper.figures if one.page == place.page], place.box)
        return (what, Place(place.page, stands.label, stands.box), changes) if stands else None
    if what != "panel" or place.panel_box is None:
        return wanted
    figure = figure_at(paper, place)
    there = nearest(figure.panels if figure else (), place.panel_box)
    if there is not None:
        return what, replace(place, panel_label=there.label, panel_box=there.box), changes
    if changes.delete:
        return None
    name = f"The panel {place.panel_label or 'without a letter'} of {place.label or 'the figure'}"
    raise UsageError(f"{name} on page {place.page} does not stand there any more.", "Nothing was changed.")


class Judged:
    """What people counted in the units of a sample, see ``polydata.quality``."""

    def __init__(self, session: Session) -> None:
        self._catalogue = session.catalogue
        self._sample = {asked_as(row): row for row in sampled(session.catalogue)}

    def read(self, _task: Task, raw: Mapping[str, Any], found: Annotation) -> str:
        """The numbers; none of a unit of a former sample."""
        unit = self._sample.get(found.image_sha256)
        if unit is None:
            return "{}"
        counts: dict[str, Any] = {"is_micrograph": {"yes": 1, "no": 0}.get(found.choice or "")}
        for one in raw["result"] if isinstance(raw.get("result"), list) else []:
            value = one.get("value") if isinstance(one, Mapping) else None
            name, value = (str(one.get("from_name")), value) if isinstance(value, Mapping) else ("", {})
            if "number" in value:
                counts[name] = value["number"]
            elif name in CLAIMED and isinstance(value.get("choices"), list):
                counts |= _said_of_claim(name, unit["found"].get(name, 0), value["choices"])
        return json.dumps(checked(unit["kind"], unit, counts))

    def same(self, one: str, other: str) -> bool:
        """Whether they counted alike, as far as both did."""
        return self.joint((one, other)) is not None

    def joint(self, said: Sequence[str]) -> str | None:
        """All that anybody counted: one may leave open what another did not."""
        joint: dict[str, int] = {}
        for counts in map(json.loads, said):
            if any(joint.get(name, number) != number for name, number in counts.items()):
                return None
            joint |= counts
        return json.dumps(joint)

    def apply(self, _task: Task, subject: str, said: str, before: str | None) -> None:
        """Write it to the sample, beside what was counted there and is left open now."""
        unit = self._sample.get(subject)
        if unit is None:
            return
        there, counted = unit["judged"] or {}, json.dumps(unit["judged"] or {})
        if not self.same(counted, said) and not (before and self.same(counted, before)):
            counts = ", ".join(f"{name} {number}" for name, number in there.items())
            raise UsageError(f"It was counted otherwise in a table: {counts}.", "Say the same in both.")
        save_judged(self._catalogue, {unit["unit"]: there | json.loads(said)})


def _said_of_claim(what: str, found: int, choices: Sequence[object]) -> dict[str, int]:
    """What a choice of ``page.READ`` counts; nothing where none or another word was chosen."""
    right, another, none = READ
    one, counts = MEASURED[what], {right: (found, 0), another: (0, 1), none: (0, 0)}
    said = counts.get(str(choices[0])) if choices else None
    return dict(zip(one.fields, said, strict=True)) if said else {}


@dataclass(frozen=True)
class _Answer:
    """An annotation with its task, what it says, and why it cannot be used."""

    task: Task
    found: Annotation
    said: str | None
    problem: str | None
    applied: str | None
    made_as: int | None

    @property
    def who(self) -> object:
        """Whose it is; answers of nobody who is known are each their own."""
        return self.found.annotator if self.found.annotator is not None else f"annotation {self.found.annotation_id}"

    @property
    def where(self) -> str:
        """What it speaks of, for a message."""
        place = shown_text(server_tasks.shown_by(self.task, "place")).replace("\n", " ")[:200]
        return f"{place} (task {self.found.task})"


def bring(session: Session, server: Server, target: Target, project: Project, progress: Progress) -> Pulled:
    """Pull the answers of one project and make them so.

    Answers are made so once. Where people differ about one figure or image, nothing is made and they are named, until
    they agree. What was made stays when an answer is deleted on the server.

    Args:
        session: open for writing.
        server: with the project.
        target: what the project is for.
        project: as it is now, with a mark.
        progress: told how many tasks are read.

    Raises:
        ServerError: if the server cannot be reached, or the project is not what it should be.
    """
    choices = choices_of(session.task, target.kind)
    check_page(project, choices, kind=target.kind)
    place = server.url, project.id, str(project.mark)
    known = stored.known_answers(session.catalogue, *place)
    with ExitStack() as stack:
        meaning: Meaning = Screened(session) if target.role == "screening" else Judged(session)
        if target.role == "boxes":
            meaning = Corrected(session, stack.enter_context(editor(session)))
        answers = []
        for task, annotations in tracked(
            server_tasks.answered_tasks(server, project.id, None), "Reading answered tasks", progress
        ):
            subject = str(server_tasks.shown_by(task, OUR_ID) or "")
            for raw in annotations:
                found = read_annotation(raw, int(task["id"]), subject, choices)
                answers.append(_answer(meaning, task, raw, found, known))
        emails = server_tasks.annotators(server) if answers else {}

        def row(answer: _Answer) -> dict[str, Any]:
            whole = answer.found.row(*place, target.role, emails)
            names = ("server", "project", "mark", "annotation_id", "role", "annotator", "updated_at", "deleted", "raw")
            own: dict[str, Any] = {"subject": answer.found.image_sha256, "said": answer.said}
            own |= {"applied": answer.applied, "made_as": answer.made_as}
            return {name: whole[name] for name in names} | own

        seen = {answer.found.annotation_id for answer in answers}
        gone = [dict(one) for number, one in known.items() if number not in seen and not one["deleted"]]
        fresh = [one for one in answers if one.found.annotation_id not in known]
        changed = [one for one in answers if _differs(one, known.get(one.found.annotation_id))]
        with session.catalogue.transaction():
            save_project(session.catalogue, *place, title=target.title, role=target.role, split=target.split)
            rows = [row(one) for one in (*fresh, *changed)]
            stored.save_answers(session.catalogue, [*rows, *(one | {"deleted": True} for one in gone)])
        problems: list[str] = []
        applied = 0
        before = stored.last_applied(session.catalogue, target.role)
        for subject, its in _by_subject(answers).items():
            try:
                with session.catalogue.transaction():
                    made = _settle(meaning, subject, its, before.get(subject))
                    if made:
                        number = stored.next_made(session.catalogue)
                        stored.save_answers(session.catalogue, [row(replace(one, made_as=number)) for one in made])
            except _Unsettled as error:
                problems += error.args
            else:
                applied += bool(made)
    return Pulled(
        projects=(project.title,),
        new=len(fresh),
        changed=len(changed),
        unchanged=len(answers) - len(fresh) - len(changed),
        deleted=len(gone),
        skipped=sum(one.found.cancelled for one in (*fresh, *changed)),
        kept=0,
        problems=problems,
        annotations=len(answers),
        applied=applied,
    )


def _answer(
    meaning: Meaning, task: Task, raw: Mapping[str, Any], found: Annotation, known: Mapping[int, Mapping[str, Any]]
) -> _Answer:
    said, problem = None, None
    if not found.cancelled:
        try:
            said = meaning.read(task, raw, found)
        except ValueError as error:
            problem = f"annotation {found.annotation_id} of task {found.task}: {error}"
    row = known.get(found.annotation_id, {})
    return _Answer(task, found, said, problem, row.get("applied"), row.get("made_as"))


def _differs(answer: _Answer, row: Mapping[str, Any] | None) -> bool:
    """Whether an answer that is known says something else by now."""
    return row is not None and (
        row["deleted"] or (row["said"], row["updated_at"]) != (answer.said, answer.found.updated_at)
    )


def _by_subject(answers: Sequence[_Answer]) -> dict[str, list[_Answer]]:
    """The last answer of each person about each figure or image; what was skipped is none."""
    last: dict[tuple[str, object], _Answer] = {}
    for one in sorted(answers, key=lambda one: (one.found.updated_at, one.found.annotation_id)):
        if not one.found.cancelled:
            last[one.found.image_sha256, one.who] = one
    found = defaultdict(list)
    for (subject, _), one in last.items():
        found[subject].append(one)
    return found


class _Unsettled(Exception):
    """Nothing can be made of what people say; its arguments are why, one line each."""


def _settle(meaning: Meaning, subject: str, answers: Sequence[_Answer], before: str | None) -> list[_Answer]:
    """Make what people say of one figure or image, within a transaction; the answers that are in force now."""
    unusable = [one.problem for one in answers if one.problem]
    if unusable:
        raise _Unsettled(*unusable)
    first, said = answers[0], meaning.joint([str(one.said) for one in answers])
    if said is None:
        raise _Unsettled(f"{first.where}: {len(answers)} people differ; let them agree, or delete answers")
    if all(one.applied == one.said for one in answers) and (before is None or meaning.same(before, said)):
        return []
    try:
        meaning.apply(first.task, subject, said, before)
    except PolydataError as error:
        raise _Unsettled(f"{first.where}: {error.message} {error.hint}".rstrip()) from None
    return [replace(one, applied=one.said) for one in answers]
