"""A workspace with a small split: images of every awkward kind, hostile words, papers with and without a licence."""

from __future__ import annotations

import dataclasses
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from polydata.catalogue.session import Session, open_session
from polydata.images.picture import image_store
from polydata.splits.build import build_split
from polydata.splits.manifest import Split
from polydata.splits.options import SplitOptions
from polydata.task import Task
from polydata.workspace import Workspace

TASK = Task.load()
HOSTILE = "</script><script>alert('a')</script><img src=x onerror=alert(1)>\u2028 \"quoted\" & | <b>bold</b> 70/30"
PAPERS = 8
OPEN, PRINTED, CLOSED = "p0", "p1", "p2"
"""Papers with a licence: by the user's word, by the first page, and one that forbids passing on."""


def blot(number: int, size: tuple[int, int] = (64, 48)) -> Image.Image:
    """A grey picture that no other number gives."""
    noise = np.random.default_rng(number).integers(0, 255, (6, 8), dtype=np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def alpha_only(number: int) -> bytes:
    """The picture in the alpha channel, plain black in front of it."""
    image = Image.new("RGBA", (64, 48), (0, 0, 0, 255))
    image.putalpha(blot(number))
    return encoded(image)


def opaque(number: int) -> bytes:
    return encoded(blot(number).convert("RGBA"))


def deep(number: int) -> bytes:
    """A TIFF of 16 bits."""
    return encoded(Image.fromarray(np.asarray(blot(number), np.uint16) * 257), "TIFF")


KINDS = {
    0: ("png", lambda n: encoded(blot(n))),
    1: ("jpeg", lambda n: encoded(blot(n), "JPEG", quality=92)),
    2: ("gif", lambda n: encoded(blot(n).convert("P"), "GIF")),
    3: ("alpha-only", alpha_only),
    4: ("opaque", opaque),
    5: ("deep", deep),
}


@dataclass
class SplitScene:
    """What was made.

    Attributes:
        kinds: the kind of each image, by its SHA-256.
        numbers: the number by which ``blot`` gives it.
        papers: the paper of each.
    """

    workspace: Workspace
    split: Split
    kinds: dict[str, str]
    numbers: dict[str, int]
    papers: dict[str, str]

    def session(self) -> Session:
        return open_session(self.workspace)


def make_scene(folder: Path, **options: Any) -> SplitScene:
    """Eight papers of six images each, one of every kind, and a split ``v1`` of them.

    Args:
        options: of ``build_split``.
    """
    workspace = Workspace.init(folder)
    store, found, numbers, of_paper = image_store(workspace), {}, {}, {}
    rows: dict[str, list[dict[str, Any]]] = {"papers": [], "figures": [], "images": [], "panels": [], "label_votes": []}
    for paper in range(PAPERS):
        name = f"p{paper}"
        text = "Licensed under creativecommons.org/licenses/by/4.0/" if name == PRINTED else "All rights reserved"
        known = {"paper_id": name, "source": "pdf", "file_name": f"{name}.pdf", "status": "done", "extractor": "1"}
        rows["papers"].append({**known, "first_page_text": text, "year": 2000 + paper, "doi": f"10.5555/{name}"})
        figure = {"figure_id": f"{name}/f", "paper_id": name, "method": "test", "confidence": 1.0, "page": 3}
        rows["figures"].append({**figure, "label": "Figure 1", "caption": HOSTILE})
        for position, (kind, make) in KINDS.items():
            number = 10 * paper + position
            info = store.put(make(number))
            found[info.sha256], numbers[info.sha256], of_paper[info.sha256] = kind, number, name
            rows["images"].append(dataclasses.asdict(info))
            panel = {"panel_id": f"panel-{number:06d}", "figure_id": f"{name}/f", "position": position}
            caption = HOSTILE if position == 0 else f"blend {number}/70, SEM"
            rows["panels"].append(
                {**panel, "image_sha256": info.sha256, "label": "abcdef"[position], "caption": caption}
            )
            label = TASK.positive if (paper + position) % 3 == 0 else TASK.negative
            vote = {
                "panel_id": panel["panel_id"],
                "source": "file",
                "record_id": "",
                "label": label,
                "evidence": "test",
            }
            rows["label_votes"].append(vote)
    with open_session(workspace) as session:
        for table, some in rows.items():
            session.catalogue.upsert(table, some)
        said = [{"paper_id": OPEN, "licence": "CC-BY-SA-4.0"}, {"paper_id": CLOSED, "licence": "CC-BY-ND-4.0"}]
        session.catalogue.upsert("paper_licences", said)
        split = build_split(session, "v1", SplitOptions(**options)).split
    return SplitScene(workspace, split, found, numbers, of_paper)
