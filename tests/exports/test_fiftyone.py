"""The export for FiftyOne, read by its own importer, which needs no database; a process of its own keeps it apart."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from split_scene import SplitScene

from polydata.ids import sha256_file

READ = """
import json, sys
from fiftyone.core.sample import Sample
from fiftyone.types import FiftyOneImageClassificationDataset

reader = FiftyOneImageClassificationDataset().get_dataset_importer_cls()
found = {}
for folder in sys.argv[1:]:
    with reader(dataset_dir=folder, compute_metadata=True) as importer:
        samples = [Sample(filepath=path, metadata=seen, ground_truth=label) for path, seen, label in importer]
        assert len(samples) == len(importer)
        found[folder] = [sample.to_dict() for sample in samples]
print(json.dumps(found, default=str))
"""


def read_by_fiftyone(folders: Sequence[Path], home: Path) -> dict[str, list[dict[str, Any]]]:
    """The samples of each folder, as FiftyOne makes them."""
    quiet = {"HOME": str(home), "FIFTYONE_DO_NOT_TRACK": "true"}
    result = subprocess.run(
        [sys.executable, "-c", READ, *folders], env=os.environ | quiet, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout.splitlines()[-1]))


@pytest.mark.parametrize("release", [False, True])
def test_fiftyone_reads_samples_labels_and_metadata(
    release: bool, export: Any, scene: SplitScene, tmp_path: Path
) -> None:
    result = export("fiftyone", release=release)
    with open(result.folder / "images.csv", newline="", encoding="utf-8") as handle:
        rows = {row["image_sha256"]: row for row in csv.DictReader(handle)}
    read = read_by_fiftyone([result.folder / "train", result.folder / "test"], tmp_path)
    for folder, samples in read.items():
        side = Path(folder).name
        wanted = {i.image_sha256: i.label for i in getattr(scene.split.folds[0], side) if rows[i.image_sha256]["file"]}
        labels = {}
        for sample in samples:
            path, seen, truth = Path(sample["filepath"]), sample["metadata"], sample["ground_truth"]
            row = rows[truth["image_sha256"]]
            labels[path.stem[-64:]] = truth["label"]
            assert sha256_file(path) == truth["file_sha256"] == row["file_sha256"]
            assert (seen["width"], seen["height"], seen["size_bytes"]) == (64, 48, path.stat().st_size)
            assert seen["mime_type"] == {".png": "image/png", ".jpg": "image/jpeg"}[path.suffix]
            assert (truth["split"], truth["split_digest"]) == ("v1", scene.split.digest)
            told = {name: row[name] for name in row if row[name] and name not in ("file", "side", "label")}
            assert {name: str(truth[name]) for name in told} == told
        assert labels == wanted
        assert bool(set(rows) - set(labels))
