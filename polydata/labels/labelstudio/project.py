"""The project on the server: found by its name, made where it is missing, checked before it is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from polydata.errors import ServerError, WorkspaceError
from polydata.labels.labelstudio.connection import ONCE, Server, answering

TITLE_LENGTH = (3, 50)


@dataclass(frozen=True)
class Project:
    """A project that exists.

    Attributes:
        id: its number on the server.
        title: its name.
        url: where a reviewer opens it.
        tasks: how many tasks it has.
        annotations: how many annotations, skipped ones counted.
    """

    id: int
    title: str
    url: str
    tasks: int
    annotations: int


def find_project(server: Server, title: str) -> Project | None:
    """The project of this name, None where there is none.

    Raises:
        ServerError: if there are several.
    """
    with answering(server.url):
        ids = [int(p.id) for p in server.client.projects.list(title=title, page_size=100) if p.title == title]
    if len(ids) > 1:
        raise ServerError(
            f"Label Studio at {server.url} has {len(ids)} projects named {title!r}: {', '.join(map(str, ids))}.",
            "Rename all but one, or set another project under [label_studio] in polydata.toml.",
        )
    return read_project(server, ids[0]) if ids else None


def read_project(server: Server, project_id: int) -> Project:
    """A project by its number, counted now."""
    with answering(server.url):
        found = server.client.projects.get(project_id)
        return Project(
            id=int(found.id),
            title=str(found.title),
            url=f"{server.url}/projects/{int(found.id)}/data",
            tasks=int(found.task_number or 0),
            annotations=int(found.total_annotations_number or 0) + int(found.skipped_annotations_number or 0),
        )


def make_project(server: Server, title: str, page: str, instruction: str) -> Project:
    """A new project with this labelling page.

    Args:
        instruction: shown to reviewers on demand.

    Raises:
        WorkspaceError: if the server would not take the name.
    """
    shortest, longest = TITLE_LENGTH
    if not shortest <= len(title) <= longest:
        raise WorkspaceError(
            f"{title!r} cannot be the name of a project: it must have {shortest} to {longest} characters.",
            "Change project under [label_studio] in polydata.toml.",
        )
    with answering(server.url):
        made = server.client.projects.create(
            title=title, label_config=page, expert_instruction=instruction, request_options=ONCE
        )
    return read_project(server, int(made.id))


def check_page(server: Server, project: Project, control: str, choices: Sequence[str]) -> None:
    """Make sure that the project asks what the task asks.

    Raises:
        ServerError: if its labelling page lacks the control or one of the choices.
    """
    with answering(server.url):
        page: Any = server.client.projects.get(project.id).parsed_label_config or {}
        found = page.get(control) or {}
        missing = [c for c in choices if c not in (found.get("labels") or ())]
        fits = found.get("type") == "Choices" and not missing
    if not fits:
        what = f"has no choice {', '.join(missing)}" if found.get("type") == "Choices" else "does not ask for choices"
        raise ServerError(
            f"The labelling page of project {project.title!r} ({project.url}) {what} under the name {control!r}.",
            "It is somebody else's, or the task has changed: set another project in polydata.toml.",
        )
