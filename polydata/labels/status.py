"""Both sides in figures: the projects on the server, and what the catalogue holds of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from polydata.catalogue import annotations as stored
from polydata.catalogue.connect import Catalogue
from polydata.labels.labelstudio.connection import connect
from polydata.labels.labelstudio.project import find_project
from polydata.labels.projects import known_targets
from polydata.workspace import Workspace


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


def status(workspace: Workspace, catalogue: Catalogue) -> Status:
    """Compare both sides.

    Raises:
        ServerError: if the server cannot be reached.
    """
    server = connect(workspace.settings.label_studio.url)
    rows = []
    for target in known_targets(workspace, catalogue, server.url):
        project = find_project(server, target.title)
        counts = stored.annotation_counts(catalogue, server.url, project.id if project else None)
        rows.append(
            {
                "project": target.title,
                "role": target.role,
                "split": target.split,
                "url": project.url if project else None,
                "tasks": project.tasks if project else None,
                "annotations": project.annotations if project else None,
                "pulled": counts["annotations"],
                "skipped": counts["skipped"],
                "unusable": counts["unusable"],
                "deleted": counts["deleted"],
                "annotators": counts["annotators"],
                "pulled_to": stored.watermark(catalogue, server.url, project.id) if project else None,
            }
        )
    return Status(server.url, rows, stored.review_counts(catalogue))
