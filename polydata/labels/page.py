"""What a reviewer sees: the labelling page with the task's question and choices, and the words beside an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
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
KINDS = {
    "": ("", "shows words beside the image"),
    "blind": (BLIND_MARK, "shows the image alone, so its answers are no labels"),
    "screening": ("asks-what-is-a-micrograph", "asks what is a micrograph"),
    "boxes": ("asks-for-boxes", "asks for the boxes of panels"),
    "quality-pages": ("counts-figures", "has figures counted"),
    "quality-figures": ("counts-panels", "has panels counted"),
    "quality-images": ("counts-micrographs", "has micrographs counted"),
}
"""Kinds of pages, each with the class by which it is known and what it does; that of labels has none."""
PROJECT = "project-"
"""Before the mark of a project, a class of the same element."""
OUR_ID = "polydata_id"
"""Key in a task's data that holds the SHA-256 of its image. The server can filter by data, not by meta."""
MAX_TEXT = 5_000
"""Longer texts are cut before they are shown to a reviewer or stored as a comment."""
NOTHING = "–"
READ = ("right", "no, it is another", "no, there is none")
"""What is said of a scale or a label that was read: it is as claimed (also that there is none), or it is not."""
CLAIMS = {"letters": "Letters", "scales": "Length of the scale bar", "labels": "Label"}
"""By which name people are shown what is claimed in a unit of a sample, see ``catalogue.quality.CLAIMED``."""
MICROGRAPH = "Is this a micrograph?"
"""The question of a screening."""
# The page makes an image as large as fits into the window and its column beside the tools, whose room the words below
# leave free too.
_HIGHEST = "100vh - 194px"
_RECORD_WORDS = {
    "polymers": "Polymers",
    "composition_ratio": "Ratio",
    "blending_method": "Blending",
    "morphology": "Morphology",
    "characteristics": "Characteristics",
    "literature_description": "Literature",
    "scale_um": "Scale (µm)",
}


def task_prediction(prediction: Prediction, version: str) -> dict[str, Any]:
    """A prediction of a model of this version as a task of Label Studio carries it."""
    value = {"choices": [prediction.label]}
    result = [{"from_name": ANSWER, "to_name": IMAGE, "type": "choices", "value": value}]
    score = {} if prediction.score is None else {"score": prediction.score}
    return {"model_version": version, "result": result} | score


def choices_of(task: Task, kind: str = "") -> tuple[str, ...]:
    """The answers that a page of a kind lets people choose; none for one that asks for boxes or numbers."""
    own = {"screening": ("accepted", "rejected"), "quality-images": ("yes", "no")}
    return own.get(kind, () if kind in ("boxes", "quality-pages", "quality-figures") else tuple(task.choices))


def plain(label: str) -> str:
    """A label as people are shown it; what they choose is kept as the task spells it."""
    return label.replace("_", " ")


def labelling_page(task: Task, *, kind: str = "", mark: str = "") -> str:
    """A page as Label Studio wants it, in XML. The choices have the hotkeys 1, 2, 3, ...

    Args:
        task: whose labels are asked for.
        kind: one of ``KINDS``.
        mark: of the project, by which it is known again; empty for none.

    Raises:
        InputError: if the template is missing, is no XML, or has no place for the answers.
    """
    path = schemas() / "labelstudio" / (f"{kind}.xml" if kind else task.labelstudio)
    choices, style = choices_of(task, kind), ET.Element("Style")
    try:
        style.text = (path.parent / "page.css").read_text(encoding="utf-8")
        root = ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - a file of this program
    except FileNotFoundError:
        known = ", ".join(sorted(p.name for p in path.parent.glob("*.xml")))
        raise InputError(f"The task names the labelling page {task.labelstudio!r}.", f"Known pages: {known}.") from None
    except (OSError, UnicodeDecodeError, ET.ParseError) as error:
        raise InputError(f"{path} is not a labelling page: {error}") from error
    answers = root.find(f".//Choices[@name='{ANSWER}']")
    if answers is None and choices:
        raise InputError(f"{path} has no <Choices name={ANSWER!r}>.")
    marks = [root.get("className", ""), MARK, KINDS[kind][0], f"{PROJECT}{mark}" if mark else ""]
    root.set("className", " ".join(m for m in marks if m))
    root.insert(0, style)
    for position, word in enumerate(choices, start=1):
        shown = {"html": escape(plain(word))} if plain(word) != word else {}
        attributes = {"value": word} | shown | ({"hotkey": str(position)} if position < 10 else {})
        ET.SubElement(answers, "Choice", attributes)  # type: ignore[arg-type]
    for header in root.iterfind(f".//Header[@name='{QUESTION}']"):
        header.set("value", MICROGRAPH if kind in ("screening", "quality-images") else task.question)
    return ET.tostring(root, encoding="unicode")


