from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from split_corpus import Corpus

from polydata.errors import InputError, RefusedError, UsageError
from polydata.resources import schemas
from polydata.splits.build import build_split
from polydata.splits.manifest import (
    MANIFEST,
    Item,
    _read_items,
    changed_files,
    changed_images,
    check_name,
    list_text,
    load_split,
    sealed,
)
from polydata.splits.options import SplitOptions


@pytest.fixture
def folder(corpus: Corpus) -> Path:
    corpus.standard()
    return build_split(corpus.session, "v1", SplitOptions()).split.folder


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(st.lists(TEXT, max_size=6))
@example(['a,"b"', "line\nline", "cr\rcr\r\n", " lead", "\x00", "=1+1", ""])
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lists_come_back_as_they_were_written(tmp_path: Path, captions: list[str]) -> None:
    items = [Item(f"{n:064x}", "label", "group", f"store/{n}", {"caption": c}) for n, c in enumerate(captions)]
    path = tmp_path / "train.csv"
    path.write_text(list_text(list(reversed(items))), encoding="utf-8", newline="")
    back = _read_items(path)
    wanted = [c.replace("\r\n", "\n").replace("\r", "\n") for c in captions]
    assert [i.extra["caption"] for i in back] == (wanted if items else [])
    assert [i.image_sha256 for i in back] == [i.image_sha256 for i in items]


def test_a_fresh_split_is_unchanged_and_follows_the_schema(folder: Path) -> None:
    assert changed_files(folder) == []
    assert changed_images(load_split(folder)) == []
    schema = json.loads((schemas() / "split.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads((folder / MANIFEST).read_text()), schema, cls=jsonschema.Draft202012Validator)


@given(
    name=st.sampled_from([MANIFEST, "train.csv", "test.csv"]),
    where=st.floats(0, 1, exclude_max=True),
    bit=st.integers(0, 7),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_any_changed_bit_is_named(folder: Path, name: str, where: float, bit: int) -> None:
    path = folder / name
    whole = path.read_bytes()
    data = bytearray(whole)
    data[int(where * len(data))] ^= 1 << bit
    path.write_bytes(data)
    try:
        assert changed_files(folder) == [f"{name} was changed"]
        with pytest.raises(RefusedError, match=name):
            load_split(folder)
    finally:
        path.write_bytes(whole)


def test_a_list_that_is_gone_or_not_listed_is_named(folder: Path) -> None:
    (folder / "test.csv").rename(folder / "elsewhere.csv")
    assert changed_files(folder) == ["test.csv is missing"]
    manifest = json.loads((folder / MANIFEST).read_text())
    del manifest["files"]["test.csv"]
    (folder / MANIFEST).write_text(json.dumps(sealed(manifest), indent=2, ensure_ascii=False) + "\n")
    assert changed_files(folder) == [f"{MANIFEST} was changed"]


def test_a_changed_image_is_named(folder: Path) -> None:
    split = load_split(folder)
    item = split.folds[0].test[0]
    path = split.image_path(item)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    other = split.image_path(split.folds[0].train[0])
    other.unlink()
    assert sorted(changed_images(split)) == sorted([f"{path} was changed", f"{other} is missing"])


def test_no_split_and_newer_splits_are_told_apart(folder: Path) -> None:
    with pytest.raises(InputError, match="no split"):
        load_split(folder.parent / "other")
    with pytest.raises(InputError, match="no split"):
        load_split(folder / MANIFEST)
    newer = sealed({**json.loads((folder / MANIFEST).read_text()), "format": 2})
    (folder / MANIFEST).write_text(json.dumps(newer, indent=2, ensure_ascii=False) + "\n")
    with pytest.raises(InputError, match="format"):
        load_split(folder)


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "../x", "a b", "-x", "ä", "a" * 101, "x\n"])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(UsageError):
        check_name(name)


@pytest.mark.parametrize("name", ["v1", "V_1.2-b", "0", "_x"])
def test_names_that_can_be(name: str) -> None:
    assert check_name(name) == name


def test_a_split_prints_in_a_line(folder: Path) -> None:
    split = load_split(folder)
    (fold,) = split.folds
    sizes = f"{len(fold.train)} train, 0 val, {len(fold.test)} test images"
    assert repr(fold) == f"<Fold 1: {sizes}, {len({i.extra['paper_id'] for i in fold.everything})} papers>"
    assert repr(split) == f"<Split v1: {len(split.items)} images, train and test, digest {split.digest[:16]}>"
