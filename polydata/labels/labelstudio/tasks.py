"""What stands in a project: images, tasks, annotations, predictions; listed without gaps, imported without repeats."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from polydata.errors import InputError, ServerError, WorkspaceError
from polydata.labels.labelstudio.connection import Server, answering
from polydata.labels.labelstudio.project import Project
from polydata.labels.page import OUR_ID
from polydata.types import Progress

BATCH = 500
PAGE = 500
PREDICTIONS_BATCH = 3000
"""Each import makes the server count all predictions of the project anew, so there should be few."""
BULK = 10
"""Deleting one prediction takes as long as deleting so many of a whole version."""
DELETE_SECONDS = 1800.0
"""A whole version of thousands takes minutes."""
UPLOAD_FILES = 50
"""Files in one request: more than a hundred make the server fail."""
UPLOAD_BYTES = 50_000_000
_UPLOADED = re.compile(r"[0-9a-f]{64}(?=\.[a-z]+$)")
_WITH_ANNOTATIONS = {
    "fields": "all",
    "include": "id,data,annotations,"  # of a task; the server applies the list to its annotations too
    "result,completed_by,was_cancelled,created_at,updated_at,lead_time,ground_truth,parent_prediction",
}


def _filter(column: str, operator: str, kind: str, value: Any) -> dict[str, Any]:
    return {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}


def _pages(
    server: Server, project: int, filters: Sequence[dict[str, Any]], fields: Mapping[str, str]
) -> Iterator[Mapping[str, Any]]:
    """All tasks that match, by rising number.

    Each page asks for the numbers above the last one seen: page numbers would leave tasks out
    when a reviewer touches or deletes one meanwhile.
    """
    last = 0
    while True:
        items = [*filters, _filter("id", "greater", "Number", last)]
        query = json.dumps({"filters": {"conjunction": "and", "items": items}, "ordering": ["tasks:id"]})
        asked = {"project": project, "page": 1, "page_size": PAGE, "query": query, **fields}
        with answering(server.url):
            tasks = list(server.call("GET", "/api/tasks", params=asked)["tasks"])
            numbers = [int(t["id"]) for t in tasks]
        if any(b <= a for a, b in zip([last, *numbers], numbers, strict=False)):
            raise ServerError(f"Label Studio at {server.url} lists tasks in no order.", "Its version may not fit.")
        yield from tasks
        if len(tasks) < PAGE:
            return
        last = numbers[-1]


def _our_id(task: Mapping[str, Any]) -> str | None:
    value = shown_by(task, OUR_ID)
    return value if isinstance(value, str) else None


def shown_by(task: Mapping[str, Any], name: str) -> object:
    """What stands under a name in a task's data; None for nothing."""
    data = task.get("data")
    return data.get(name) if isinstance(data, Mapping) else None


def existing_tasks(server: Server, project: int) -> dict[str, int]:
    """Number of the task of every image that has one in the project, by the SHA-256 of the image."""
    found = ((_our_id(task), int(task["id"])) for task in _pages(server, project, (), {"include": "id,data"}))
    return {sha256: number for sha256, number in found if sha256}


def import_tasks(server: Server, project: int, tasks: Sequence[Mapping[str, Any]]) -> list[int]:
    """Make one task for each mapping (``data`` and perhaps ``predictions``), in one request; give their numbers.

    The request is never tried again by itself. Where the answer is lost, ``existing_tasks`` tells what was made.
    """
    with answering(server.url):
        path = f"/api/projects/{project}/import"
        answer = server.call("POST", path, params={"return_task_ids": "true"}, json=list(tasks))
        made = [int(n) for n in answer["task_ids"] or ()]
    if len(made) != len(tasks):
        raise ServerError(
            f"Label Studio at {server.url} made {len(made)} of {len(tasks)} tasks.", "Run the command again."
        )
    return made


