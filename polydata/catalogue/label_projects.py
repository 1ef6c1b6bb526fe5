"""The projects in Label Studio that a workspace asks reviewers in."""

from __future__ import annotations

from typing import Any

from polydata.catalogue.connect import Catalogue


def save_project(catalogue: Catalogue, server: str, project: int, *, title: str, role: str, split: str | None) -> None:
    """Note a project, or that its number has changed."""
    row = {"server": server, "project": project, "title": title, "role": role, "split": split}
    catalogue.upsert("label_projects", [row])


def known_projects(catalogue: Catalogue, server: str) -> list[dict[str, Any]]:
    """The projects on a server: project (its number), title, role and split, by title."""
    return catalogue.rows(
        "SELECT project, title, role, split FROM label_projects WHERE server = ? ORDER BY title", [server]
    )


def blind_answers(catalogue: Catalogue, split: str) -> list[dict[str, Any]]:
    """What people answered blind about a split's test images, the last answer of each.

    Columns: image_sha256, truth (the split's label), annotator, choice; by image and annotator.
    """
    return catalogue.rows(
        """WITH truth AS (
               SELECT image_sha256, any_value(label) AS truth FROM split_images
               WHERE split = ? AND side = 'test' GROUP BY image_sha256
           )
           SELECT image_sha256, truth, annotator, choice
           FROM annotations JOIN label_projects p USING (server, project) JOIN truth USING (image_sha256)
           WHERE p.role = 'blind' AND p.split = ? AND NOT cancelled AND NOT deleted AND choice IS NOT NULL
           QUALIFY row_number() OVER (PARTITION BY image_sha256, annotator
                                      ORDER BY updated_at DESC, annotation_id DESC) = 1
           ORDER BY image_sha256, annotator""",
        [split, split],
    )
