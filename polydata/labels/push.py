"""Push images to Label Studio: a task for each that has none, with what a model says of it where that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polydata.catalogue import annotations as stored
from polydata.catalogue.session import Session
from polydata.choices import Reviewed, Uncertainty
from polydata.errors import InputError, UsageError, WorkspaceError
from polydata.files.atomic import replacing
from polydata.files.predictions import RULES, Prediction, Predictions, read_predictions, uncertainty
from polydata.images.decode import READING
from polydata.images.picture import ImageStore, is_plain_file, open_picture
from polydata.labels import projects
from polydata.labels.labelstudio import tasks as server_tasks
from polydata.labels.labelstudio.connection import Server
from polydata.labels.labelstudio.project import Project, show_predictions
from polydata.labels.page import task_data, task_prediction
from polydata.labels.projects import Target
from polydata.types import Progress, quiet

Row = Mapping[str, Any]
MAX_VERSION = 100

_KEEP: Mapping[Reviewed, Callable[[Row], bool]] = {
    "unlabelled": lambda row: row["label"] is None,
    "uncertain": lambda row: not row["answered"],
    "conflicts": lambda row: bool(row["conflict"]),
}


def select_images(
    rows: Iterable[Row],
    only: Reviewed,
    limit: int | None,
    predictions: Predictions | None = None,
    order: Uncertainty = "entropy",
) -> list[Row]:
    """The images a reviewer should see.

    Args:
        rows: of ``images_to_review``.
        only: ``accepted`` takes what the automatic screening accepted and what came with a published data set; of
            these ``unlabelled`` those without a label, ``conflicts`` those about which sources, reviewers or the
            predictions differ, and ``uncertain`` those with a prediction that no reviewer has answered, the least
            certain first; ``all`` takes every image of a panel.
        limit: the first so many of them, None for all.
        predictions: of a model.
        order: how ``uncertain`` measures uncertainty.

    Raises:
        UsageError: if there are no images, none was screened, or ``uncertain`` has no probabilities to go by.
    """
    if only == "uncertain" and (predictions is None or not predictions.have_probabilities):
        raise UsageError(
            "Without a model's probabilities nothing is uncertain.",
            "Name them: --predictions FILE (as polymodel predict writes it) or --predictions RUN.",
        )
    known = predictions.by_image if predictions else {}
    keep = _KEEP.get(only)

    def differs(row: Row) -> bool:
        said = known.get(row["image_sha256"])
        return said is not None and row["label"] is not None and said.label != row["label"]

    def is_wanted(row: Row) -> bool:
        if only == "all":
            return True
        screened_in = row["imported"] or row["decision"] == "accepted"
        asked = keep is None or keep(row) or (only == "conflicts" and differs(row))
        return screened_in and asked and (only != "uncertain" or row["image_sha256"] in known)

    there = screened = False
    chosen: list[Row] = []
    for row in rows:
        there, screened = True, screened or bool(row["decision"] or row["imported"])
        if is_wanted(row):
            chosen.append(row)
        if len(chosen) == limit and only != "uncertain":
            break
    if not there:
        raise UsageError("The catalogue has no images.", "Read papers first: polydata extract PAPERS/")
    if not screened and only != "all":
        raise UsageError(
            "No image was screened, so it is not known which are micrographs.",
            "Run polydata screen first, or push every image with --only all.",
        )
    if only == "uncertain":
        # Sorting is stable: what is equally uncertain stays in the order of papers and pages.
        chosen.sort(key=lambda r: -uncertainty(known[r["image_sha256"]], order))
    return chosen[:limit]


BROWSER_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
"""Shown by every browser as by this program where they are plain: under alpha the page's ground shines through."""
FOLDER = f"shown-{READING}"


def file_to_show(store: ImageStore, sha256: str, true_format: str) -> Path:
    """The file for the labelling page, below the store's folder.

    A PNG that has to be made lies in ``FOLDER`` there, under the SHA-256 of the image it shows.

    Raises:
        InputError: if the image is not in the store or cannot be read.
    """
    path = store.path(sha256, true_format)
    if not path.is_file():
        raise InputError(f"The image {sha256} is not in the store: {path} is missing.", "Extract its paper again.")
    if true_format in BROWSER_FORMATS and is_plain_file(path):
        return path
    target = store.root / FOLDER / sha256[:2] / f"{sha256}.png"
    if target.exists():
        return target
    picture = open_picture(path)
    with replacing(target) as out:
        picture.save(out, "PNG")
    return target


