"""Pushing to Label Studio and pulling from it, beside what a plain loop over its SDK does on the same server.

    python benchmarks/labelstudio.py [IMAGES] [ANSWERS]

The server is the one of the tests (installed where it is missing), on this machine, with SQLite. Commands are timed
as a user sees them, start of the program included.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from label_studio_sdk import LabelStudio  # noqa: E402
from label_studio_server import LabelStudioServer, start_server  # noqa: E402
from review_scene import add_images, make_workspace, picture  # noqa: E402

from polydata.catalogue.session import open_session  # noqa: E402
from polydata.files.predictions import read_predictions  # noqa: E402
from polydata.labels.page import labelling_page, task_prediction  # noqa: E402
from polydata.labels.pull import pull  # noqa: E402
from polydata.task import Task  # noqa: E402
from polydata.workspace import Workspace  # noqa: E402

SINGLE = 50
"""Tasks that the loop of single requests makes; for more one would wait too long."""
PULLS = 5
TASK = Task.load()


def timed(what: str, run: Callable[[], object], note: str = "") -> float:
    start = time.perf_counter()
    run()
    seconds = time.perf_counter() - start
    print(f"| {what} | {seconds:.2f} | {note} |", flush=True)
    return seconds


def polydata(workspace: Workspace, server: LabelStudioServer, *words: object) -> None:
    environment = {"POLYDATA_WORKSPACE": str(workspace.root), "POLYDATA_LABEL_STUDIO_TOKEN": server.token}
    command = [str(Path(sys.executable).with_name("polydata")), "label", *map(str, words)]
    subprocess.run(command, check=True, env={"PATH": "/usr/bin:/bin", **environment}, stdout=subprocess.DEVNULL)


def predictions(path: Path, images: list[str]) -> Path:
    logits = np.random.default_rng(0).normal(size=(len(images), len(TASK.labels)))
    columns = {f"logit_{label}": logits[:, n] for n, label in enumerate(TASK.labels)}
    pd.DataFrame({"image_sha256": images, **columns}).to_parquet(path, index=False)
    return path


@contextmanager
def running() -> Iterator[LabelStudioServer]:
    with tempfile.TemporaryDirectory() as folder:
        server = start_server(Path(folder))
        try:
            yield server
        finally:
            server.stop()


def main(images: int, answers: int) -> None:
    with running() as server:
        workspace = make_workspace(server.document_root / "w", server.url, "polydata")
        known = [image.sha256 for image in add_images(workspace, [picture(n) for n in range(images)])]
        file = predictions(server.document_root / "model.parquet", known)
        shown = read_predictions(file, TASK.labels)
        client = LabelStudio(base_url=server.url, api_key=server.token)
        tasks: list[dict[str, Any]] = [
            {
                "data": {"image": f"/data/local-files/?d=w/store/{s[:2]}/{s}.png", "polydata_id": s, "caption": "a"},
                "predictions": [task_prediction(shown.by_image[s], "model")],
            }
            for s in known
        ]
        print(f"{images} images, {answers} answers\n\n| what | seconds | |\n|---|---|---|")
        timed("`polydata label push --predictions`", lambda: polydata(workspace, server, "push", "--predictions", file))
        polydata(workspace, server, "pull")
        batched = client.projects.create(title="batches", label_config=labelling_page(TASK)).id

        def in_batches() -> None:
            for start in range(0, images, 500):
                client.projects.import_tasks(id=batched, request=tasks[start : start + 500])

        timed("SDK, `import_tasks` of 500 in a loop", in_batches, "knows nothing of what is there already")
        single = client.projects.create(title="single", label_config=labelling_page(TASK)).id

        def one_by_one() -> None:
            for task in tasks[:SINGLE]:
                made = client.tasks.create(project=single, data=task["data"])
                client.predictions.create(task=made.id, **task["predictions"][0])

        seconds = timed(f"SDK, `tasks.create` and `predictions.create`, {SINGLE} images", one_by_one)
        print(f"| the same, for all images | {seconds / SINGLE * images:.0f} | extrapolated |")
        ours = client.projects.list(title="polydata").items[0].id
        for number, task in enumerate(client.tasks.list(project=ours, page_size=500)):
            if number == answers:
                break
            client.annotations.create(id=task.id, result=tasks[number]["predictions"][0]["result"])
        timed(f"`polydata label pull`, {answers} new answers", lambda: polydata(workspace, server, "pull"))
        timed("`polydata label push` again, nothing to do", lambda: polydata(workspace, server, "push"))
        empty = [
            timed("`polydata label pull`, nothing new", lambda: polydata(workspace, server, "pull"))
            for _ in range(PULLS)
        ]
        print(f"| median of these | {statistics.median(empty):.2f} | |")
        os.environ["POLYDATA_LABEL_STUDIO_TOKEN"] = server.token
        with open_session(workspace) as session:
            empty = [timed("the same as a call", lambda: pull(session)) for _ in range(PULLS)]
        print(f"| median of these | {statistics.median(empty):.2f} | |")
        timed("SDK, `tasks.list` of everything", lambda: sum(1 for _ in client.tasks.list(project=ours, fields="all")))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8625, int(sys.argv[2]) if len(sys.argv) > 2 else 300)