def newest_change(server: Server, project: int) -> str | None:
    """When a task of the project was last touched, by the server's clock, ISO 8601; None without tasks."""
    query = json.dumps({"ordering": ["-tasks:updated_at"]})
    asked = {"project": project, "page": 1, "page_size": 1, "query": query, "include": "id,updated_at"}
    with answering(server.url):
        newest = server.call("GET", "/api/tasks", params=asked)["tasks"]
        return datetime.fromisoformat(newest[0]["updated_at"]).isoformat() if newest else None


def annotated_tasks(
    server: Server, project: int, since: str | None
) -> Iterator[tuple[int, str | None, list[Mapping[str, Any]]]]:
    """Tasks with an answer or a skip, touched at ``since`` (ISO 8601) or later; for None whenever it was.

    Of each: its number, the SHA-256 of its image (None if this program did not make it), its annotations as they stand.
    Making, editing and skipping an annotation touch its task. A task that has lost its only annotation
    is not among them, and one that was deleted cannot be: the counts of the project tell of those.
    """
    for task, found in answered_tasks(server, project, since):
        yield int(task["id"]), _our_id(task), found


def answered_tasks(
    server: Server, project: int, since: str | None
) -> Iterator[tuple[Mapping[str, Any], list[Mapping[str, Any]]]]:
    """The tasks of ``annotated_tasks`` as the server gives them, with what they show."""
    filters = []
    if since:
        stamp = datetime.fromisoformat(since).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        filters = [_filter("updated_at", "greater_or_equal", "Datetime", stamp)]
    seen: set[int] = set()
    for count in ("total_annotations", "cancelled_annotations"):  # the first leaves out what was skipped
        for task in _pages(server, project, [*filters, _filter(count, "greater", "Number", 0)], _WITH_ANNOTATIONS):
            number, annotations = int(task["id"]), task.get("annotations")
            if not isinstance(annotations, list) or not all(isinstance(a, Mapping) for a in annotations):
                raise ServerError(f"Label Studio at {server.url} gave task {number} without readable annotations.")
            if number not in seen:
                yield task, annotations
            seen.add(number)


def annotators(server: Server) -> dict[int, str]:
    """E-mail addresses of the accounts by number."""
    with answering(server.url):
        return {int(u["id"]): str(u["email"]) for u in server.call("GET", "/api/users") if u["email"]}


