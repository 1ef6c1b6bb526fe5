from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from split_corpus import NO, YES, Corpus, picture

from polydata.catalogue.splits import images_in_split, registered
from polydata.errors import InputError, RefusedError, UsageError
from polydata.splits import write as writing
from polydata.splits.build import build_split
from polydata.splits.evidence import group_images, read_evidence
from polydata.splits.manifest import MANIFEST, Item, Sides, Split
from polydata.splits.options import SplitOptions
from polydata.splits.overview import verify_split
from polydata.splits.write import make_items, write_split

RECIPE = {"protocol": "random", "folds": 0, "repeats": 1, "seed": 0, "label_source": "file", "partial": "drop"}


def items_of(corpus: Corpus, images: list[str]) -> list[Item]:
    labels = {
        image: (label, "file")
        for image, label in corpus.catalogue.tuples("SELECT image_sha256, label FROM labels")
        if image in images
    }
    evidence = read_evidence(corpus.catalogue, labels)
    made = make_items(corpus.session, evidence, group_images(evidence), labels)
    return [made[image] for image in images]


def write(corpus: Corpus, train: list[str], test: list[str], reason: str | None = None, **more: Any) -> Split:
    items = items_of(corpus, [*dict.fromkeys([*train, *test])])
    by_hash = {i.image_sha256: i for i in items}
    return write_split(
        corpus.session,
        **{
            "name": "w",
            "recipe": RECIPE,
            "folds": [Sides([by_hash[i] for i in train], [by_hash[i] for i in test])],
            "classes": (YES, NO),
            "leakage_reason": reason,
            **more,
        },
    )


def detectors(split: Split) -> dict[str, int]:
    return {f["detector"]: f["count"] for f in split.leakage["findings"]} if split.leakage else {}


def two_papers(corpus: Corpus, **more: Any) -> tuple[list[str], list[str]]:
    for paper in "ab":
        corpus.paper(paper, **more)
    return ([corpus.image(p, ord(p) * 10 + n, file=(YES, NO)[n % 2]) for n in range(4)] for p in "ab")  # type: ignore[return-value]


def test_clean_sides_pass_and_a_reason_without_a_leak_leaves_no_mark(corpus: Corpus) -> None:
    a, b = two_papers(corpus)
    assert write(corpus, a, b, "just in case").leakage is None


def test_a_shared_paper_is_refused_with_the_pairs(corpus: Corpus) -> None:
    a, b = two_papers(corpus)
    with pytest.raises(RefusedError) as refused:
        write(corpus, a[:2], a[2:] + b)
    first = min(a[2:])
    assert f"{first[:12]} (test) and {min(a[:2])[:12]} (train): a" in refused.value.message
    assert "shared-paper: 2 held-out images" in refused.value.message
    assert "--allow-leakage" in refused.value.hint
    assert not list(corpus.workspace.splits.iterdir())
    assert registered(corpus.catalogue, "w") is None
    with pytest.raises(RefusedError):
        write(corpus, a[:2], a[2:] + b, "  \n ")  # no reason at all


def test_an_allowed_leak_is_marked(corpus: Corpus) -> None:
    a, b = two_papers(corpus)
    split = write(corpus, a[:2], a[2:] + b, "as the authors\npublished it")
    assert detectors(split) == {"shared-group": 2, "shared-paper": 2, "shared-figure": 2}
    assert split.leakage is not None and split.leakage["reason"] == "as the authors published it"
    pair = split.leakage["findings"][1]["items"][0]
    assert pair == {"fold": 1, "test": min(a[2:]), "train": min(a[:2]), "shared": "a"}


def test_a_shared_doi_is_found(corpus: Corpus) -> None:
    a, b = two_papers(corpus, doi="10.1000/same")
    assert detectors(write(corpus, a, b, "x")) == {"shared-group": 4, "same-citation": 4}


def test_a_reencoded_picture_is_found(corpus: Corpus) -> None:
    a, b = two_papers(corpus)
    original = corpus.image("a", picture(7), file=YES)
    copy = corpus.image("b", picture(7, quality=70), file=YES)
    assert original != copy
    found = detectors(write(corpus, [*a, original], [*b, copy], "x"))
    assert found["near-duplicate"] == 1 and "shared-paper" not in found


def test_the_same_image_in_two_papers_is_found(corpus: Corpus) -> None:
    a, b = two_papers(corpus)
    corpus.image("b", ord("a") * 10, file=YES)  # what paper a shows too
    assert detectors(write(corpus, a, b, "x"))["shared-paper"] == 4