def files_to_show(
    store: ImageStore, rows: Iterable[Row], limit: int | None = None
) -> tuple[dict[str, Path], list[str]]:
    """The files of images by their SHA-256, and what is wrong with those that have none; see ``file_to_show``.

    Args:
        rows: ``image_sha256`` and ``format`` of each.
        limit: the first so many that can be shown; None for all.
    """
    files, problems = dict[str, Path](), list[str]()
    for row in rows:
        if len(files) == limit:
            break
        try:
            files[row["image_sha256"]] = file_to_show(store, row["image_sha256"], row["format"])
        except InputError as error:
            problems.append(error.message)
    return files, problems


@dataclass(frozen=True)
class Pushed:
    """What a push did.

    Attributes:
        selected: images that were to be in the project.
        created: tasks made now.
        present: images that had a task already.
        predicted: predictions written now.
        problems: images that could not be shown, one line each.
        left: images beyond the limit, which a later push takes.
    """

    project: Project
    selected: int
    created: int
    present: int
    predicted: int
    problems: list[str]
    left: int = 0


def load_predictions(session: Session, source: str, version: str | None) -> Predictions:
    """What is predicted by a Parquet file, a run (its folder, or its name in runs/), or the text rules (``rules``).

    Raises:
        InputError: as ``read_predictions``, or if a server would not take the name of the version.
    """
    if source == RULES:
        suggested = stored.rule_suggestions(session.catalogue)
        return Predictions(RULES, {image: Prediction(label) for image, label in suggested.items()})
    path = Path(source)
    run = session.workspace.runs / source
    if not path.exists() and path.name == source and run.is_dir():
        path = run
    found = read_predictions(path, session.task.labels, version)
    if not found.version or len(found.version) > MAX_VERSION or not found.version.isprintable():
        raise InputError(f"{found.version!r} cannot be the name of a model version.", "Name one with --model-version.")
    return found


def push(
    session: Session,
    only: Reviewed = "accepted",
    limit: int | None = None,
    *,
    target: Target | None = None,
    predictions: Predictions | None = None,
    order: Uncertainty = "entropy",
    progress: Progress = quiet,
) -> Pushed:
    """Make a task for each image that has none yet; the project too, where it is missing.

    The server is asked each time which images it has, so a push that was ended at any moment
    is completed by the next one, and none is made twice.

    Args:
        only: which images, as in ``select_images``.
        limit: make so many new tasks at most; None for all. A second push with it goes on behind the first.
        order: how uncertainty is measured where the uncertain ones come first.
        target: the project; None for that of the settings. A blind one takes the test images of its split alone.
        predictions: shown to reviewers as a choice made for them, on every task of the project that they speak of.

    Raises:
        UsageError: if there is nothing to push, or predictions are to be shown where nothing may lead people.
        WorkspaceError: if the settings cannot work.
        InputError: if the labelling page cannot show the predictions.
        ServerError: if the server cannot be reached, refuses, or asks something else than the task.
    """
    target = target or projects.target(session.workspace)
    rows: Iterable[Row] = stored.images_to_review(session.catalogue)
    if target.role == "blind":
        if predictions is not None:
            raise UsageError("A blind project shows the image alone.", "Leave out --predictions.")
        wanted = stored.test_side(session.catalogue, str(target.split))
        if not wanted:
            raise UsageError(
                f"There is no split {target.split!r} in the catalogue.", "See them with: polydata split list"
            )
        # In the order of their hashes, so that panels of one figure do not follow each other.
        rows = sorted((r for r in rows if r["image_sha256"] in wanted), key=lambda r: str(r["image_sha256"]))
        only = "all"
    return _send(
        session, target, select_images(rows, only, None, predictions, order), predictions, progress, limit=limit
    )


