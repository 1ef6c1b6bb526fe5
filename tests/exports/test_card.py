"""The data card: what it tells, and that no text becomes markup."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from commands import run
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from split_scene import PAPERS, SplitScene, make_scene

from polydata.catalogue.quality import save_judged, save_sample
from polydata.errors import InputError, UsageError
from polydata.exports.card import card_text, write_card
from polydata.files.tables import plain, table


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> SplitScene:
    return make_scene(tmp_path_factory.mktemp("card") / "w")


def card(scene: SplitScene) -> str:
    with scene.session() as session:
        return card_text(session, scene.split, picture="v1-card.jpg", quick=True)


def test_it_tells_what_a_user_must_know(scene: SplitScene) -> None:
    text = card(scene)
    for title in ("Sources", "Licences", "From papers to images", "Labels", "Known problems", "Intended use", "Limits"):
        assert f"\n## {title}\n" in text
    assert scene.split.digest in text
    assert "Leaky" not in text
    assert f"| PDF files | {PAPERS} | 48 | 2000–2007 |" in text
    assert "| unknown | 5 | 30 | no |" in text
    assert "| CC-BY-SA-4.0 | 1 | 6 | yes |" in text
    assert "| alpha-only | 8 |" in text
    assert "metadata-leak" in text.partition("Not asked:")[2]
    assert card(scene) == text


def test_it_shows_pictures_and_names_papers(scene: SplitScene) -> None:
    text = card(scene)
    assert "![6 images of each label, a row a label](v1-card.jpg)" in text
    assert text.count("https://doi.org/") == PAPERS
    assert "**Thin**" not in text


def test_it_says_how_well_papers_were_read_where_people_judged_that(scene: SplitScene) -> None:
    assert "How well papers were read" not in card(scene)
    with scene.session() as session:
        found, claims = {"micrographs": 1, "scales": 1, "labels": 1}, {"scales": "5 µm", "labels": "compatible"}
        unit = {"kind": "image", "stratum": "accepted images", "found": found, "claims": claims}
        size = {"kind": "image", "stratum": "accepted images", "units": 2, "found": 2, "seed": 0}
        rows = [unit | {"unit": n, "position": 0, "place": "", "words": "", "picture": n, "judged": None} for n in "ab"]
        save_sample(session.catalogue, [size | {"what": what} for what in found], rows)
        read = {"is_micrograph": 1, "scale_right": 1, "scale_missed": 0}
        save_judged(session.catalogue, {"a": read, "b": {"is_micrograph": 0, "scale_right": 0, "scale_missed": 1}})
    text = card(scene)
    assert "## How well papers were read" in text
    assert r"| micrographs | precision | 50.0% \[50.0%, 50.0%\] | 2 of 2 drawn of 2 |" in text
    assert r"| scales | recall | 50.0% \[50.0%, 50.0%\] | 2 of 2 drawn of 2 |" in text
    assert "| labels |" not in text  # nobody judged one
    assert "The corpus has changed since the sample was drawn" in text  # it never had these two
    with scene.session() as session:
        save_sample(session.catalogue, [], [])


def test_it_warns_of_sides_with_one_label_or_paper(scene: SplitScene) -> None:
    (fold,) = scene.split.folds
    one = fold.test[0]
    with scene.session() as session:
        text = card_text(session, replace(scene.split, folds=(replace(fold, test=(one,)),)), quick=True)
    assert "> **Thin**: the test side of partition 1 (1 images) holds no image labelled" in text
    assert "one paper alone" in text


@pytest.mark.slow
def test_a_label_that_partial_images_count_as_says_so(scene: SplitScene) -> None:
    split, label = scene.split, scene.split.positive
    (fold,), recipe = split.folds, {**split.manifest["recipe"], "partial": f"as-{label}"}
    thin = replace(fold, test=[item for item in fold.test if item.label != label])
    told = replace(split, folds=(thin,), manifest={**split.manifest, "recipe": recipe})
    with scene.session() as session:
        text = card_text(session, told, picture="v1-card.jpg", quick=True)
    words = f"{label} or partial"
    assert f"{words} is the positive class" in text and f"\n{words} and its contrary" not in text
    assert f" {words} and its contrary are" in text and f"| groups | {words} |" in text
    assert f"From above: {words}, " in text
    assert f"holds no image labelled {label} or partial." in text


def test_the_whole_audit_stands_in_it(scene: SplitScene) -> None:
    with scene.session() as session:
        text = card_text(session, scene.split)
    assert "metadata-leak" not in text.partition("Not asked:")[2]


def test_a_name_and_a_place(scene: SplitScene, tmp_path: Path) -> None:
    run("polydata", "card", "v1", "--quick", workspace=scene.workspace.root)
    written = (scene.workspace.exports / "v1-card.md").read_text(encoding="utf-8")
    assert written == card(scene)
    with Image.open(scene.workspace.exports / "v1-card.jpg") as picture:
        assert picture.size == (6 * 160, len(scene.split.classes) * 160)
    (tmp_path / "file").write_text("")
    with scene.session() as session, pytest.raises(InputError, match="cannot be written"):
        write_card(session, "v1", tmp_path / "file" / "card.md", quick=True)
    with scene.session() as session, pytest.raises(UsageError, match="a picture"):
        write_card(session, "v1", tmp_path / "card.jpg", quick=True)


@given(st.text())
def test_no_text_is_markup(text: str) -> None:
    shown = plain(text)
    assert "\n" not in shown
    assert not set(shown.replace("\\<", "").replace("\\>", "")) & {"<", ">"}
    assert shown.count("|") == shown.count("\\|")
    assert all(line.count("|") - line.count("\\|") == 2 for line in table([{"a": text}]))
