"""A workspace with a few panels to screen: micrographs, drawings, hostile words."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pdf_sheet import micrograph, png
from PIL import Image, ImageDraw

from polydata.catalogue.session import Session, open_session
from polydata.images.picture import ImageStore
from polydata.workspace import Workspace

HOSTILE = "<script>alert('a')</script> \"quoted\" & <b>bold</b> 70/30"


def drawing(seed: int) -> Image.Image:
    image = Image.new("RGB", (300, 220), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((30, 20, 280, 190), outline="black", width=2)
    pen.line([(30 + 10 * i, 110 + 60 * np.sin((i + seed) / 3)) for i in range(25)], fill="red", width=2)
    return image


@dataclass
class Scene:
    """Panels by number: 0 to 2 are micrographs, 3 and 4 drawings; 2 stands in two panels."""

    workspace: Workspace
    images: list[str]

    def session(self) -> Session:
        return open_session(self.workspace)

    def panel(self, number: int) -> str:
        return f"panel-{number:012d}"


def make_scene(folder: Path) -> Scene:
    workspace = Workspace.init(folder)
    store = ImageStore(workspace.store)
    infos = [store.put(png(picture)) for picture in [*map(micrograph, range(3)), *map(drawing, range(2))]]
    captions = ["SEM micrographs of blends", None, HOSTILE, "Stress against strain", HOSTILE]
    said = json.dumps([{"field": "technique", "value": "TEM", "text": "TEM", "start": 0, "end": 3}])
    with open_session(workspace) as session:
        paper = {"paper_id": "paper-1", "source": "pdf", "file_name": "<i>a</i>.pdf", "path": str(folder / "a b.pdf")}
        session.catalogue.upsert("papers", [{**paper, "status": "done", "extractor": "1"}])
        session.catalogue.upsert("images", [dataclasses.asdict(info) for info in infos])
        for number, index in enumerate([0, 1, 2, 3, 4, 2]):
            figure = {"figure_id": f"figure-{number:012d}", "paper_id": "paper-1", "page": number + 1}
            words = {"label": f"Fig. {number}", "caption": captions[index], "method": "test", "confidence": 1.0}
            session.catalogue.upsert("figures", [{**figure, **words}])
            panel = {"panel_id": f"panel-{number:012d}", "figure_id": figure["figure_id"], "position": 0}
            session.catalogue.upsert(
                "panels", [{**panel, "image_sha256": infos[index].sha256, "mentions": said if number == 0 else None}]
            )
    return Scene(workspace, [info.sha256 for info in infos])
