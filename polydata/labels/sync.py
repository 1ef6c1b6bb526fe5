"""Push images to a Label Studio project, pull the reviewers' answers, and compare both sides."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from polydata.catalogue import annotations as stored
from polydata.catalogue.connect import Catalogue
from polydata.errors import InputError, ServerError, WorkspaceError
from polydata.images import ImageStore
from polydata.labels import review
from polydata.labels.labelstudio import images as server_images
from polydata.labels.labelstudio import project as projects
from polydata.labels.labelstudio import tasks as server_tasks
from polydata.labels.labelstudio.connection import Server, connect
from polydata.labels.labelstudio.project import Project
from polydata.labels.page import ANSWER, choices, labelling_page
from polydata.labels.shown import file_to_show
from polydata.workspace import Workspace

Progress = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]
"""Opens a progress bar with a title and a total."""

MARGIN = timedelta(seconds=5)
"""A pull looks back so far behind the newest change the last one saw: changes may become visible out of order."""


@dataclass(frozen=True)
class Pushed:
    """What a push did.

    Attributes:
        selected: images that were to be in the project.
        created: tasks made now.
        present: images that had a task already.
        problems: images that could not be shown, one line each.
    """

    project: Project
    selected: int
    created: int
    present: int
    problems: list[str]


@dataclass(frozen=True)
class Pulled:
    """What a pull brought.

    Attributes:
        new, changed, unchanged, deleted: annotations.
        skipped: among the new and changed ones, tasks that a reviewer skipped.
        problems: answers that cannot be used, one line each.
        annotations: live annotations of the project in the catalogue afterwards.
    """

    project: Project
    new: int
    changed: int
    unchanged: int
    deleted: int
    skipped: int
    problems: list[str]
    annotations: int


def push(
    workspace: Workspace, catalogue: Catalogue, only: review.Only, limit: int | None, progress: Progress
) -> Pushed:
    """Make a task for each image that has none yet; the project too, where it is missing.

    The server is asked each time which images it has, so a push that was ended at any moment
    is completed by the next one, and none is made twice.

    Args:
        only, limit: as ``select_images``.

    Raises:
        UsageError: if there is nothing to push.
        WorkspaceError: if the settings cannot work.
        ServerError: if the server cannot be reached, refuses, or asks something else than the task.
    """
    settings = workspace.settings.label_studio
    if settings.images not in ("local", "upload"):
        raise WorkspaceError(
            f"images under [label_studio] in polydata.toml is {settings.images!r}.", 'Set it to "local" or "upload".'
        )
    rows = review.select_images(stored.images_to_review(catalogue), only, limit)
    server = connect(settings.url)
    project = _project_for_push(server, workspace)
    have = server_tasks.existing_ids(server, project.id)
    missing = [row for row in rows if row["image_sha256"] not in have]
    files, problems = _files(workspace.images(), missing)
    urls = _addresses(server, project, workspace, files)
    records = stored.record_texts(catalogue)
    ready = [row for row in missing if row["image_sha256"] in urls]
    with progress("Making tasks", len(ready)) as advance:
        for start in range(0, len(ready), server_tasks.BATCH):
            batch = ready[start : start + server_tasks.BATCH]
            data = [review.task_data(r, records.get(r["image_sha256"], []), urls[r["image_sha256"]]) for r in batch]
            server_tasks.import_tasks(server, project.id, data)
            advance(len(batch))
    return Pushed(project, len(rows), len(ready), len(rows) - len(missing), problems)


def _project_for_push(server: Server, workspace: Workspace) -> Project:
    task = workspace.task()
    title = workspace.settings.label_studio.project
    project = projects.find_project(server, title)
    if project is None:
        project = projects.make_project(server, title, labelling_page(task), task.question)
    projects.check_page(server, project, ANSWER, choices(task))
    return project


def _files(store: ImageStore, rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Path], list[str]]:
    files, problems = {}, []
    for row in rows:
        sha256 = row["image_sha256"]
        try:
            files[sha256] = file_to_show(store, sha256, row["format"], row["mode"])
        except InputError as error:
            problems.append(error.message)
    return files, problems


def _addresses(server: Server, project: Project, workspace: Workspace, files: Mapping[str, Path]) -> dict[str, str]:
    settings = workspace.settings.label_studio
    if settings.images == "upload":
        return server_images.uploaded_urls(server, project.id, files)
    root = workspace.root / settings.document_root if settings.document_root else workspace.root.parent
    return server_images.local_urls(server, project.id, workspace.store, root, files)


def _existing_project(server: Server, workspace: Workspace) -> Project:
    title = workspace.settings.label_studio.project
    project = projects.find_project(server, title)
    if project is None:
        raise ServerError(
            f"Label Studio at {server.url} has no project {title!r}.", "Make it with: polydata label push"
        )
    return project


def pull(workspace: Workspace, catalogue: Catalogue, progress: Progress, *, full: bool = False) -> Pulled:
    """Bring the catalogue to the state of the server: new, edited, skipped and deleted annotations.

    Tasks touched since the last pull are read, or all that are annotated if ``full``. What was deleted may leave
    no trace on the server, so both sides are counted afterwards, and everything is read where they differ.
    All is written at once at the end: a pull that fails changes nothing.

    Raises:
        ServerError: if the server cannot be reached, or has no such project.
    """
    server = connect(workspace.settings.label_studio.url)
    project = _existing_project(server, workspace)
    known = stored.project_annotations(catalogue, server.url, project.id)
    newest = server_tasks.newest_change(server, project.id)
    since = None if full else stored.watermark(catalogue, server.url, project.id)
    reading = _Reading(server, project, choices(workspace.task()), stored.known_images(catalogue), progress)
    changes, problems = reading.changes(known, since)
    project = projects.read_project(server, project.id)
    if since and changes.live + len(reading.ignored) != project.annotations:
        changes, problems = reading.changes(known, None)
    written = [*changes.new, *changes.changed]
    pulled_to = (datetime.fromisoformat(newest) - MARGIN).isoformat() if newest else None
    stored.save_pull(
        catalogue,
        server.url,
        project.id,
        annotations=[a.row(server.url, project.id) for a in written],
        deleted=changes.deleted,
        pulled_to=pulled_to,
    )
    return Pulled(
        project=project,
        new=len(changes.new),
        changed=len(changes.changed),
        unchanged=changes.unchanged,
        deleted=len(changes.deleted),
        skipped=sum(a.cancelled for a in written),
        problems=problems,
        annotations=changes.live,
    )


class _Reading:
    """Reads annotations from one project."""

    def __init__(
        self, server: Server, project: Project, answers: Sequence[str], images: set[str], progress: Progress
    ) -> None:
        self.server = server
        self.project = project
        self.answers = answers
        self.images = images
        self.progress = progress
        self.emails = server_tasks.annotators(server)
        self.ignored: list[str] = []

    def changes(self, known: Mapping[int, Mapping[str, Any]], since: str | None) -> tuple[review.Changes, list[str]]:
        """Compare what was touched since then with what is known; also what cannot be used."""
        pulled: list[review.Annotation] = []
        seen: set[int] = set()
        self.ignored = []
        with self.progress("Reading annotated tasks", None) as advance:
            for task in server_tasks.annotated_tasks(self.server, self.project.id, since):
                seen.add(task.id)
                pulled += self._annotations(task)
                advance(1)
        changes = review.compare(known, pulled, seen, complete=since is None)
        untouched = [] if since is None else [row for row in known.values() if row["task"] not in seen]
        answers = [*pulled, *(self._again(row) for row in untouched if not row["deleted"] and row["choice"] is None)]
        unusable = [f"annotation {a.annotation_id} of task {a.task}: {a.problem}" for a in answers if a.problem]
        return changes, unusable + self.ignored

    def _again(self, row: Mapping[str, Any]) -> review.Annotation:
        """An answer that could not be used is named by every pull until somebody corrects it."""
        raw = json.loads(row["raw"])
        return review.read_annotation(raw, row["task"], row["image_sha256"], self.answers, self.emails)

    def _annotations(self, task: server_tasks.ServerTask) -> list[review.Annotation]:
        sha256 = task.our_id
        if sha256 is None or sha256 not in self.images:
            self.ignored += [f"annotation {a.get('id')} of task {task.id}: not an image of this catalogue"
                             for a in task.annotations]  # fmt: skip
            return []
        return [review.read_annotation(a, task.id, sha256, self.answers, self.emails) for a in task.annotations]


def status(workspace: Workspace, catalogue: Catalogue) -> dict[str, Any]:
    """Both sides in figures: the project on the server, and what the catalogue holds of it.

    Raises:
        ServerError: if the server cannot be reached.
    """
    server = connect(workspace.settings.label_studio.url)
    title = workspace.settings.label_studio.project
    project = projects.find_project(server, title)
    counts = stored.annotation_counts(catalogue, server.url, project.id if project else None)
    return {
        "server": server.url,
        "project": title,
        "url": project.url if project else None,
        "tasks on the server": project.tasks if project else None,
        "annotations on the server": project.annotations if project else None,
        "annotations pulled": counts["annotations"],
        "skipped": counts["skipped"],
        "without a usable answer": counts["unusable"],
        "deleted on the server": counts["deleted"],
        "annotators": counts["annotators"],
        "pulled up to": stored.watermark(catalogue, server.url, project.id) if project else None,
        **{f"images {k}": v for k, v in stored.review_counts(catalogue).items()},
    }
