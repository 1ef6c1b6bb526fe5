"""A workspace whose catalogue the tests fill themselves."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.session import Session
from polydata.task import Task
from polydata.workspace import Workspace

TASK = Task.load()
YES, NO, BETWEEN = TASK.positive, TASK.negative, TASK.partial


def picture(number: int, quality: int | None = None) -> bytes:
    """A blotchy picture that no other number gives; as JPEG where a quality is given."""
    noise = np.random.default_rng(number).integers(0, 255, (8, 8), dtype=np.uint8)
    image = Image.fromarray(noise).resize((48, 40), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    if quality is None:
        image.save(out, "PNG")
    else:
        image.save(out, "JPEG", quality=quality)
    return out.getvalue()


@dataclass
class Corpus:
    """Fills a catalogue with papers of one figure each and reads what was built from it."""

    session: Session
    panels: int = 0
    answers: int = 0

    @property
    def workspace(self) -> Workspace:
        return self.session.workspace

    @property
    def catalogue(self) -> Catalogue:
        return self.session.catalogue

    def paper(self, paper: str, **more: Any) -> None:
        row = {"paper_id": paper, "source": "test", "file_name": paper, "status": "imported", "extractor": "test"}
        self.catalogue.upsert("papers", [{**row, **more}])
        self.catalogue.upsert(
            "figures", [{"figure_id": f"{paper}/f", "paper_id": paper, "method": "test", "confidence": 1.0}]
        )

    def image(self, paper: str, data: bytes | int, caption: str | None = None, **votes: str | list[str]) -> str:
        """Show an image in a paper; each vote is a source and the label (or labels) it gives."""
        info = self.session.images.put(picture(data) if isinstance(data, int) else data)
        self.panels += 1
        panel = f"panel-{self.panels:06d}"
        shown = {"panel_id": panel, "figure_id": f"{paper}/f", "position": self.panels, "image_sha256": info.sha256}
        rows = [
            {"panel_id": panel, "source": source, "record_id": str(n), "label": label, "evidence": "test"}
            for source, said in votes.items()
            for n, label in enumerate([said] if isinstance(said, str) else said)
        ]
        self.catalogue.upsert("images", [dataclasses.asdict(info)])
        self.catalogue.upsert("panels", [{**shown, "caption": caption}])
        self.catalogue.upsert("label_votes", rows)
        return info.sha256

    def answer(self, image: str, *choices: str) -> None:
        """Answers of as many reviewers."""
        for who, choice in enumerate(choices):
            self.answers += 1
            row = {
                "server": "s", "project": 1, "annotation_id": self.answers, "task": 1, "image_sha256": image,
                "annotator": f"reviewer {who}", "choice": choice, "cancelled": False, "updated_at": "2026-01-01",
                "raw": "{}",
            }  # fmt: skip
            self.catalogue.upsert("annotations", [row])

    def screening(self, image: str, decision: str) -> None:
        row = {"image_sha256": image, "rule": "r", "version": "1", "score": 0.5, "decision": decision, "reason": ""}
        self.catalogue.upsert("screenings", [row])

    def record(self, paper: str, record: str, **fields: Any) -> None:
        """A record joined to a paper."""
        self.catalogue.upsert("records", [{"record_id": record, "source": "test", "raw": "{}", **fields}])
        link = {"paper_id": paper, "record_id": record, "method": "test", "score": 1.0}
        self.catalogue.upsert("paper_links", [link])

    def standard(self, papers: Iterable[int] = range(12)) -> list[str]:
        """Papers with two to four labelled images, about one in three positive."""
        images = []
        with self.catalogue.transaction():
            for n in papers:
                self.paper(f"p{n:02d}")
                for k in range(2 + n % 3):
                    images.append(self.image(f"p{n:02d}", 100 * n + k, file=YES if (n + k) % 3 == 0 else NO))
        return images
