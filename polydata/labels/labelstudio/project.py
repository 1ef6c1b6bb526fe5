"""Projects on the server: found by name, made where missing, brought up to date, checked before they are used."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from polydata.errors import ServerError, WorkspaceError
from polydata.labels.labelstudio.connection import Server, answering
from polydata.labels.page import ANSWER, KINDS, MARK, PROJECT

TITLE_LENGTH = (3, 50)
_FIELDS = (
    "id,title,label_config,parsed_label_config,expert_instruction,show_instruction,model_version,"
    "task_number,total_annotations_number,skipped_annotations_number"
)
"""What is read of a project: others cost the server as much again."""


@dataclass(frozen=True)
class Project:
    """A project that exists.

    Attributes:
        id: its number on the server.
        title: its name.
        url: where a reviewer opens it.
        tasks: how many tasks it has.
        annotations: how many annotations, skipped ones counted.
        page: its labelling page, XML.
        instruction: HTML that reviewers are shown.
        shows_instruction: whether they see it before they begin.
        model_version: of the predictions that are shown; empty for none.
        answers: the words that its page lets a reviewer choose; None where it does not ask for choices.
    """

    id: int
    title: str
    url: str
    tasks: int
    annotations: int
    page: str
    instruction: str
    shows_instruction: bool
    model_version: str
    answers: tuple[str, ...] | None

    @property
    def is_ours(self) -> bool:
        """Whether this program made its page."""
        return MARK in self.page

    @property
    def mark(self) -> str | None:
        """What tells it from a project of its number on a server that was set up anew; None where it has none."""
        found = re.search(rf"{PROJECT}([0-9a-f]{{12}})", self.page)
        return found[1] if found else None


def _project(server: Server, found: Mapping[str, Any]) -> Project:
    number = int(found["id"])
    control = (found["parsed_label_config"] or {}).get(ANSWER) or {}
    return Project(
        id=number,
        title=str(found["title"]),
        url=f"{server.url}/projects/{number}/data",
        tasks=int(found["task_number"] or 0),
        annotations=int(found["total_annotations_number"] or 0) + int(found["skipped_annotations_number"] or 0),
        page=str(found["label_config"] or ""),
        instruction=str(found["expert_instruction"] or ""),
        shows_instruction=found["show_instruction"] is True,
        model_version=str(found["model_version"] or ""),
        answers=tuple(map(str, control.get("labels") or ())) if control.get("type") == "Choices" else None,
    )


def find_project(server: Server, title: str) -> Project | None:
    """The project of this name with its counts of now, None where there is none.

    Raises:
        ServerError: if there are several.
    """
    with answering(server.url):
        asked = {"title": title, "page_size": 100, "include": _FIELDS}
        listed = server.call("GET", "/api/projects", params=asked)["results"]
        found = [_project(server, p) for p in listed if p["title"] == title]
    if len(found) > 1:
        raise ServerError(
            f"Label Studio at {server.url} has {len(found)} projects named {title!r}: "
            f"{', '.join(str(p.id) for p in found)}.",
            "Rename all but one, or set another project under [label_studio] in polydata.toml.",
        )
    return found[0] if found else None


def read_project(server: Server, project_id: int) -> Project:
    """A project by its number, counted now."""
    with answering(server.url):
        return _project(server, server.call("GET", f"/api/projects/{project_id}"))


def make_project(server: Server, title: str, page: str, instruction: str) -> Project:
    """A new project with this labelling page.

    Args:
        instruction: HTML, shown to reviewers before they begin and on demand.

    Raises:
        WorkspaceError: if the server would not take the name.
    """
    shortest, longest = TITLE_LENGTH
    if not shortest <= len(title) <= longest:
        raise WorkspaceError(
            f"{title!r} cannot be the name of a project: it must have {shortest} to {longest} characters.",
            "Change project under [label_studio] in polydata.toml, or --project.",
        )
    settings = {"title": title, "label_config": page, "expert_instruction": instruction, "show_instruction": True}
    with answering(server.url):
        made = server.call("POST", "/api/projects", json=settings)
        return read_project(server, int(made["id"]))


def update_project(server: Server, project: Project, page: str, instruction: str) -> Project:
    """Bring a project's page and instruction to what they should be.

    Raises:
        ServerError: if the project was not made by this program. Answers that the new page does not know stay, and
            a pull names them.
    """
    if not project.is_ours and (project.tasks or project.answers is not None):
        raise ServerError(
            f"Project {project.title!r} ({project.url}) is somebody else's: polydata did not make its page.",
            "Name another one: --project NAME, or project under [label_studio] in polydata.toml.",
        )
    if (project.page, project.instruction, project.shows_instruction) == (page, instruction, True):
        return project
    settings = {"label_config": page, "expert_instruction": instruction, "show_instruction": True}
    with answering(server.url):
        server.call("PATCH", f"/api/projects/{project.id}", json=settings)
    return read_project(server, project.id)


def marked(server: Server, project: Project) -> Project:
    """The project with a mark on its page; one that this program did not make is left as it is."""
    if project.mark is not None or not project.is_ours:
        return project
    page = project.page.replace(MARK, f"{MARK} {PROJECT}{new_mark()}", 1)
    with answering(server.url):
        server.call("PATCH", f"/api/projects/{project.id}", json={"label_config": page})
    return read_project(server, project.id)


def new_mark() -> str:
    """A mark that no other project has."""
    return uuid4().hex[:12]


def show_predictions(server: Server, project: Project, version: str) -> None:
    """Let the project show the predictions of this model version."""
    if project.model_version != version:
        with answering(server.url):
            server.call("PATCH", f"/api/projects/{project.id}", json={"model_version": version})


def check_page(project: Project, choices: Sequence[str], *, kind: str = "") -> None:
    """Make sure that the project asks what the task asks, in the way it is meant to.

    Args:
        project: as it is now.
        choices: that it has to offer; none where it asks for something else.
        kind: one of ``KINDS``.

    Raises:
        ServerError: if its labelling page lacks the control or one of the choices, or is of another kind.
    """
    missing = [c for c in choices if c not in (project.answers or ())]
    if choices and (project.answers is None or missing):
        what = "does not ask for choices" if project.answers is None else f"has no choice {', '.join(missing)}"
        ours = "polydata label setup brings it up to date." if project.is_ours else "It is somebody else's."
        raise ServerError(
            f"The labelling page of project {project.title!r} ({project.url}) {what} under the name {ANSWER!r}.",
            f"{ours} Or name another project: --project NAME, or project under [label_studio] in polydata.toml.",
        )
    found = next((name for name, (mark, _) in KINDS.items() if mark and mark in project.page), "")
    if found != kind:
        raise ServerError(
            f"The labelling page of project {project.title!r} ({project.url}) {KINDS[found][1]}.",
            "Name another project with --project.",
        )