def check_predictions(project: Project, predictions: Iterable[Mapping[str, Any]]) -> None:
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
    server: Server, project: int, version: str, wanted: Mapping[int, Mapping[str, Any]], progress: Progress
) -> int:
    """Bring the predictions of a model version to what is wanted, those of other versions left as they are.

    What is there already and the same stays, so what was ended at any moment is completed the next time.

    Args:
        wanted: prediction by number of the task.

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
            if task in wanted and task not in kept and _said(prediction) == _said(wanted[task]):
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
        missing = [{"task": task, **prediction} for task, prediction in wanted.items() if task not in kept]
        for start in range(0, len(missing), PREDICTIONS_BATCH):
            progress("Replacing predictions", len(kept) + start, len(wanted))
            batch = missing[start : start + PREDICTIONS_BATCH]
            server.call("POST", f"/api/projects/{project}/import/predictions", json=batch, timeout=DELETE_SECONDS)
    progress("Replacing predictions", len(wanted), len(wanted))
    return len(missing)


def _said(prediction: Mapping[str, Any]) -> tuple[list[Any], Any]:
    return [result.get("value") for result in prediction["result"]], prediction.get("score")


def local_urls(
    server: Server, project: int, images: Mapping[str, Path], *, folder: Path, root: Path, served: Path
) -> dict[str, str]:
    """Addresses by which the server's page shows files that it reads from disk itself.

    Args:
        images: file by SHA-256 of the image.
        folder: holds all the images.
        root: the server's document root, as the server was told it.
        served: the folder by the name that it has below the root.

    Raises:
        WorkspaceError: if the folder does not lie below the root.
        ServerError: if the server does not serve this folder, or another one by the same name.
    """
    if not served.is_relative_to(root.resolve()) or served == root.resolve():
        raise WorkspaceError(
            f"The images in {folder} do not lie below the document root {root}, so Label Studio cannot show them.",
            'Set document_root under [label_studio] in polydata.toml to a folder above, or images = "upload".',
        )
    below = served.relative_to(root.resolve())
    hint = (
        "Start Label Studio with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and "
        f'LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT={root}, or set images = "upload" under [label_studio].'
    )
    _ensure_storage(server, project, str(root / below), hint)
    urls = {
        sha256: f"/data/local-files/?d={quote((below / path.relative_to(folder)).as_posix())}"
        for sha256, path in images.items()
    }
    if images:
        first = next(iter(images))
        _check_shown(server, urls[first], images[first], hint)
    return urls


def _ensure_storage(server: Server, project: int, path: str, hint: str) -> None:
    """The record that lets members of the project see the files of a folder."""
    with answering(server.url):
        known = {s["path"] for s in server.call("GET", "/api/storages/localfiles", params={"project": project})}
    if path in known:
        return
    try:
        with answering(server.url):
            storage = {"project": project, "title": "polydata images", "path": path, "use_blob_urls": True}
            server.call("POST", "/api/storages/localfiles", json=storage)
    except ServerError as error:
        raise ServerError(error.message, hint if "refused" in error.message else error.hint) from None


def _check_shown(server: Server, url: str, path: Path, hint: str) -> None:
    """One image is fetched as a reviewer's browser would, and compared: a wrong root shows nothing, or other files."""
    with answering(server.url):
        answer = server.http.get(server.url + url)
    expected = hashlib.sha256(path.read_bytes()).digest()
    if answer.status_code != 200 or hashlib.sha256(answer.content).digest() != expected:
        raise ServerError(f"Label Studio at {server.url} cannot show {path} ({answer.status_code}).", hint)


def uploaded_urls(server: Server, project: int, images: Mapping[str, Path]) -> dict[str, str]:
    """Addresses of images that are sent to the server; what an earlier push sent is not sent again."""
    urls = _known_uploads(server, project, "")
    for batch in _batches({sha256: path for sha256, path in images.items() if sha256 not in urls}):
        with ExitStack() as stack, answering(server.url):
            files = [(s, (f"{s}{path.suffix}", stack.enter_context(path.open("rb")))) for s, path in batch.items()]
            asked = {"commit_to_project": "false"}  # files alone, without tasks
            answer = server.call("POST", f"/api/projects/{project}/import", params=asked, files=files)
            ids = [int(number) for number in answer["file_upload_ids"]]
        urls |= _known_uploads(server, project, str(ids))
    missing = [sha256 for sha256 in images if sha256 not in urls]
    if missing:
        raise ServerError(f"Label Studio at {server.url} did not keep {len(missing)} of the images sent to it.")
    return {sha256: urls[sha256] for sha256 in images}


def _known_uploads(server: Server, project: int, ids: str) -> dict[str, str]:
    """Address by SHA-256 of the uploads with these numbers, of all for an empty text. The server puts
    a few characters before the name it was given."""
    only = {"ids": ids} if ids else {"all": "true"}
    with answering(server.url):
        found = server.call("GET", f"/api/projects/{project}/file-uploads", params=only)
        names = [str(f["file"]) for f in found]
    return {m[0]: f"/data/{name}" for name in names if (m := _UPLOADED.search(name))}


def _batches(images: Mapping[str, Path]) -> Iterator[dict[str, Path]]:
    batch: dict[str, Path] = {}
    size = 0
    for sha256, path in images.items():
        length = path.stat().st_size
        if batch and (len(batch) == UPLOAD_FILES or size + length > UPLOAD_BYTES):
            yield batch
            batch, size = {}, 0
        batch[sha256] = path
        size += length
    if batch:
        yield batch
