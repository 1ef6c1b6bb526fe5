"""``polymodel report``: one self-contained HTML page about one or several runs."""

from __future__ import annotations

import base64
import dataclasses
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from PIL import Image

from polydata.files.atomic import writing_to
from polydata.images.picture import open_picture
from polydata.types import Progress
from polymodel.evaluation.across import known_across
from polymodel.evaluation.aggregate import averaged, logit_columns, tested_rows
from polymodel.evaluation.baselines import SOBEL_THRESHOLD, known_baselines
from polymodel.evaluation.evaluate import evaluate, rows
from polymodel.evaluation.figures import (
    box_figure,
    confusion_figure,
    curves_figure,
    printed_curves_figure,
    violin_figure,
)
from polymodel.evaluation.metrics import METRICS, TITLES, centre_of
from polymodel.evaluation.published_results import METRICS as PRINTED_METRICS
from polymodel.evaluation.published_results import NOTES, read_curves, read_printed
from polymodel.evaluation.slices import split_items
from polymodel.report.tables import BESIDE, ROW_TITLES, baseline_rows, percent
from polymodel.runs.card import card_text
from polymodel.runs.run import Run, write_text

THUMBNAIL = 176
SHOWN_MISTAKES = 24
CAPTION = 140
BOXED = ("accuracy", "balanced_accuracy", "auroc")


@dataclass(frozen=True)
class Mistake:
    """A test image that was answered wrongly.

    Attributes:
        picture: a JPEG thumbnail as a data URI; empty until the mistake is chosen to be shown.
        path, image_sha256, group: of the image.
        label, answer: the word it carries and the word that was given.
        chance: the probability of the answer, averaged over the parts that had it as a test image.
        caption: of its figure, shortened; empty where the split's files tell none.
        parts, wrong: of how many parts it was a test image, and how many of these were wrong.
    """

    path: str
    image_sha256: str
    group: str
    label: str
    answer: str
    chance: float
    parts: int
    wrong: int
    picture: str = ""
    caption: str = ""


def write_report(
    runs: Sequence[Run],
    output: Path,
    progress: Progress,
    published: Path | None = None,
    training_log: Path | None = None,
) -> Path:
    """Write the page; runs without an evaluation are evaluated first.

    Args:
        runs: finished runs, in the order in which they are to be shown.
        output: the HTML file.
        progress: told of what is going on.
        published: a table of printed results to set beside, see ``published_results.read_printed``.
        training_log: the epochs of printed trainings, see ``published_results.read_curves``.

    Returns:
        Where it was written.

    Raises:
        RefusedError: if a run is not finished.
        InputError: if predictions or images cannot be read, or the file cannot be written.
    """
    printed = read_printed(published) if published else []
    curves = read_curves(training_log) if training_log else []
    sections = [_section(run, evaluate(run, progress=progress)) for run in runs]
    page = render(
        sections,
        printed=printed,
        printed_curves=curves,
        curves_drawn=data_uri(printed_curves_figure(curves, "svg"), "image/svg+xml") if curves else "",
        boxes=_boxes(sections),
        baselines=_baselines(runs),
    )
    with writing_to(output):
        write_text(output, page)
    return output


def _boxes(sections: Sequence[Mapping[str, Any]]) -> str:
    """Box plots over seeds, or over folds where there is one seed; empty where no run has several parts."""
    drawn = []
    for section in sections:
        evaluation = section["evaluation"]
        kind = "over_seeds" if len(evaluation["over_seeds"]["accuracy"]["values"]) > 1 else None
        found = {
            TITLES[m]: [v for v in (evaluation[kind][m] if kind else evaluation[m]).get("values", []) if v is not None]
            for m in BOXED
        }
        if all(found.values()):
            drawn.append((f"{section['run'].name} ({'seeds' if kind else 'folds'})", found))
    titles = [TITLES[m] for m in BOXED]
    return data_uri(box_figure(drawn, titles, "svg"), "image/svg+xml") if drawn else ""