def queue(
    session: Session, limit: int | None = None, *, target: Target | None = None, progress: Progress = quiet
) -> Pushed:
    """Push the images about which annotators differ to a project of their own; former answers are not shown there.

    Raises:
        UsageError: if annotators agree about everything.
        WorkspaceError, ServerError: as ``push``.
    """
    rows = [r for r in stored.images_to_review(session.catalogue) if r["disputed"]]
    if not rows:
        raise UsageError("No two annotators differ about an image.", "Fetch what they said: polydata label pull")
    return _send(session, target or projects.review_target(session.workspace), rows, None, progress, limit=limit)


def _send(
    session: Session,
    target: Target,
    rows: Sequence[Row],
    predictions: Predictions | None,
    progress: Progress,
    *,
    limit: int | None,
) -> Pushed:
    server, project = open_project(session, target)
    said = {s: task_prediction(p, predictions.version) for s, p in predictions.by_image.items()} if predictions else {}
    if said:
        server_tasks.check_predictions(project, said.values())
    have = server_tasks.existing_tasks(server, project.id)
    missing = [row for row in rows if row["image_sha256"] not in have]
    files, problems = files_to_show(session.images, missing, limit)
    urls = addresses(session, server, project, files)
    predicted = 0
    if predictions:
        wanted = {number: said[sha256] for sha256, number in have.items() if sha256 in said}
        predicted = server_tasks.replace_predictions(server, project.id, predictions.version, wanted, progress)
    sent = [sha256 for row in missing if (sha256 := row["image_sha256"]) in urls]

    def made(batch: Sequence[str]) -> list[dict[str, Any]]:
        texts, records = stored.review_texts(session.catalogue, batch), stored.record_texts(session.catalogue, batch)
        return [
            {"data": task_data(texts[sha256], records.get(sha256, []), urls[sha256], blind=target.role == "blind")}
            | ({"predictions": [said[sha256]]} if sha256 in said else {})
            for sha256 in batch
        ]

    make_tasks(server, project, sent, made, progress)
    predicted += sum(sha256 in said for sha256 in sent)
    if predictions:
        show_predictions(server, project, predictions.version)
    left = beyond(limit, len(sent), len(missing))
    return Pushed(project, len(rows), len(sent), len(rows) - len(missing), predicted, problems, left)


def beyond(limit: int | None, made: int, missing: int) -> int:
    """How many of the images that lacked a task still do, since the limit was reached."""
    return missing - made if made == limit else 0


def open_project(session: Session, target: Target) -> tuple[Server, Project]:
    """The server, and the project to push to; made where it is missing.

    Args:
        session: open for writing.
        target: the project.

    Raises:
        WorkspaceError: if the settings cannot work.
        UsageError, ServerError: as ``projects.ensure``.
    """
    images = session.workspace.settings.label_studio.images
    if images not in ("local", "upload"):
        raise WorkspaceError(
            f"images under [label_studio] in polydata.toml is {images!r}.", 'Set it to "local" or "upload".'
        )
    server = projects.open_server(session.workspace)
    return server, projects.ensure(session, server, target)


def addresses(session: Session, server: Server, project: Project, files: Mapping[str, Path]) -> dict[str, str]:
    """By which the project's page shows images; they are sent to the server where the settings say so.

    Args:
        session: whose settings count.
        server: with the project.
        project: whose members may see them.
        files: below the workspace's store, each by 64 hexadecimal digits that stand for it.

    Raises:
        WorkspaceError, ServerError: as ``labelstudio.tasks.local_urls``.
    """
    workspace = session.workspace
    if workspace.settings.label_studio.images == "upload":
        return server_tasks.uploaded_urls(server, project.id, files)
    root, served = workspace.served_images()
    return server_tasks.local_urls(server, project.id, files, folder=workspace.store, root=root, served=served)


def make_tasks(
    server: Server,
    project: Project,
    subjects: Sequence[str],
    made: Callable[[Sequence[str]], list[dict[str, Any]]],
    progress: Progress,
) -> None:
    """Make a task for each subject, in batches.

    Args:
        server: with the project.
        project: to which they belong.
        subjects: what the tasks show.
        made: the tasks of some of them.
        progress: told how many are made.
    """
    for start in range(0, len(subjects), server_tasks.BATCH):
        progress("Making tasks", start, len(subjects))
        server_tasks.import_tasks(server, project.id, made(subjects[start : start + server_tasks.BATCH]))
    progress("Making tasks", len(subjects), len(subjects))
