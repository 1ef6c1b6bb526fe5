"""Push what is no label: figures whose boxes are to be set right, and images that may be micrographs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from polydata.catalogue.annotations import review_texts
from polydata.catalogue.quality import asked_as, sampled, units
from polydata.catalogue.screenings import shown_screenings
from polydata.catalogue.session import Session
from polydata.catalogue.task_answers import figures_to_ask
from polydata.choices import Asked, QualityKind, Reviewed
from polydata.errors import InputError, UsageError
from polydata.extraction.figure_pictures import Wanted, draw_all
from polydata.extraction.workflow import editor
from polydata.ids import figure_picture
from polydata.labels import projects
from polydata.labels.boxes import VERSION, AskedFigure
from polydata.labels.labelstudio import tasks as server_tasks
from polydata.labels.labelstudio.project import show_predictions
from polydata.labels.page import IMAGE, OUR_ID, place_words, shown_text, task_data, unit_words
from polydata.labels.projects import Target
from polydata.labels.push import (
    Pushed,
    addresses,
    beyond,
    file_to_show,
    files_to_show,
    make_tasks,
    open_project,
)
from polydata.types import Box, Progress, quiet

Row = Mapping[str, Any]
_KIND_OF: Mapping[str, QualityKind] = {"quality-pages": "page", "quality-figures": "figure", "quality-images": "image"}


def ask(
    session: Session,
    question: Asked,
    only: Reviewed = "accepted",
    limit: int | None = None,
    *,
    target: Target | None = None,
    progress: Progress = quiet,
) -> Pushed:
    """Make a task for each figure or image that has none yet; the project too, where it is missing.

    Args:
        session: open for writing.
        question: anything but ``labels``.
        only: for boxes ``accepted`` takes figures with a micrograph, ``all`` every figure; of a screening all images
            that a rule alone has judged are taken, borderline ones first; a sample has no other choice.
        limit: make so many new tasks at most, of a sample in the order in which it is judged; None for all.
        target: the project; None for that of the question.
        progress: told how many tasks are made.

    Raises:
        UsageError: if there is nothing to push, or ``only`` means nothing here.
        WorkspaceError, ServerError: as ``push.push``.
    """
    if only != "accepted" and (only != "all" or question in _KIND_OF):
        raise UsageError(f"--only {only} means nothing here.", f"Leave it out with --task {question}.")
    target = target or projects.target(session.workspace, asked=question)
    if question == "boxes":
        return _boxes(session, target, figures_to_ask(session.catalogue, every=only == "all"), progress, limit)
    if question != "screening":
        return _quality(session, target, sampled(session.catalogue, _KIND_OF[question]), progress, limit)
    rows = [row for row in shown_screenings(session.catalogue) if row["by"] == "rule"]
    return _screening(session, target, rows, progress, limit)


def _boxes(session: Session, target: Target, figures: Sequence[Row], progress: Progress, limit: int | None) -> Pushed:
    if not figures:
        raise UsageError("No figure with a micrograph was read from a PDF.", "Take every figure with --only all.")
    server, project = open_project(session, target)
    have = server_tasks.existing_tasks(server, project.id)
    missing = {row["figure_id"]: row for row in figures if row["figure_id"] not in have}
    files, problems = _first_drawn(session, list(missing.values()), progress, limit)
    urls = addresses(session, server, project, files)
    asked = {figure: AskedFigure.of_row(row) for figure, row in missing.items() if figure_picture(figure) in urls}

    def made(batch: Sequence[str]) -> list[dict[str, Any]]:
        return [
            {
                "data": {
                    IMAGE: urls[figure_picture(figure)],
                    OUR_ID: figure,
                    "asked": asked[figure].as_json(),
                    "place": shown_text(place_words(missing[figure])),
                },
                "predictions": [asked[figure].prediction()],
            }
            for figure in batch
        ]

    make_tasks(server, project, list(asked), made, progress)
    show_predictions(server, project, VERSION)
    left = beyond(limit, len(asked), len(missing))
    return Pushed(project, len(figures), len(asked), len(figures) - len(missing), len(asked), problems, left)


def _first_drawn(
    session: Session, figures: Sequence[Row], progress: Progress, limit: int | None
) -> tuple[dict[str, Path], list[str]]:
    """As ``_drawn``, until so many have a picture."""
    if limit is None:
        return _drawn(session, figures, progress)
    files, problems = dict[str, Path](), list[str]()
    for start in range(0, len(figures), limit):
        some, wrong = _drawn(session, figures[start : start + limit], progress)
        files |= dict(islice(some.items(), limit - len(files)))
        problems += wrong
        if len(files) == limit:
            break
    return files, problems


def _drawn(session: Session, figures: Sequence[Row], progress: Progress) -> tuple[dict[str, Path], list[str]]:
    """Pictures of figures by their names, drawn where missing, and a line for each PDF that cannot be drawn."""
    todo: dict[tuple[str, str], list[Wanted]] = defaultdict(list)
    for row in figures:
        if not session.images.figure(figure_picture(row["figure_id"])).exists():
            box = Box(row["x0"], row["y0"], row["x1"], row["y1"])
            one = Wanted(figure_picture(row["figure_id"]), row["page"], box, row["dpi"] or 300)
            todo[row["sha256"], row["path"] or ""].append(one)
    with editor(session) as by:
        problems = draw_all(by, todo, progress)
    names = (figure_picture(row["figure_id"]) for row in figures)
    paths = {name: session.images.figure(name) for name in names}
    return {name: path for name, path in paths.items() if path.exists()}, problems


def _screening(session: Session, target: Target, rows: Sequence[Row], progress: Progress, limit: int | None) -> Pushed:
    if not rows:
        raise UsageError("No image is left that a rule alone has judged.", "Run polydata screen first.")
    server, project = open_project(session, target)
    have = server_tasks.existing_tasks(server, project.id)
    missing = [row for row in rows if row["image_sha256"] not in have]
    files, problems = files_to_show(session.images, missing, limit)
    urls = addresses(session, server, project, files)

    def made(batch: Sequence[str]) -> list[dict[str, Any]]:
        texts = review_texts(session.catalogue, batch)
        return [{"data": task_data(_all_words(texts[sha256]), [], urls[sha256])} for sha256 in batch]

    make_tasks(server, project, list(files), made, progress)
    left = beyond(limit, len(files), len(missing))
    return Pushed(project, len(rows), len(files), len(rows) - len(missing), 0, problems, left)


def _all_words(row: Row) -> Row:
    """A row of ``review_texts`` with all that its caption says: the panel's own words, then those of all panels."""
    return {**row, "caption": "\n".join(filter(None, (row["caption"], row["caption_stem"])))}


