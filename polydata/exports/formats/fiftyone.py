"""FiftyOneImageClassificationDataset, one a side: ``data/`` and ``labels.json``, each label with what is known."""

from __future__ import annotations

import json
from pathlib import Path

from polydata.exports.content import Advance, Content, Entry, row_of


def place(entry: Entry) -> str:
    """``SIDE/data/SHA256.SUFFIX``."""
    return f"{entry.side}/data/{entry.file}"


def write(content: Content, folder: Path, advance: Advance) -> None:
    """Write ``train/`` and ``test/``; images that are withheld stand in the table alone."""
    content.write_pictures(folder, place, advance)
    for side in content.sides:
        labels = {}
        for one in content.of(side, pictures=True):
            row = row_of(one, "")
            facts = {k: v for k, v in row.items() if v is not None and k not in ("file", "side", "label")}
            facts |= {"split": content.split.name, "split_digest": content.split.digest}
            labels[one.item.image_sha256] = {"label": one.item.label, "attributes": facts}
        (folder / side / "data").mkdir(parents=True, exist_ok=True)  # the importer wants it, be it empty
        text = json.dumps({"classes": None, "labels": labels}, indent=1, ensure_ascii=False)
        (folder / side / "labels.json").write_text(text, encoding="utf-8")
