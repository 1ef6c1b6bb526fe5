"""A workspace with images to review, and a look at a Label Studio server that owes nothing to polydata's own code."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import requests
from label_studio_server import LabelStudioServer
from PIL import Image

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.session import open_session
from polydata.images.picture import ImageStore
from polydata.types import ImageInfo
from polydata.workspace import Workspace


def picture(seed: int, mode: str = "L", form: str = "PNG") -> bytes:
    """A small noisy image, another for each seed."""
    pixels = np.random.default_rng(seed).integers(0, 255, (24, 32, len(mode) if len(mode) > 1 else 1), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels.squeeze(), mode).save(buffer, form)
    return buffer.getvalue()


def make_workspace(folder: Path, url: str, project: str, **settings: str) -> Workspace:
    """A workspace whose settings name this server and project."""
    Workspace.init(folder)
    lines = {"url": url, "project": project, **settings}
    text = "[label_studio]\n" + "".join(f'{k} = "{v}"\n' for k, v in lines.items())
    (folder / "polydata.toml").write_text(text)
    return Workspace.open(folder)


def add_images(workspace: Workspace, pictures: list[bytes], status: str = "imported") -> list[ImageInfo]:
    """Store pictures as the panels of one paper, with captions, and a record linked to the first."""
    store = ImageStore(workspace.store)
    images = [store.put(data) for data in pictures]
    paper = {"paper_id": "paper-1", "source": "test", "file_name": "one.pdf", "status": status, "extractor": "test"}
    figure = {"figure_id": "figure-1", "paper_id": "paper-1", "page": 3, "label": "Figure 2"}
    with open_session(workspace) as session:
        session.catalogue.upsert("papers", [paper])
        session.catalogue.upsert("figures", [{**figure, "method": "test", "confidence": 1.0}])
        session.catalogue.upsert("images", [dataclasses.asdict(i) for i in images])
        session.catalogue.upsert(
            "panels",
            [
                {
                    "panel_id": f"panel-{n:05}", "figure_id": "figure-1", "position": n, "label": "a",
                    "caption": f"blend <b>{n}</b>", "caption_stem": None, "image_sha256": image.sha256,
                }
                for n, image in enumerate(images)
            ],
        )  # fmt: skip
        record = {"record_id": "r", "source": "s", "polymers": "PLA; PBAT", "morphology": "two phases", "raw": "{}"}
        session.catalogue.upsert("records", [record])
        session.catalogue.upsert(
            "links", [{"panel_id": "panel-00000", "record_id": "r", "method": "test", "score": 1.0}]
        )
    return images


class Api:
    """Plain requests to a server, as one of its users."""

    def __init__(self, server: LabelStudioServer, token: str | None = None) -> None:
        self.url = server.url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Token {token or server.token}"

    def call(self, method: str, path: str, expect: int = 200, **arguments: Any) -> Any:
        answer = self.session.request(method, f"{self.url}{path}", timeout=60, **arguments)
        assert answer.status_code == expect, (path, answer.status_code, answer.text[:500])
        return answer.json() if answer.content and "json" in answer.headers.get("content-type", "") else answer.content

    def project(self, title: str) -> int:
        (found,) = [p["id"] for p in self.call("GET", "/api/projects?page_size=1000")["results"] if p["title"] == title]
        return int(found)

    def tasks(self, title: str) -> dict[str, dict[str, Any]]:
        """Every task of a project by our own id; fails where two tasks share one."""
        found: dict[str, dict[str, Any]] = {}
        query = {"project": self.project(title), "fields": "all", "page_size": 5000}
        for task in self.call("GET", "/api/tasks", params=query)["tasks"]:
            assert task["data"]["polydata_id"] not in found
            found[task["data"]["polydata_id"]] = task
        return found

    def answer(self, task: Mapping[str, Any], choice: str | None, comment: str = "") -> int:
        """Annotate a task; None skips it."""
        body = {"result": results(choice, comment), "was_cancelled": choice is None}
        return int(self.call("POST", f"/api/tasks/{task['id']}/annotations", 201, json=body)["id"])

    def edit(self, annotation: int, choice: str) -> None:
        self.call("PATCH", f"/api/annotations/{annotation}", json={"result": results(choice)})


def results(choice: str | None, comment: str = "") -> list[dict[str, Any]]:
    """What the labelling page sends."""
    given = [("answer", "choices", {"choices": [choice]})] if choice else []
    given += [("comment", "textarea", {"text": [comment]})] if comment else []
    return [{"from_name": name, "to_name": "image", "type": kind, "value": value} for name, kind, value in given]


def on_the_server(api: Api, title: str) -> set[tuple[Any, ...]]:
    """(annotation, image, choice, skipped) of every annotation, as the server has it now."""
    return {
        (a["id"], sha256, a["result"][0]["value"]["choices"][0] if a["result"] else None, a["was_cancelled"])
        for sha256, task in api.tasks(title).items()
        for a in task["annotations"]
    }


def in_the_catalogue(catalogue: Catalogue) -> set[tuple[Any, ...]]:
    """The same as the catalogue has it."""
    return set(
        catalogue.tuples("SELECT annotation_id, image_sha256, choice, cancelled FROM annotations WHERE NOT deleted")
    )