def _quality(session: Session, target: Target, sample: Sequence[Row], progress: Progress, limit: int | None) -> Pushed:
    """Units of one kind; a task is known by what it shows, so what is read anew is judged anew."""
    rows = {asked_as(row): row for row in sample}
    if not rows:
        raise UsageError("No sample was drawn.", "Draw one: polydata quality draw")
    server, project = open_project(session, target)
    have = server_tasks.existing_tasks(server, project.id)
    missing = {asked: row for asked, row in rows.items() if asked not in have}
    is_image = sample[0]["kind"] == "image"
    formats = {one["unit"]: one["format"] for one in units(session.catalogue, "image")} if is_image else {}
    files, problems = dict[str, Path](), list[str]()
    for row in missing.values():
        if len(files) == limit:
            break
        picture = str(row["picture"])
        try:
            if is_image:
                files[picture] = file_to_show(session.images, picture, formats.get(picture, "PNG"))
            elif (path := session.images.figure(picture)).exists():
                files[picture] = path
            else:
                problems.append(f"{row['place']}: it has no picture, since its PDF could not be drawn")
        except InputError as error:
            problems.append(error.message)
    urls = addresses(session, server, project, files)

    def made(batch: Sequence[str]) -> list[dict[str, Any]]:
        its = {asked: missing[asked] for asked in batch}
        texts = review_texts(session.catalogue, [row["unit"] for row in its.values()]) if is_image else {}
        return [
            {"data": {IMAGE: urls[row["picture"]], OUR_ID: asked, **unit_words(row, texts.get(row["unit"]))}}
            for asked, row in its.items()
        ]

    shown = [asked for asked, row in missing.items() if row["picture"] in files]
    make_tasks(server, project, shown, made, progress)
    left = beyond(limit, len(shown), len(missing))
    return Pushed(project, len(rows), len(shown), len(rows) - len(missing), 0, problems, left)