def _baselines(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The baselines of each split of the runs, where they were computed."""
    found = {}
    for run in runs:
        known = known_baselines(run.folder.parent, str(run.split["name"]), str(run.split["digest"]))
        if known is not None and known["split"] not in found:
            violin = violin_figure(known["sobel_values"], SOBEL_THRESHOLD, "svg")
            found[known["split"]] = {
                **known,
                "table": list(baseline_rows(known)),
                "violin": data_uri(violin, "image/svg+xml"),
            }
    return list(found.values())


def render(sections: Sequence[Mapping[str, Any]], **more: Any) -> str:
    """The page from what each run has to show; every value is escaped."""
    loader = jinja2.FileSystemLoader(Path(__file__).resolve().parents[1] / "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["percent"] = percent
    environment.filters["hundredths"] = partial(percent, digits=2)
    template = environment.get_template("report.html.j2")
    empty = {"printed": [], "printed_curves": [], "curves_drawn": "", "boxes": "", "baselines": []}
    return template.render(
        sections=sections,
        compared=[(m, TITLES[m]) for m in BESIDE],
        metrics=[(m, TITLES[m]) for m in METRICS],
        beside=[(m, TITLES[m]) for m in PRINTED_METRICS[1:]],
        notes=NOTES,
        centre=centre_of,
        **(empty | more),
    )


def _section(run: Run, evaluation: Mapping[str, Any]) -> dict[str, Any]:
    counts = np.array(evaluation["confusion_matrix"]["rows_are_truth"])
    mistakes, items = find_mistakes(run), split_items(run)
    captions = {sha: _shortened(item.extra.get("caption", "")) for sha, item in items.items()}
    return {
        "run": run,
        "record": run.record,
        "config": run.config,
        "evaluation": evaluation,
        "rows": {ROW_TITLES.get(name, name): row for name, row in rows(evaluation).items()},
        "counts": _counts(run),
        "card": card_text(run),
        "confusion": data_uri(confusion_figure(counts, run.classes, "svg"), "image/svg+xml"),
        "curves": data_uri(curves_figure([run.history(key) for key in run.planned], "svg"), "image/svg+xml"),
        "mistakes": [
            dataclasses.replace(m, picture=thumbnail(run.image_root / m.path), caption=captions.get(m.image_sha256, ""))
            for m in mistakes[:SHOWN_MISTAKES]
        ],
        "mistake_count": len(mistakes),
        "across": known_across(run),
    }


def _counts(run: Run) -> list[tuple[str, list[int], int]]:
    """(side, images of each label, papers) of the first part; copies made for training in a row of their own."""
    frame, copies = run.predictions(run.planned[0]), run.config.recipe.copies
    found = []
    for side, words in (("train", "training"), ("val", "validation"), ("test", "test")):
        own = frame[frame["side"] == side]
        if len(own):
            counts = [int((own["label"] == label).sum()) for label in run.classes]
            found.append((words, counts, int(own["group"].nunique())))
            if side == "train" and copies is not None:
                times = [copies[label != run.positive] for label in run.classes]
                many = [n * k for n, k in zip(counts, times, strict=True)]
                found.append(("training, copies included", many, found[-1][2]))
    return found


def data_uri(data: bytes, media_type: str) -> str:
    """Bytes as a ``data:`` address."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def find_mistakes(run: Run) -> list[Mistake]:
    """Test images whose averaged probabilities name the wrong label, the surest first."""
    tests, (facts, outcome) = tested_rows(run), averaged(run)
    answers = np.array(run.classes)[tests[logit_columns(run)].to_numpy().argmax(1)]
    counts = tests.assign(wrong=answers != tests["label"]).groupby("image_sha256")["wrong"].agg(["size", "sum"])
    found = [
        Mistake(
            path=str(facts["path"].iloc[k]),
            image_sha256=str(facts.index[k]),
            group=str(facts["group"].iloc[k]),
            label=str(facts["label"].iloc[k]),
            answer=run.classes[outcome.answers[k]],
            chance=float(outcome.probabilities[k].max()),
            parts=int(counts["size"].iloc[k]),
            wrong=int(counts["sum"].iloc[k]),
        )
        for k in np.flatnonzero(outcome.answers != outcome.truth)
    ]
    return sorted(found, key=lambda mistake: (-mistake.chance, mistake.image_sha256))


def _shortened(caption: str) -> str:
    return caption if len(caption) <= CAPTION else caption[: CAPTION - 1].rstrip() + "…"


def thumbnail(path: Path) -> str:
    """The image as a small JPEG data URI.

    Raises:
        InputError: if it cannot be read.
    """
    picture = open_picture(path)
    picture.thumbnail((2 * THUMBNAIL, 2 * THUMBNAIL), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return data_uri(out.getvalue(), "image/jpeg")
