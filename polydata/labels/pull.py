"""Pull the reviewers' answers from all projects of a workspace: what they mean, and what has changed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from polydata.catalogue import annotations as stored
from polydata.catalogue.session import Session
from polydata.errors import PolydataError, RefusedError, ServerError
from polydata.labels import answers, projects
from polydata.labels.annotation import Annotation, read_annotation
from polydata.labels.labelstudio import tasks as server_tasks
from polydata.labels.labelstudio.connection import Server
from polydata.labels.labelstudio.project import Project, check_page, find_project, marked
from polydata.labels.projects import OTHER, Pulled, Target
from polydata.labels.resolve import follow
from polydata.types import Progress, quiet, tracked

FEW = 5
"""So many answers of a project may vanish at once without anybody having to say so."""
MARGIN = timedelta(seconds=5)
"""A pull looks back so far behind the newest change the last one saw: changes may become visible out of order."""


def pull(
    session: Session,
    *,
    full: bool = False,
    title: str | None = None,
    deletions: bool = False,
    progress: Progress = quiet,
) -> Pulled:
    """Bring the catalogue to the state of the server: new, edited, skipped and deleted annotations.

    Of each project, tasks touched since the last pull are read, or all that are annotated if ``full``. What was
    deleted may leave no trace on the server, so both sides are counted, and everything is read where they differ.
    What came from a project is written at once at its end, with what follows from it: one that fails stays as it was
    and is named, and the others are pulled all the same. A project is known by the mark on its page: answers of one
    that was there before, on a server that was set up anew, are neither replaced nor deleted.

    Args:
        title: only this project; otherwise that of the settings and every other that was pushed to.
        deletions: also where more than ``FEW`` answers of a project are no longer on the server.

    Raises:
        ServerError: if the server cannot be reached, has none of the projects, or none is what it should be.
        RefusedError: if more than a few answers would be deleted in each of the projects.
    """
    server = projects.open_server(session.workspace)
    known = projects.known_targets(session, server.url)
    wanted = [t for t in known if t.title == title] or [Target(title)] if title is not None else known
    found = [(target, find_project(server, target.title)) for target in wanted]
    if all(project is None for _, project in found):
        raise ServerError(
            f"Label Studio at {server.url} has no project {wanted[0].title!r}.", "Make it with: polydata label push"
        )
    total = Pulled((), 0, 0, 0, 0, 0, 0, [], 0)
    failed: PolydataError | None = None
    for target, there in found:
        if there is not None:
            try:
                project = marked(server, there)
                if target.role in OTHER:
                    total += answers.bring(session, server, target, project, progress)
                    continue
                total += _Reading(session, server, project).bring(target, progress, full=full, deletions=deletions)
            except (ServerError, RefusedError) as error:
                failed = failed or error
                total.problems.append(f"project {target.title!r}: {error.message}")
        elif target is not wanted[0]:
            total.problems.append(f"project {target.title!r} is no longer on the server; what came from it stays")
    if failed and not total.projects:
        raise failed
    return total


class _Reading:
    """Reads the answers of one project and brings them to the catalogue."""

    def __init__(self, session: Session, server: Server, project: Project) -> None:
        self.catalogue = session.catalogue
        self.server = server
        self.project = project
        self.answers = session.task.choices
        self.renames = stored.renames(session.catalogue)
        self.images = stored.image_hashes(session.catalogue)
        self.known = stored.project_annotations(session.catalogue, server.url, project.id)
        self.ignored: list[str] = []

    def bring(self, target: Target, progress: Progress, *, full: bool, deletions: bool) -> Pulled:
        """Read what was touched, or everything, and write it."""
        check_page(self.project, self.answers, kind=target.kind)
        newest = server_tasks.newest_change(self.server, self.project.id)
        place = self.server.url, self.project.id, self.project.mark
        since = None if full else stored.watermark(self.catalogue, *place)
        aside = {row["mark"] for row in self.known.values() if row["mark"] not in (None, self.project.mark)}
        changes, problems = self._changes(since, progress, aside)
        if since is None and self._is_another(changes):  # from before there were marks
            aside.add(None)
            changes, problems = self._changes(since, progress, aside)
        # The project was counted before it was read: what changed in between makes the counts differ, now or next time.
        if since and changes.live + len(self.ignored) != self.project.annotations:
            changes, problems = self._changes(None, progress, aside)
        if len(changes.deleted) > FEW and not deletions:
            raise RefusedError(
                f"{len(changes.deleted)} of {len(self.known)} answers are no longer in the project "
                f"{self.project.title!r} ({self.project.url}); nothing of it was pulled.",
                "Look whether it is the right project. Say --yes to take them as deleted; polydata label restore "
                "brings them back.",
            )
        written = [*changes.new, *changes.changed]
        emails = server_tasks.annotators(self.server) if written else {}
        kept = sum(row["mark"] in aside and not row["deleted"] for row in self.known.values())
        with self.catalogue.transaction():
            stored.set_aside(self.catalogue, *place[:2], aside)
            stored.save_project(self.catalogue, *place, **asdict(target))
            stored.save_pull(
                self.catalogue,
                *place,
                annotations=[a.row(*place, target.role, emails) for a in written],
                deleted=changes.deleted,
                pulled_to=(datetime.fromisoformat(newest) - MARGIN).isoformat() if newest else None,
            )
            if written or changes.deleted:
                follow(self.catalogue)
        return Pulled(
            projects=(self.project.title,),
            new=len(changes.new),
            changed=len(changes.changed),
            unchanged=changes.unchanged,
            deleted=len(changes.deleted),
            skipped=sum(a.cancelled for a in written),
            kept=kept,
            problems=problems,
            annotations=changes.live,
        )

    def _is_another(self, changes: Changes) -> bool:
        """Whether answers that bear no mark came from another project than this, by what all of this one says."""
        unmarked = {n: row for n, row in self.known.items() if row["mark"] is None and not row["deleted"]}
        if not unmarked or self.project.mark is None:
            return False
        return not any(_same_answer(unmarked[a.annotation_id], a) for a in changes.read if a.annotation_id in unmarked)

    def _changes(
        self, since: str | None, progress: Progress, aside: Collection[str | None]
    ) -> tuple[Changes, list[str]]:
        """Compare what was touched since then with what is known; also what cannot be used.

        Args:
            aside: marks of projects whose answers are not of this one.
        """
        known = {number: row for number, row in self.known.items() if row["mark"] not in aside}
        pulled: list[Annotation] = []
        seen: set[int] = set()
        self.ignored = []
        tasks = server_tasks.annotated_tasks(self.server, self.project.id, since)
        for task, image, found in tracked(tasks, "Reading annotated tasks", progress):
            seen.add(task)
            if image in self.images:
                pulled += [read_annotation(raw, task, image, self.answers, self.renames) for raw in found]
            else:
                unknown = (f"annotation {a.get('id')} of task {task}" for a in found)
                self.ignored += [f"{one}: not an image of this catalogue" for one in unknown]
        changes = compare(known, pulled, seen, complete=since is None)
        # An answer that could not be used is named by every pull until somebody corrects it.
        again = [
            read_annotation(json.loads(row["raw"]), row["task"], row["image_sha256"], self.answers, self.renames)
            for row in known.values()
            if since is not None
            and row["task"] not in seen
            and not row["deleted"]
            and not row["cancelled"]
            and row["choice"] not in self.answers
        ]
        answers = [*pulled, *again]
        unusable = [f"annotation {a.annotation_id} of task {a.task}: {a.problem}" for a in answers if a.problem]
        return changes, unusable + self.ignored


def _same_answer(row: Mapping[str, Any], answer: Annotation) -> bool:
    """Whether an answer that is known is the one of its number on the server."""
    made = [json.loads(raw).get("created_at") for raw in (row["raw"], answer.raw)]
    return (row["task"], row["image_sha256"], made[0]) == (answer.task, answer.image_sha256, made[1])


@dataclass(frozen=True)
class Changes:
    """What a pull brings: all answers that were read, those to write, numbers of those that vanished, and how many are
    live afterwards."""

    read: Sequence[Annotation]
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
    return Changes(pulled, new, changed, unchanged, deleted, live=len((live | seen) - set(deleted)))
