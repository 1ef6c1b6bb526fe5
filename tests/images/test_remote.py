from __future__ import annotations

import io
import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from commands import run, run_json
from make_pdf import below
from PIL import Image
from s3_server import BUCKET, s3_server
from s3fs import S3FileSystem  # type: ignore[import-untyped]

from polydata.errors import InputError, WorkspaceError
from polydata.images.picture import ImageStore, image_store
from polydata.images.remote import Remote
from polydata.workspace import SETTINGS, Workspace


def picture(seed: int = 0) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (30, 40), np.uint8)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    with s3_server() as variables:
        yield variables


@pytest.fixture(params=["file", "memory", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "s3":
        for name, value in request.getfixturevalue("s3").items():
            monkeypatch.setenv(name, value)
        return f"s3://{BUCKET}/{tmp_path.name}"
    return f"file://{tmp_path}/far" if request.param == "file" else f"memory://{tmp_path.name}/"


def test_images_go_to_the_address_and_are_fetched_when_they_are_needed(url: str, tmp_path: Path) -> None:
    store = pickle.loads(pickle.dumps(ImageStore(tmp_path / "near", url)))
    data = picture()
    info = store.put(data)
    assert store.put(data) == info
    assert not (tmp_path / "near").exists()
    path = store.path(info.sha256, info.format)
    assert path.is_relative_to(tmp_path / "near") and path.read_bytes() == data
    assert ImageStore(tmp_path / "near").path(info.sha256, info.format) == path


def test_what_is_not_there_is_a_path_that_does_not_exist(url: str, tmp_path: Path) -> None:
    assert not ImageStore(tmp_path / "near", url).path("0" * 64, "PNG").exists()


def test_half_a_file_is_replaced_and_other_bytes_are_refused(url: str, tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "near", url)
    data = picture(1)
    info = store.put(data)
    assert store.remote is not None
    store.remote.put(f"{info.sha256[:2]}/{info.sha256}.png", data[:50])
    with pytest.raises(InputError, match="does not hold the image"):
        store.path(info.sha256, info.format)
    store.put(data)
    assert store.path(info.sha256, info.format).read_bytes() == data


def test_a_server_that_is_gone_is_an_error_of_the_store_not_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3: dict[str, str]
) -> None:
    for name, value in {**s3, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()  # it would go on with the server of the other tests
    store = ImageStore(tmp_path / "near", f"s3://{BUCKET}/other")
    with pytest.raises(OSError, match="cannot be written"):
        store.put(picture())
    with pytest.raises(InputError, match="cannot be fetched"):
        store.path("0" * 64, "PNG")
    S3FileSystem.clear_instance_cache()


def test_addresses_are_shown_without_passwords() -> None:
    assert str(Remote("ftp://user:secret@host/images/")) == "ftp://host/images"


@pytest.mark.parametrize("address", ["nowhere://bucket", "memory://images"])
def test_addresses_that_cannot_keep_anything_are_refused(address: str, tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path)
    (tmp_path / SETTINGS).write_text(f'[store]\nurl = "{address}"\n')
    with pytest.raises(WorkspaceError, match=r"\[store\]|not installed"):
        image_store(Workspace.open(workspace.root))


def test_extraction_stores_in_a_bucket(s3: dict[str, str], tmp_path: Path) -> None:
    below(tmp_path / "paper.pdf")
    prints = []
    for place, settings in (("here", ""), ("far", f'[store]\nurl = "s3://{BUCKET}/run"\n')):
        run("polydata", "init", tmp_path / place)
        (tmp_path / place / SETTINGS).write_text(settings)
        said = run("polydata", "extract", tmp_path / "paper.pdf", "--json", workspace=tmp_path / place, **s3)  # type: ignore[arg-type]
        found = json.loads(said.stdout)
        assert found["failures"] == 0 and found["figures"] == 2
        prints.append(run_json("polydata", "status", workspace=tmp_path / place)["fingerprint"])
    assert prints[0] == prints[1]
    assert not [p for p in (tmp_path / "far/store").rglob("*") if p.is_file()]