def guide(task: Task, kind: str = "") -> str:
    """The reviewers' guide in HTML: the file beside the labelling page, else the task's question.

    Args:
        task: whose labels are asked for.
        kind: one of ``KINDS``; blind pages have the task's guide.
    """
    page = f"{kind}.xml" if kind not in ("", "blind") else task.labelstudio
    try:
        return (schemas() / "labelstudio" / page).with_suffix(".guide.html").read_text(encoding="utf-8")
    except FileNotFoundError:
        return task.question
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The guide of {task.labelstudio} cannot be read: {error}") from error


def shown_text(text: object) -> str:
    """A text for the labelling page, cut and without control characters; a dash where it is empty."""
    cleaned = "".join(c for c in str(text if text is not None else "") if c.isprintable() or c == "\n").strip()
    return (cleaned if len(cleaned) <= MAX_TEXT else f"{cleaned[:MAX_TEXT]} ...") or NOTHING


def place_words(row: Mapping[str, Any]) -> str:
    """Where a panel or figure stands, in a line."""
    parts = (
        row["title"] or row["paper"],
        row["page"] is not None and f"page {row['page']}",
        row.get("figure") or row.get("label"),
        row.get("panel") and f"({row['panel']})",
        row.get("places", 1) > 1 and f"and {row['places'] - 1} more with the same image",
    )
    return ", ".join(part for part in parts if part)


def unit_words(row: Mapping[str, Any], text: Mapping[str, Any] | None = None) -> dict[str, str]:
    """What is said beside the picture of a unit of a sample; nothing of what the screening thinks of an image.

    Args:
        row: of ``catalogue.quality.sampled``.
        text: of ``review_texts``, for an image.
    """
    of = {what: row["claims"].get(what) or "none" for what in CLAIMS}
    of["labels"] = plain(of["labels"])
    said = {what: f"{name}: {shown_text(of[what])}" for what, name in CLAIMS.items()}
    place = {"place": shown_text(row["place"])}
    if row["kind"] == "image":  # a bar is drawn only where it has the length that is claimed
        bar = _bar(text) if text and row["claims"].get("scales") else ""
        return place | {"bar": bar, "scales": said["scales"], "labels": said["labels"]}
    found = next(iter(row["found"].values()))
    asked = {"letters": said["letters"]} if row["kind"] == "figure" else {}
    return place | asked | {"found": f"Boxes: {found}", "words": shown_text(row["words"])}


def _bar(row: Mapping[str, Any]) -> str:
    """A bar as long on the page as the one that was read in the image, with its value, in HTML; empty for none."""
    if row["bar_px"] and row["bar_value"] is not None:
        share, aspect = row["bar_px"] / row["width"], row["width"] / row["height"]
        line = f"width:calc({share:.5f}*min(100%,({_HIGHEST})*{aspect:.5f}));height:7px;box-sizing:border-box"
        drawn = f'<div style="{line};border:2px solid currentColor;border-top:0"></div>'
        return f"{drawn}{row['bar_value']:g} {escape(str(row['bar_unit']))}"
    return ""


def _scale(row: Mapping[str, Any]) -> str:
    """What is known of the scale, in HTML: the bar, or its value alone."""
    if bar := _bar(row):
        return bar
    return f"Scale bar: {row['scale_um']:g} µm" if row["scale_um"] is not None else ""


def task_data(
    row: Mapping[str, Any], records: Sequence[Mapping[str, Any]], url: str, *, blind: bool = False
) -> dict[str, Any]:
    """Data of a task: its image, our own id, and unless it is blind the words around it. No label stands in it.

    Args:
        row: of ``review_texts``.
        records: of ``record_texts`` for this image.
        url: by which the labelling page shows the image.
    """
    alone = {IMAGE: url, OUR_ID: row["image_sha256"]}
    if blind:
        return alone
    said = (
        "\n".join(f"{word}: {record[name]}" for name, word in _RECORD_WORDS.items() if record[name] not in (None, ""))
        for record in records
    )
    return {
        **alone,
        "scale": _scale(row),
        "caption": shown_text(row["caption"]),
        "caption_stem": shown_text(row["caption_stem"]),
        "record": shown_text("\n\n".join(said)),
        "place": shown_text(place_words(row)),  # not "source": the server keeps that name for the task itself
        "paper": shown_text(row["paper"]),
        "figure": shown_text(row["figure"]),
    }
