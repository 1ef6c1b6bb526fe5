"""The labelling page: a template of schemas/labelstudio with the task's question and choices filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from polydata.errors import InputError
from polydata.files.predictions import Prediction
from polydata.resources import schemas
from polydata.task import Task

ANSWER = "answer"
"""Name of the control that carries the choice."""
IMAGE = "image"
"""Name of the object that it speaks of."""
COMMENT = "comment"
"""Name of the text area beside it."""
QUESTION = "question"
MARK = "made-by-polydata"
"""Class of the outermost element: a project whose page lacks it is somebody else's."""
BLIND_MARK = "shows-the-image-alone"
BLIND = "blind.xml"
"""The page that shows the image alone."""


def choices(task: Task) -> tuple[str, ...]:
    """Every answer that a reviewer may give: the labels, then the answers that are no label."""
    return (*task.labels, task.not_a_micrograph, task.unsure)


def task_prediction(prediction: Prediction, version: str) -> dict[str, Any]:
    """A prediction of a model of this version as a task of Label Studio carries it."""
    value = {"choices": [prediction.label]}
    result = [{"from_name": ANSWER, "to_name": IMAGE, "type": "choices", "value": value}]
    score = {} if prediction.score is None else {"score": prediction.score}
    return {"model_version": version, "result": result} | score


def _folder() -> Path:
    return schemas() / "labelstudio"


def labelling_page(task: Task, *, blind: bool = False) -> str:
    """The page of a task as Label Studio wants it, in XML. The choices have the hotkeys 1, 2, 3, ...

    Args:
        blind: the page that shows the image without any words.

    Raises:
        InputError: if the template is missing, is no XML, or has no place for the answers.
    """
    path = _folder() / (BLIND if blind else task.labelstudio)
    try:
        root = ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - a file of this program
    except FileNotFoundError:
        known = ", ".join(sorted(p.name for p in path.parent.glob("*.xml")))
        raise InputError(f"The task names the labelling page {task.labelstudio!r}.", f"Known pages: {known}.") from None
    except (OSError, UnicodeDecodeError, ET.ParseError) as error:
        raise InputError(f"{path} is not a labelling page: {error}") from error
    answers = root.find(f".//Choices[@name='{ANSWER}']")
    if answers is None:
        raise InputError(f"{path} has no <Choices name={ANSWER!r}>.")
    marks = [root.get("className", ""), MARK, BLIND_MARK if blind else ""]
    root.set("className", " ".join(m for m in marks if m))
    for position, word in enumerate(choices(task), start=1):
        attributes = {"value": word} | ({"hotkey": str(position)} if position < 10 else {})
        ET.SubElement(answers, "Choice", attributes)
    for header in root.iterfind(f".//Header[@name='{QUESTION}']"):
        header.set("value", task.question)
    return ET.tostring(root, encoding="unicode")


def guide(task: Task) -> str:
    """The reviewers' guide in HTML: the file beside the labelling page, else the task's question."""
    try:
        return (_folder() / task.labelstudio).with_suffix(".guide.html").read_text(encoding="utf-8")
    except FileNotFoundError:
        return task.question
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The guide of {task.labelstudio} cannot be read: {error}") from error
