"""Formats of image files beside JSON, and of archives: ImageFolder, COCO, FiftyOne, Label Studio, WebDataset."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from polydata.exports.content import Content, Entry
from polydata.exports.formats import Format
from polydata.files.atomic import folder_name
from polydata.labels.page import ANSWER, IMAGE, OUR_ID, labelling_page
from polydata.types import Progress

SHARD_BYTES = 250_000_000
SHARD_IMAGES = 10_000


def _known(entry: Entry, *left_out: str) -> dict[str, Any]:
    """What is known of an image, but for what the format has places of its own for."""
    return {key: value for key, value in entry.facts.items() if value is not None and key not in left_out}


def _write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False), encoding="utf-8")


def _coco_image(number: int, entry: Entry, licences: Mapping[str, int]) -> dict[str, Any]:
    name = {} if entry.file is None else {"file_name": entry.file}
    return {"id": number, **name, **_known(entry, "side", "licence"), "license": licences[entry.facts["licence"]]}


def _write_coco(content: Content, folder: Path, progress: Progress) -> None:
    """``SIDE/SHA256.SUFFIX`` and ``annotations/instances_SIDE.json``.

    Each image has one annotation, whose box is the whole image and whose category is its label.
    """
    content.write_pictures(folder, coco.place, progress)
    licences = {name: number for number, name in enumerate(content.marks["licences"], start=1)}
    categories = {label: number for number, label in enumerate(content.split.classes, start=1)}
    for side in content.sides:
        entries = list(enumerate(content.of(side), start=1))
        document = {
            "info": {"description": content.summary, **content.marks, "side": side},
            "licenses": [{"id": number, "name": name, "url": ""} for name, number in licences.items()],
            "images": [_coco_image(number, one, licences) for number, one in entries],
            "annotations": [
                {
                    "id": number,
                    "image_id": number,
                    "category_id": categories[one.item.label],
                    "bbox": [0, 0, one.facts["width"], one.facts["height"]],
                    "area": one.facts["width"] * one.facts["height"],
                    "iscrowd": 0,
                }
                for number, one in entries
            ],
            "categories": [{"id": n, "name": label, "supercategory": ""} for label, n in categories.items()],
        }
        _write_json(folder / "annotations" / f"instances_{side}.json", document)


def _write_fiftyone(content: Content, folder: Path, progress: Progress) -> None:
    """A FiftyOneImageClassificationDataset a side: ``data/`` and ``labels.json``, each label with what is known."""
    content.write_pictures(folder, fiftyone.place, progress)
    marks = {"split": content.split.name, "split_digest": content.split.digest}
    for side in content.sides:
        (folder / side / "data").mkdir(parents=True, exist_ok=True)  # the importer wants it, be it empty
        labels = {
            one.stem: {"label": one.item.label, "attributes": {**_known(one, "side", "label"), **marks}}
            for one in content.of(side, pictures=True)
        }
        _write_json(folder / side / "labels.json", {"classes": None, "labels": labels})


def _write_labelstudio(content: Content, folder: Path, progress: Progress) -> None:
    """``images/``, tasks to import, each with the split's label as an answer, and the labelling page.

    The tasks name the images below the folder that holds the export, which must be the server's document root
    (LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT) and be entered as a local storage of the project.
    """
    content.write_pictures(folder, labelstudio.place, progress)
    _write_json(folder / "tasks.json", [_task(content, one) for one in content.entries if one.file is not None])
    (folder / "config.xml").write_text(labelling_page(content.task), encoding="utf-8")


def _task(content: Content, entry: Entry) -> dict[str, Any]:
    facts = entry.facts
    where = [facts["reference"], facts["figure"], facts["panel"]]
    answer = {"from_name": ANSWER, "to_name": IMAGE, "type": "choices", "value": {"choices": [entry.item.label]}}
    return {
        "data": {
            IMAGE: f"/data/local-files/?d={quote(f'{content.name}/{labelstudio.place(entry)}')}",
            OUR_ID: entry.item.image_sha256,
            "caption": facts["caption"] or "",
            "caption_stem": "",
            "record": "",
            "place": "\n".join(str(part) for part in where if part),
            "split": content.split.name,
            "split_digest": content.split.digest,
            **{key: facts[key] for key in ("side", "group", "licence", "label_source")},
        },
        "annotations": [{"result": [answer]}],
    }


def _write_webdataset(content: Content, folder: Path, progress: Progress) -> None:
    """``SIDE-000000.tar``, ...: the files of one sample share a name: image, ``cls`` (class number), ``json``.

    The archives hold neither times nor owners, so the same split gives the same bytes.
    """
    for side, entries in content.by_side(progress):
        number, one = 0, next(entries, None)
        while one:
            size = count = 0
            with tarfile.open(folder / f"{side}-{number:06d}.tar", "w", format=tarfile.PAX_FORMAT) as shard:
                while one and size < SHARD_BYTES and count < SHARD_IMAGES:
                    if one.file is not None:
                        data, key = content.data(one), one.stem
                        facts = {**one.row(one.file), "split": content.split.name, "digest": content.split.digest}
                        _add(shard, one.file, data)
                        _add(shard, f"{key}.cls", str(content.split.classes.index(one.item.label)).encode())
                        _add(shard, f"{key}.json", json.dumps(facts, ensure_ascii=False).encode())
                        size, count = size + len(data), count + 1
                    one = next(entries, None)
            number += 1


def _add(shard: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    shard.addfile(info, io.BytesIO(data))


def _class_folder(entry: Entry) -> str:
    return f"{entry.side}/{folder_name(entry.item.label)}/{entry.file}"


def _write_imagefolder(content: Content, folder: Path, progress: Progress) -> None:
    """``SIDE/LABEL/``, on every side a folder for every label: readers number the labels by the folders they find."""
    for side in content.sides:
        for label in content.split.classes:
            (folder / side / folder_name(label)).mkdir(parents=True)
    content.write_pictures(folder, _class_folder, progress)


imagefolder = Format(_class_folder, _write_imagefolder)
coco = Format(lambda one: f"{one.side}/{one.file}", _write_coco)
fiftyone = Format(lambda one: f"{one.side}/data/{one.file}", _write_fiftyone)
labelstudio = Format(lambda one: f"images/{one.file}", _write_labelstudio)
webdataset = Format(lambda one: f"{one.side}-*.tar", _write_webdataset)
