"""Predictions on the server: those of one model version brought to what they should be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from polydata.errors import InputError
from polydata.labels.labelstudio.connection import Server, answering
from polydata.labels.labelstudio.project import Project

BATCH = 3000
"""Each import makes the server count all predictions of the project anew, so there should be few."""
BULK = 10
"""Deleting one prediction takes as long as deleting so many of a whole version."""
DELETE_SECONDS = 1800.0
"""A whole version of thousands takes minutes."""


def validate(project: Project, predictions: Iterable[Mapping[str, Any]]) -> None:
    """Make sure that the project's page can show predictions; one with each result is looked at.

    Raises:
        InputError: if it cannot, with what is wrong.
    """
    from label_studio_sdk.label_interface import LabelInterface

    page = LabelInterface(project.page)
    seen: list[Any] = []
    for prediction in predictions:
        if prediction["result"] in seen:
            continue
        seen.append(prediction["result"])
        wrong = page.validate_prediction(dict(prediction), return_errors=True)
        if wrong:
            said = "; ".join(map(str, wrong))[:300]
            raise InputError(
                f"The labelling page of project {project.title!r} cannot show a prediction: {said}",
                "Bring the page up to date with polydata label setup, or predict with a model of this task.",
            )


def replace_predictions(
    server: Server,
    project: int,
    version: str,
    wanted: Mapping[int, Mapping[str, Any]],
    advance: Callable[[int], None],
) -> int:
    """Bring the predictions of a model version to what is wanted, those of other versions left as they are.

    What is there already and the same stays, so what was ended at any moment is completed the next time.

    Args:
        wanted: prediction by number of the task.
        advance: told how many predictions were dealt with.

    Returns:
        How many were made.
    """
    with answering(server.url):
        found = server.call("GET", "/api/predictions", params={"project": project})
        there = [p for p in found if p["model_version"] == version]
        kept: set[int] = set()
        stale = []
        for prediction in there:
            task = int(prediction["task"])
            if task in wanted and task not in kept and _same(prediction, wanted[task]):
                kept.add(task)
            else:
                stale.append(int(prediction["id"]))
        if len(stale) * BULK > len(there):
            path = f"/api/projects/{project}/model-versions/"
            server.call("DELETE", path, json={"model_version": version}, timeout=DELETE_SECONDS)
            kept = set()
        else:
            for number in stale:
                server.call("DELETE", f"/api/predictions/{number}")
        advance(len(kept))
        missing = [{"task": task, **prediction} for task, prediction in wanted.items() if task not in kept]
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            path = f"/api/projects/{project}/import/predictions"
            server.call("POST", path, json=batch, timeout=DELETE_SECONDS)
            advance(len(batch))
    return len(missing)


def _same(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    values = [[r.get("value") for r in p["result"]] for p in (there, wanted)]
    return values[0] == values[1] and there.get("score") == wanted.get("score")
