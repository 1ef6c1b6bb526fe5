"""The projects that a workspace asks reviewers in: for labels, for what they differ about, and blind."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from polydata.catalogue import annotations as stored
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.session import Session
from polydata.catalogue.task_answers import answer_counts
from polydata.choices import Asked
from polydata.errors import UsageError
from polydata.files.tables import refuse_other_table, write_csv
from polydata.labels.labelstudio.connection import Server, connect
from polydata.labels.labelstudio.project import (
    Project,
    check_page,
    find_project,
    make_project,
    marked,
    new_mark,
    update_project,
)
from polydata.labels.page import KINDS, choices_of, guide, labelling_page
from polydata.workspace import Workspace

Role = Literal["label", "review", "blind", "screening", "boxes", "quality-pages", "quality-figures", "quality-images"]
OTHER: tuple[Role, ...] = ("screening", "boxes", "quality-pages", "quality-figures", "quality-images")
"""Roles of projects whose answers are no labels, but corrections and decisions by hand."""


@dataclass(frozen=True)
class Target:
    """A project that is to be.

    Attributes:
        role: ``label`` asks for labels; ``review`` asks others about images that annotators differ about; ``blind``
            shows the image alone and measures people: its answers are no labels; ``screening`` asks what is a
            micrograph, ``boxes`` where the panels of figures are, ``quality-`` how much of a sample was read well.
        split: whose test images a blind project shows.
    """

    title: str
    role: Role = "label"
    split: str | None = None

    @property
    def kind(self) -> str:
        """Of its page: one of ``page.KINDS``."""
        return self.role if self.role in KINDS else ""


def target(
    workspace: Workspace, title: str | None = None, blind_split: str | None = None, asked: Asked = "labels"
) -> Target:
    """The project that options mean: the named one, else that of the settings or one made of its name.

    Args:
        workspace: with the settings.
        title: of the project.
        blind_split: whose test images a blind project shows.
        asked: what people are asked.

    Raises:
        UsageError: if something else than labels is to be asked blind.
    """
    main = workspace.settings.label_studio.project
    if asked != "labels":
        if blind_split is not None:
            raise UsageError("Only labels are asked for blind.", "Leave out --blind and --split, or --task.")
        return Target(title or f"{main} {asked}", asked)
    if blind_split is not None:
        return Target(title or f"{main} blind {blind_split}", "blind", blind_split)
    return Target(title or main)


def review_target(workspace: Workspace, title: str | None = None) -> Target:
    """The project for images that annotators differ about."""
    return Target(title or f"{workspace.settings.label_studio.project} review", "review")


def _registered(catalogue: Catalogue, url: str) -> dict[str, Target]:
    return {r["title"]: Target(r["title"], r["role"], r["split"]) for r in stored.projects_on(catalogue, url)}


def known_targets(session: Session, url: str) -> list[Target]:
    """The project of the settings, then every other that was used on this server."""
    registered = _registered(session.catalogue, url)
    main = target(session.workspace)
    return [registered.pop(main.title, main), *registered.values()]


def open_server(workspace: Workspace) -> Server:
    """A connection to the server of the settings; errors as of ``connect``."""
    settings = workspace.settings.label_studio
    return connect(settings.url, plain_http=settings.plain_http)


def setup(session: Session, wanted: Target) -> Project:
    """Make a project, or bring its labelling page and the reviewers' guide up to date.

    Raises:
        UsageError, WorkspaceError, ServerError: as ``ensure``; also if the project is somebody else's.
    """
    return ensure(session, open_server(session.workspace), wanted, update=True)


def ensure(session: Session, server: Server, wanted: Target, *, update: bool = False) -> Project:
    """A project to push to: made where it is missing, and otherwise left as it is if it asks what the task asks.

    Args:
        update: bring its page and guide up to date.

    Raises:
        UsageError: if its name stands for a project of another kind.
        WorkspaceError: if the server would not take the name.
        ServerError: if the server refuses or the project asks something else.
    """
    known = _registered(session.catalogue, server.url).get(wanted.title, wanted)
    if known != wanted:  # a project keeps its kind: else answers given blind would become labels
        what = f"{known.role} project" + (f" of the split {known.split}" if known.split else "")
        raise UsageError(f"{wanted.title!r} is a {what} already.", "Name another one with --project.")
    project = find_project(server, wanted.title)
    mark = (project.mark if project else None) or new_mark()
    contents = labelling_page(session.task, kind=wanted.kind, mark=mark), guide(session.task, wanted.kind)
    if project is None:
        project = make_project(server, wanted.title, *contents)
    elif update:
        project = update_project(server, project, *contents)
    check_page(project, choices_of(session.task, wanted.kind), kind=wanted.kind)
    project = marked(server, project)
    with session.catalogue.transaction():
        stored.save_project(session.catalogue, server.url, project.id, project.mark, **asdict(wanted))
    return project


@dataclass(frozen=True)
class Pulled:
    """What a pull brought from one project, or from several together.

    Attributes:
        projects: titles.
        new, changed, unchanged, deleted: annotations.
        skipped: among the new and changed ones, tasks that a reviewer skipped.
        applied: figures and images that were corrected or decided as people said.
        kept: answers of a project that another of its name and number has taken the place of; they stay in force.
        problems: answers that cannot be used, projects that are gone and such as failed, one line each.
        annotations: live annotations of the projects in the catalogue afterwards.
    """

    projects: tuple[str, ...]
    new: int
    changed: int
    unchanged: int
    deleted: int
    skipped: int
    kept: int
    problems: list[str]
    annotations: int
    applied: int = 0

    def __add__(self, other: Pulled) -> Pulled:
        return Pulled(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


TRUTH = "truth"


def write_answers(session: Session, split: str, path: Path) -> tuple[int, list[str]]:
    """Write a CSV file: a row an image, with its label in the split and a column for each person who answered blind.

    Returns:
        The number of images, and the people.

    Raises:
        UsageError: if nobody has answered.
        InputError: if the file cannot be written.
        RefusedError: if another table is there.
    """
    refuse_other_table(path, ("image_sha256", TRUTH))
    rows = stored.blind_answers(session.catalogue, split)
    if not rows:
        raise UsageError(
            f"Nobody has answered blind about the split {split!r}.",
            f"Ask: polydata label push --blind --split {split}; then polydata label pull.",
        )
    people = sorted({row["annotator"] for row in rows})
    answers = {(row["image_sha256"], row["annotator"]): row["choice"] for row in rows}
    truths = {row["image_sha256"]: row["truth"] for row in rows}
    table = (
        {"image_sha256": s, TRUTH: truth, **{who: answers.get((s, who)) for who in people}}
        for s, truth in truths.items()
    )
    write_csv(path, ["image_sha256", TRUTH, *people], table)
    return len(truths), people


@dataclass(frozen=True)
class Status:
    """Where labelling stands.

    Attributes:
        server: address.
        projects: one row each: project, role, split, url, ``tasks`` and ``annotations`` on the server (None where it
            has no such project), ``pulled``, ``skipped``, ``unusable``, ``deleted``, ``annotators``, ``pulled_to``.
        images: over all projects: ``reviewed`` ones, and ``tied`` ones.
    """

    server: str
    projects: list[dict[str, Any]]
    images: dict[str, int]


def status(session: Session) -> Status:
    """Compare both sides.

    Raises:
        ServerError: if the server cannot be reached.
    """
    server = open_server(session.workspace)
    rows = []
    for known in known_targets(session, server.url):
        project = find_project(server, known.title)
        place = session.catalogue, server.url, project.id if project else None
        labels = known.role not in OTHER
        counts = stored.annotation_counts(*place, session.task.choices) if labels else answer_counts(*place)
        rows.append(
            {
                "project": known.title,
                "role": known.role,
                "split": known.split,
                **{name: getattr(project, name, None) for name in ("url", "tasks", "annotations")},
                "pulled": counts["annotations"],
                **{name: counts[name] for name in ("skipped", "unusable", "deleted", "annotators")},
                "pulled_to": stored.watermark(session.catalogue, server.url, project.id, project.mark)
                if project
                else None,
            }
        )
    return Status(server.url, rows, stored.review_counts(session.catalogue))
