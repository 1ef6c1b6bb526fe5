"""Pull the reviewers' answers from all projects of a workspace: what they mean, and what has changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from polydata.catalogue import annotations as stored
from polydata.catalogue.session import Session
from polydata.errors import ServerError
from polydata.labels import projects
from polydata.labels.labelstudio import tasks as server_tasks
from polydata.labels.labelstudio.connection import Server, connect
from polydata.labels.labelstudio.project import Project, check_page, find_project
from polydata.labels.page import ANSWER, COMMENT, choices, shown_text
from polydata.labels.projects import Target
from polydata.labels.resolve import settle
from polydata.types import Progress, quiet, tracked

MAX_RAW = 200_000
"""An annotation with more JSON than this is no choice and a comment."""
_PASSING = ("created_ago",)
"""Keys of an annotation whose value depends on when it is read."""
MARGIN = timedelta(seconds=5)
"""A pull looks back so far behind the newest change the last one saw: changes may become visible out of order."""


@dataclass(frozen=True)
class Pulled:
    """What a pull brought from one project, or from several together.

    Attributes:
        projects: titles.
        new, changed, unchanged, deleted: annotations.
        skipped: among the new and changed ones, tasks that a reviewer skipped.
        problems: answers that cannot be used and projects that are gone, one line each.
        annotations: live annotations of the projects in the catalogue afterwards.
    """

    projects: tuple[str, ...]
    new: int
    changed: int
    unchanged: int
    deleted: int
    skipped: int
    problems: list[str]
    annotations: int

    def __add__(self, other: Pulled) -> Pulled:
        return Pulled(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def pull(session: Session, *, full: bool = False, title: str | None = None, progress: Progress = quiet) -> Pulled:
    """Bring the catalogue to the state of the server: new, edited, skipped and deleted annotations.

    Of each project, tasks touched since the last pull are read, or all that are annotated if ``full``. What was
    deleted may leave no trace on the server, so both sides are counted, and everything is read where they differ.
    What came from a project is written at once at the end: a pull that fails leaves it as it was.

    Args:
        title: only this project; otherwise that of the settings and every other that was pushed to.

    Raises:
        ServerError: if the server cannot be reached, has none of the projects, or one is not what it should be.
    """
    server = connect(session.workspace.settings.label_studio.url)
    known = projects.known_targets(session, server.url)
    wanted = [t for t in known if t.title == title] or [Target(title)] if title is not None else known
    found = [(target, find_project(server, target.title)) for target in wanted]
    if all(project is None for _, project in found):
        raise ServerError(
            f"Label Studio at {server.url} has no project {wanted[0].title!r}.", "Make it with: polydata label push"
        )
    total = Pulled((), 0, 0, 0, 0, 0, [], 0)
    for target, project in found:
        if project is not None:
            reading = _Reading(session, server, project)
            total += reading.bring(target, progress, full=full)
        elif target is not wanted[0]:
            total.problems.append(f"project {target.title!r} is no longer on the server; what came from it stays")
    if total.new or total.changed or total.deleted:
        settle(session.catalogue)
    return total


class _Reading:
    """Reads the answers of one project and brings them to the catalogue."""

    def __init__(self, session: Session, server: Server, project: Project) -> None:
        self.catalogue = session.catalogue
        self.server = server
        self.project = project
        self.answers = choices(session.task)
        self.images = stored.image_hashes(session.catalogue)
        self.known = stored.project_annotations(session.catalogue, server.url, project.id)
        self.ignored: list[str] = []

    def bring(self, target: Target, progress: Progress, *, full: bool) -> Pulled:
        """Read what was touched, or everything, and write it."""
        check_page(self.project, self.answers, blind=target.role == "blind")
        newest = server_tasks.newest_change(self.server, self.project.id)
        since = None if full else stored.watermark(self.catalogue, self.server.url, self.project.id)
        changes, problems = self._changes(since, progress)
        # The project was counted before it was read: what changed in between makes the counts differ, now or next time.
        if since and changes.live + len(self.ignored) != self.project.annotations:
            changes, problems = self._changes(None, progress)
        written = [*changes.new, *changes.changed]
        emails = server_tasks.annotators(self.server) if written else {}
        stored.save_project(self.catalogue, self.server.url, self.project.id, **asdict(target))
        stored.save_pull(
            self.catalogue,
            self.server.url,
            self.project.id,
            annotations=[a.row(self.server.url, self.project.id, target.role, emails) for a in written],
            deleted=changes.deleted,
            pulled_to=(datetime.fromisoformat(newest) - MARGIN).isoformat() if newest else None,
        )
        return Pulled(
            projects=(self.project.title,),
            new=len(changes.new),
            changed=len(changes.changed),
            unchanged=changes.unchanged,
            deleted=len(changes.deleted),
            skipped=sum(a.cancelled for a in written),
            problems=problems,
            annotations=changes.live,
        )

    def _changes(self, since: str | None, progress: Progress) -> tuple[Changes, list[str]]:
        """Compare what was touched since then with what is known; also what cannot be used."""
        pulled: list[Annotation] = []
        seen: set[int] = set()
        self.ignored = []
        tasks = server_tasks.annotated_tasks(self.server, self.project.id, since)
        for task, image, found in tracked(tasks, "Reading annotated tasks", progress):
            seen.add(task)
            if image in self.images:
                pulled += [read_annotation(raw, task, image, self.answers) for raw in found]
            else:
                unknown = (f"annotation {a.get('id')} of task {task}" for a in found)
                self.ignored += [f"{one}: not an image of this catalogue" for one in unknown]
        changes = compare(self.known, pulled, seen, complete=since is None)
        # An answer that could not be used is named by every pull until somebody corrects it.
        again = [
            read_annotation(json.loads(row["raw"]), row["task"], row["image_sha256"], self.answers)
            for row in self.known.values()
            if since is not None and row["task"] not in seen and not row["deleted"] and row["choice"] is None
        ]
        answers = [*pulled, *again]
        unusable = [f"annotation {a.annotation_id} of task {a.task}: {a.problem}" for a in answers if a.problem]
        return changes, unusable + self.ignored


@dataclass(frozen=True)
class Annotation:
    """A reviewer's answer.

    Attributes:
        annotator: number of the account; None where there is none.
        choice: one of the task's choices; None for a skipped task or an answer that cannot be used.
        cancelled: the reviewer skipped the task.
        updated_at: by the server's clock, UTC without a zone.
        raw: JSON as the server gave it.
        problem: why the answer cannot be used; None where it can.
    """

    annotation_id: int
    task: int
    image_sha256: str
    annotator: int | None
    choice: str | None
    comment: str | None
    cancelled: bool
    updated_at: datetime
    raw: str
    problem: str | None

    def row(self, server: str, project: int, role: str, emails: Mapping[int, str]) -> dict[str, Any]:
        """The row of the annotations table.

        Args:
            role: what the project is for.
            emails: addresses of the accounts by number; others become ``user N``.
        """
        who = "unknown" if self.annotator is None else emails.get(self.annotator, f"user {self.annotator}")
        own = {name: value for name, value in vars(self).items() if name != "problem"} | {"annotator": who}
        return {"server": server, "project": project, **own, "deleted": False, "role": role}


def _choice(results: Sequence[Any], choices: Sequence[str]) -> tuple[str | None, str | None]:
    words = _words(results, ANSWER, "choices")
    if not words:
        return None, "it has no choice"
    if len(words) > 1:
        return None, f"it has {len(words)} choices"
    if words[0] not in choices:
        return None, f"{shown_text(words[0])[:60]!r} is no choice of the task"
    return words[0], None


def _words(results: Sequence[Any], control: str, key: str) -> list[str]:
    """What was said in a control of the page."""
    found: list[str] = []
    for result in results:
        if isinstance(result, Mapping) and result.get("from_name") == control:
            value = result.get("value")
            words = value.get(key) if isinstance(value, Mapping) else None
            found += [words] if isinstance(words, str) else map(str, words) if isinstance(words, list) else []
    return found


def read_annotation(raw: Mapping[str, Any], task: int, image_sha256: str, choices: Sequence[str]) -> Annotation:
    """What an annotation of the server says.

    Args:
        raw: as the server lists it. Its score is not read: where a prediction was shown, it is the prediction's.
        choices: answers that the task knows.

    Raises:
        ServerError: if it has no number or no time.
    """
    try:
        number = int(raw["id"])
        updated_at = datetime.fromisoformat(raw["updated_at"])
    except (KeyError, TypeError, ValueError):
        raise ServerError(f"The server gave an annotation of task {task} without number or time.") from None
    results = raw["result"] if isinstance(raw.get("result"), list) else []
    cancelled = raw.get("was_cancelled") is True
    choice, problem = (None, None) if cancelled else _choice(results, choices)
    text = json.dumps({k: v for k, v in raw.items() if k not in _PASSING}, sort_keys=True, ensure_ascii=False)
    if len(text) > MAX_RAW:
        choice, problem = None, f"it is {len(text)} characters long"
        text = json.dumps({"id": number, "updated_at": raw["updated_at"]})
    who = raw.get("completed_by")
    account = who.get("id") if isinstance(who, Mapping) else who
    comment = "\n".join(_words(results, COMMENT, "text"))
    return Annotation(
        annotation_id=number,
        task=task,
        image_sha256=image_sha256,
        annotator=account if isinstance(account, int) else None,
        choice=choice,
        comment=shown_text(comment) if comment.strip() else None,
        cancelled=cancelled,
        updated_at=(updated_at.astimezone(UTC) if updated_at.tzinfo else updated_at).replace(tzinfo=None),
        raw=text,
        problem=problem,
    )


@dataclass(frozen=True)
class Changes:
    """What a pull brings: answers to write, numbers of those that vanished, and how many are live afterwards."""

    new: list[Annotation]
    changed: list[Annotation]
    unchanged: int
    deleted: list[int]
    live: int


def compare(
    known: Mapping[int, Mapping[str, Any]], pulled: Sequence[Annotation], tasks_seen: set[int], *, complete: bool
) -> Changes:
    """What is new, what has changed and what is gone.

    Args:
        known: the project's rows of the annotations table by number.
        pulled: all annotations of the tasks that were read.
        tasks_seen: numbers of these tasks.
        complete: every annotated task of the project was read, so that what was not seen is gone.
    """
    new, changed = [], []
    for annotation in pulled:
        row = known.get(annotation.annotation_id)
        if row is None:
            new.append(annotation)
        elif row["deleted"] or any(
            row[name] != getattr(annotation, name) for name in ("choice", "comment", "cancelled", "updated_at")
        ):
            changed.append(annotation)
    seen = {a.annotation_id for a in pulled}
    live = {number for number, row in known.items() if not row["deleted"]}
    deleted = sorted(n for n in live - seen if complete or known[n]["task"] in tasks_seen)
    unchanged = len(pulled) - len(new) - len(changed)
    return Changes(new, changed, unchanged, deleted, live=len((live | seen) - set(deleted)))
