"""Disagreements between the images' labels and what a model predicts."""

from __future__ import annotations

from collections.abc import Iterator

from polydata.files.predictions import Predictions
from polydata.labels.conflicts.evidence import Conflict, Scene, Voice


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
