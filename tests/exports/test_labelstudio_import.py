"""The export for Label Studio, taken in by a real server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from label_studio_server import LabelStudioServer
from review_scene import Api
from split_scene import SplitScene

from polydata.exports.workflow import export_split

pytestmark = [pytest.mark.labelstudio, pytest.mark.slow]


def test_a_server_takes_it_in(label_studio: LabelStudioServer, scene: SplitScene) -> None:
    folder = label_studio.document_root / "exported"
    with scene.session() as session:
        export_split(session, "v1", "labelstudio", folder, quick=True)
    api = Api(label_studio)
    config = (folder / "config.xml").read_text()
    project = api.call("POST", "/api/projects", 201, json={"title": "exported", "label_config": config})["id"]
    storage = {"project": project, "path": str(folder), "use_blob_urls": True, "title": "images"}
    api.call("POST", "/api/storages/localfiles", 201, json=storage)
    tasks = json.loads((folder / "tasks.json").read_text())
    made = api.call("POST", f"/api/projects/{project}/import", 201, json=tasks)
    assert (made["task_count"], made["annotation_count"]) == (48, 48)
    there: dict[str, dict[str, Any]] = api.tasks("exported")
    for item in (*scene.split.folds[0].train, *scene.split.folds[0].test):
        task = there[item.image_sha256]
        assert task["annotations"][0]["result"][0]["value"]["choices"] == [item.label]
    shown = api.call("GET", tasks[0]["data"]["image"])
    assert shown == (folder.parent / tasks[0]["data"]["image"].partition("?d=")[2]).read_bytes()
