"""Label Studio: tasks to import, each with the split's label as an answer, and the labelling page.

The images lie in ``images/``; the tasks name them below the folder that holds the export, which must be the server's
document root (LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT) and be entered as a local storage of the project.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from polydata.exports.content import Advance, Content, Entry, row_of
from polydata.labels.labelstudio.tasks import OUR_ID
from polydata.labels.page import ANSWER, labelling_page

IMAGE = "image"


def place(entry: Entry) -> str:
    """``images/SHA256.SUFFIX``."""
    return f"images/{entry.file}"


def write(content: Content, folder: Path, advance: Advance) -> None:
    """Write ``images/``, ``tasks.json`` and ``config.xml``; images that are withheld stand in the table alone."""
    content.write_pictures(folder, place, advance)
    tasks = [_task(content, one) for one in content.entries if one.file is not None]
    (folder / "tasks.json").write_text(json.dumps(tasks, indent=1, ensure_ascii=False), encoding="utf-8")
    (folder / "config.xml").write_text(labelling_page(content.task), encoding="utf-8")


def _task(content: Content, entry: Entry) -> dict[str, Any]:
    facts = entry.facts
    where = [facts["reference"], facts["figure"], facts["panel"]]
    answer = {
        "from_name": ANSWER,
        "to_name": IMAGE,
        "type": "choices",
        "value": {"choices": [entry.item.label]},
    }
    return {
        "data": {
            IMAGE: f"/data/local-files/?d={quote(f'{content.name}/{place(entry)}')}",
            OUR_ID: entry.item.image_sha256,
            "caption": facts["caption"] or "",
            "caption_stem": "",
            "record": "",
            "place": "\n".join(str(part) for part in where if part),
            "split": content.split.name,
            "split_digest": content.split.digest,
            **{key: row_of(entry, "")[key] for key in ("side", "group", "licence", "label_source")},
        },
        "annotations": [{"result": [answer]}],
    }