def test_no_partition_is_no_split(corpus: Corpus) -> None:
    a, b = two_papers(corpus)
    for train, test, words in ((a, [], "test side"), ([], b, "training side"), (a, a[:1] + b, "more than once")):
        with pytest.raises(InputError, match=words):
            write(corpus, train, test, "x")
    with pytest.raises(InputError, match="no classes"):
        write(corpus, a, b, classes=(YES,))
    with pytest.raises(InputError, match="2 partitions"):
        write(corpus, a, b, recipe={**RECIPE, "folds": 2})
    with pytest.raises(UsageError, match="partial"):
        write(corpus, a, b, recipe={k: v for k, v in RECIPE.items() if k != "partial"})
    with pytest.raises(UsageError, match="name"):
        write(corpus, a, b, name="../w")
    assert not list(corpus.workspace.splits.iterdir())


def content(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_the_same_name_again(corpus: Corpus) -> None:
    corpus.standard()
    first = build_split(corpus.session, "v1", SplitOptions())
    before = content(first.split.folder)
    corpus.paper("later")  # another fingerprint, the same split
    again = build_split(corpus.session, "v1", SplitOptions())
    assert (first.new, again.new) == (True, False)
    assert again.split == first.split and content(first.split.folder) == before
    with pytest.raises(RefusedError, match="another split v1"):
        build_split(corpus.session, "v1", SplitOptions(seed=1))
    assert content(first.split.folder) == before
    assert verify_split(corpus.session, "v1") == []


def test_a_folder_that_was_changed_is_not_taken_for_the_same(corpus: Corpus) -> None:
    corpus.standard()
    split = build_split(corpus.session, "v1", SplitOptions()).split
    with open(split.folder / "test.csv", "a") as handle:
        handle.write("x")
    with pytest.raises(RefusedError, match=r"test\.csv was changed"):
        build_split(corpus.session, "v1", SplitOptions())


class KilledError(BaseException):
    """Stands for the end of the process."""


def test_killed_before_the_catalogue_knows(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    images = corpus.standard()

    def killed(*_: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(writing, "register", killed)
        with pytest.raises(KilledError):
            build_split(corpus.session, "v1", SplitOptions())
    assert registered(corpus.catalogue, "v1") is None
    assert verify_split(corpus.session, "v1") == [
        "the catalogue does not know it; build it again with the same options to register it"
    ]
    build_split(corpus.session, "v1", SplitOptions())
    assert images_in_split(corpus.catalogue) == len(images)
    assert verify_split(corpus.session, "v1") == []


def test_killed_while_files_were_written(corpus: Corpus) -> None:
    corpus.standard()
    left = corpus.workspace.splits / ".v1.abcdefgh.part"
    left.mkdir()
    (left / "train.csv").write_text("half a li")
    build_split(corpus.session, "v1", SplitOptions())
    assert [p.name for p in corpus.workspace.splits.iterdir()] == ["v1"]


def test_a_failed_write_leaves_nothing(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus.standard()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full)
        with pytest.raises(InputError, match="No space left"):
            build_split(corpus.session, "v1", SplitOptions())
    assert not list(corpus.workspace.splits.iterdir())


def test_a_lost_folder_comes_back_only_as_it_was(corpus: Corpus) -> None:
    corpus.standard()
    split = build_split(corpus.session, "v1", SplitOptions()).split
    for path in split.folder.iterdir():
        path.unlink()
    split.folder.rmdir()
    with pytest.raises(RefusedError, match="another split v1"):
        build_split(corpus.session, "v1", SplitOptions(seed=1))
    assert build_split(corpus.session, "v1", SplitOptions()).split.digest == split.digest


def test_verify_names_images_and_a_swapped_folder(corpus: Corpus) -> None:
    corpus.standard()
    one = build_split(corpus.session, "one", SplitOptions()).split
    two = build_split(corpus.session, "two", SplitOptions(seed=1)).split
    image = one.image_path(one.folds[0].test[0])
    image.write_bytes(image.read_bytes() + b"x")
    assert verify_split(corpus.session, "one") == [f"{image} was changed"]
    image.write_bytes(image.read_bytes()[:-1])
    one.folder.rename(one.folder.with_name("old"))
    two.folder.rename(one.folder)
    assert verify_split(corpus.session, "one") == [
        f"{MANIFEST} is that of the split two",
        f"the catalogue knows another split of this name, digest {one.digest}",
    ]


def test_nothing_of_this_machine_stands_in_the_files(corpus: Corpus) -> None:
    corpus.standard()
    split = build_split(corpus.session, "v1", SplitOptions()).split
    for path in split.folder.iterdir():
        assert str(corpus.workspace.root) not in path.read_text()
    assert json.loads((split.folder / MANIFEST).read_text())["digest"] == split.digest
