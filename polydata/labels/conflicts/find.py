"""All disagreements about labels, ranked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from polydata.catalogue.conflicts import linked_records
from polydata.catalogue.session import Session
from polydata.errors import UsageError
from polydata.files.predictions import Predictions, read_predictions
from polydata.labels.conflicts.evidence import SEVERITY, Conflict, Scene, Voice, read_scene
from polydata.labels.conflicts.people import people_against_label, read_lines, truth_against_label
from polydata.labels.conflicts.sources import DETECTORS, several_papers


def model_against_label(scene: Scene, predictions: Predictions) -> Iterator[Conflict]:
    """Kind ``model``: a model predicts another label; the surer it is, the weightier.

    Labels that the model does not know are left alone. A model agrees with the labels that it was trained with more
    than it should: that it agrees with one of them says little.
    """
    known = {p.label for p in predictions.by_image.values()}
    if any(len(p.chances) == len(scene.task.labels) for p in predictions.by_image.values()):
        known = set(scene.task.labels)
    for image, prediction in predictions.by_image.items():
        picture = scene.pictures.get(image)
        if picture is None or picture.label not in known or prediction.label == picture.label:
            continue
        sure = 0.5 if prediction.score is None else prediction.score
        told = "" if prediction.score is None else f"probability {prediction.score:.2f}"
        names = [label.replace("_", " ") for label in (prediction.label, picture.label)]
        says = f"{predictions.version} predicts {names[0]}{f' ({told})' if told else ''}, the label is {names[1]}"
        voices = (
            Voice("model", prediction.label, told, predictions.version),
            Voice(picture.source or "", picture.label, "", picture.panel_id),
        )
        weight = scene.weight("model", prediction.label, picture.label) * sure
        yield Conflict("model", round(weight, 4), (image,), says, voices)


@dataclass(frozen=True)
class TableOptions:
    """A table that people filled in.

    Attributes:
        truth: column of true answers.
        raters: shell patterns of the raters' columns.
        key: column that names the image; None takes the first.
    """

    path: Path
    truth: str
    raters: tuple[str, ...] = ()
    key: str | None = None


@dataclass(frozen=True)
class Found:
    """Every disagreement.

    Attributes:
        scene: what they were found in.
        conflicts: the weightiest first; those that were settled by hand last.
        problems: rows of the table that could not be used.
    """

    scene: Scene
    conflicts: tuple[Conflict, ...]
    problems: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Open conflicts of each kind, the weightiest kind first, and how many are settled."""
        count = Counter(c.kind for c in self.conflicts if not c.settled)
        found = {kind: count[kind] for kind in sorted(SEVERITY, key=lambda k: -SEVERITY[k]) if count[kind]}
        return {**found, "settled": sum(c.settled for c in self.conflicts)}

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "counts": self.counts,
            "conflicts": [
                {
                    "kind": c.kind,
                    "severity": c.severity,
                    "settled": c.settled,
                    "says": c.says,
                    "images": [self.scene.pictures[i].place() for i in c.images],
                    "evidence": [v.as_json() for v in c.voices],
                }
                for c in self.conflicts
            ],
            "problems": list(self.problems),
        }


def find_conflicts(session: Session, *, table: TableOptions | None = None, predictions: Sequence[Path] = ()) -> Found:
    """Find every disagreement between file names, records, their texts, reviewers, models and same pictures.

    Args:
        table: answers of people in a table, compared with the images' own labels.
        predictions: Parquet files as ``polymodel predict`` writes them, or folders of runs.

    Raises:
        UsageError: if the catalogue has no images.
        InputError: if table or predictions cannot be used.
    """
    scene = read_scene(session)
    if not scene.pictures:
        raise UsageError("The catalogue has no images.", "Read papers first: polydata extract PAPERS/")
    found = [conflict for detect in DETECTORS for conflict in detect(scene)]
    found += several_papers(scene, linked_records(session.catalogue))
    problems: list[str] = []
    if table is not None:
        lines, problems = read_lines(scene, table.path, truth=table.truth, raters=table.raters, key=table.key)
        found += truth_against_label(scene, lines, table.path.name)
        found += people_against_label(scene, lines, table.path.name)
    for path in predictions:
        found += model_against_label(scene, read_predictions(path, session.task.labels))
    return Found(scene, _ranked(scene, found), tuple(problems))


def _ranked(scene: Scene, found: Sequence[Conflict]) -> tuple[Conflict, ...]:
    """The weightiest first; of equals those whose images have more conflicts; then in page order."""
    settled = [replace(c, settled=all(i in scene.decided for i in c.images)) for c in found]
    several = Counter(image for c in settled for image in c.images)
    place = {image: number for number, image in enumerate(scene.pictures)}
    return tuple(
        sorted(settled, key=lambda c: (c.settled, -c.severity, -several[c.images[0]], place[c.images[0]], c.kind))
    )
