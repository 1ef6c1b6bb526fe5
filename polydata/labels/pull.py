"""Pull the reviewers' answers from all projects of a workspace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from polydata.catalogue import annotations as stored
from polydata.catalogue.session import Session
from polydata.errors import ServerError
from polydata.labels import projects, review
from polydata.labels.labelstudio import tasks as server_tasks
from polydata.labels.labelstudio.connection import Server, connect
from polydata.labels.labelstudio.project import Project, check_page, find_project
from polydata.labels.page import choices
from polydata.labels.projects import Progress, Target
from polydata.labels.resolve import settle

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
        return Pulled(
            projects=self.projects + other.projects,
            new=self.new + other.new,
            changed=self.changed + other.changed,
            unchanged=self.unchanged + other.unchanged,
            deleted=self.deleted + other.deleted,
            skipped=self.skipped + other.skipped,
            problems=self.problems + other.problems,
            annotations=self.annotations + other.annotations,
        )


NOTHING = Pulled((), 0, 0, 0, 0, 0, [], 0)


def pull(session: Session, progress: Progress, *, full: bool = False, title: str | None = None) -> Pulled:
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
    total = NOTHING
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
        self.images = stored.known_images(session.catalogue)
        self.known = stored.project_annotations(session.catalogue, server.url, project.id)
        self.emails: dict[int, str] | None = None
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
        projects.note(self.catalogue, self.server, self.project, target)
        stored.save_pull(
            self.catalogue,
            self.server.url,
            self.project.id,
            annotations=[a.row(self.server.url, self.project.id, target.role) for a in written],
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

    def _changes(self, since: str | None, progress: Progress) -> tuple[review.Changes, list[str]]:
        """Compare what was touched since then with what is known; also what cannot be used."""
        pulled: list[review.Annotation] = []
        seen: set[int] = set()
        self.ignored = []
        with progress("Reading annotated tasks", None) as advance:
            for task in server_tasks.annotated_tasks(self.server, self.project.id, since):
                seen.add(task.id)
                pulled += self._annotations(task)
                advance(1)
        changes = review.compare(self.known, pulled, seen, complete=since is None)
        untouched = [] if since is None else [row for row in self.known.values() if row["task"] not in seen]
        answers = [*pulled, *(self._again(row) for row in untouched if not row["deleted"] and row["choice"] is None)]
        unusable = [f"annotation {a.annotation_id} of task {a.task}: {a.problem}" for a in answers if a.problem]
        return changes, unusable + self.ignored

    def _again(self, row: Mapping[str, Any]) -> review.Annotation:
        """An answer that could not be used is named by every pull until somebody corrects it."""
        return review.read_annotation(json.loads(row["raw"]), row["task"], row["image_sha256"], self.answers, {})

    def _annotations(self, task: server_tasks.ServerTask) -> list[review.Annotation]:
        sha256 = task.our_id
        if sha256 is None or sha256 not in self.images:
            self.ignored += [f"annotation {a.get('id')} of task {task.id}: not an image of this catalogue"
                             for a in task.annotations]  # fmt: skip
            return []
        return [self._annotation(raw, task.id, sha256) for raw in task.annotations]

    def _annotation(self, raw: Mapping[str, Any], task: int, sha256: str) -> review.Annotation:
        found = review.read_annotation(raw, task, sha256, self.answers, self.emails or {})
        known = self.known.get(found.annotation_id)
        if self.emails is None and (known is None or known["deleted"] or known["updated_at"] != found.updated_at):
            # The accounts are asked for only where there is something to write.
            self.emails = server_tasks.annotators(self.server)
            return review.read_annotation(raw, task, sha256, self.answers, self.emails)
        return found
