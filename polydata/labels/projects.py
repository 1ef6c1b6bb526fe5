"""The projects that a workspace asks reviewers in: for labels, for what they differ about, and blind."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.label_projects import known_projects, save_project
from polydata.errors import UsageError
from polydata.labels.labelstudio import project as on_server
from polydata.labels.labelstudio.connection import Server, checked_url, connect
from polydata.labels.labelstudio.project import Project
from polydata.labels.page import choices, guide, labelling_page
from polydata.workspace import Workspace

Role = Literal["label", "review", "blind"]
Progress = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]
"""Opens a progress bar with a title and a total."""


@dataclass(frozen=True)
class Target:
    """A project that is to be.

    Attributes:
        role: ``label`` asks for labels; ``review`` asks others about images that annotators differ about; ``blind``
            shows the image alone and measures people: its answers are no labels.
        split: whose test images a blind project shows.
    """

    title: str
    role: Role = "label"
    split: str | None = None


def main_target(workspace: Workspace) -> Target:
    """The project that polydata.toml names."""
    return Target(workspace.settings.label_studio.project)


def target(workspace: Workspace, title: str | None = None, blind_split: str | None = None) -> Target:
    """The project that options mean: the named one, else that of the settings, else one made of its name."""
    main = main_target(workspace).title
    if blind_split is not None:
        return Target(title or f"{main} blind {blind_split}", "blind", blind_split)
    return Target(title or main)


def review_target(workspace: Workspace, title: str | None = None) -> Target:
    """The project for images that annotators differ about."""
    return Target(title or f"{main_target(workspace).title} review", "review")


def _registered(catalogue: Catalogue, url: str) -> dict[str, Target]:
    return {r["title"]: Target(r["title"], r["role"], r["split"]) for r in known_projects(catalogue, url)}


def known_targets(workspace: Workspace, catalogue: Catalogue, url: str) -> list[Target]:
    """The project of the settings, then every other that was used on this server."""
    registered = _registered(catalogue, url)
    main = main_target(workspace)
    return [registered.pop(main.title, main), *registered.values()]


def setup(workspace: Workspace, catalogue: Catalogue, wanted: Target) -> Project:
    """Make a project, or bring its labelling page and the reviewers' guide up to date.

    Raises:
        UsageError, WorkspaceError, ServerError: as ``ensure``; also if the project is somebody else's.
    """
    _check_role(workspace, catalogue, wanted)
    server = connect(workspace.settings.label_studio.url)
    project = on_server.find_project(server, wanted.title)
    page, words = _contents(workspace, wanted)
    if project is None:
        project = on_server.make_project(server, wanted.title, page, words)
    else:
        project = on_server.update_project(server, project, page, words)
    note(catalogue, server, project, wanted)
    return project


def ensure(workspace: Workspace, catalogue: Catalogue, server: Server, wanted: Target) -> Project:
    """A project to push to: made where it is missing, and otherwise left as it is if it asks what the task asks.

    Raises:
        UsageError: if its name stands for a project of another kind.
        WorkspaceError: if the server would not take the name.
        ServerError: if the server refuses or the project asks something else.
    """
    _check_role(workspace, catalogue, wanted)
    project = on_server.find_project(server, wanted.title)
    if project is None:
        project = on_server.make_project(server, wanted.title, *_contents(workspace, wanted))
    on_server.check_page(project, choices(workspace.task()), blind=wanted.role == "blind")
    note(catalogue, server, project, wanted)
    return project


def _contents(workspace: Workspace, wanted: Target) -> tuple[str, str]:
    task = workspace.task()
    return labelling_page(task, blind=wanted.role == "blind"), guide(task)


def _check_role(workspace: Workspace, catalogue: Catalogue, wanted: Target) -> None:
    """A project keeps its kind: else answers given blind would become labels."""
    url = checked_url(workspace.settings.label_studio.url)
    known = _registered(catalogue, url).get(wanted.title, wanted)
    if known != wanted:
        what = f"{known.role} project" + (f" of the split {known.split}" if known.split else "")
        raise UsageError(f"{wanted.title!r} is a {what} already.", "Name another one with --project.")


def note(catalogue: Catalogue, server: Server, project: Project, wanted: Target) -> None:
    """Remember that the workspace uses a project, and what for."""
    with catalogue.transaction():
        save_project(catalogue, server.url, project.id, title=wanted.title, role=wanted.role, split=wanted.split)
