"""One look-up of ids for every command: the prefix is optional, six digits are enough, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.lookup import begins, find, find_image, find_in_pdf, find_papers
from polydata.errors import InputError

PDF, IMAGE = "ab12" * 16, "cd34" * 16


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(tmp_path / "c.duckdb") as opened:
        papers = {"source": "pdf", "file_name": "a.pdf", "status": "done", "extractor": "1", "path": "/a.pdf"}
        one = {"paper_id": f"paper-{PDF[:16]}", "sha256": PDF, **papers}
        opened.upsert("papers", [one, {**one, "paper_id": "paper-ffff000000000000", "sha256": None}])
        figure = {"figure_id": "figure-1234560000000000", "paper_id": f"paper-{PDF[:16]}", "page": 1}
        opened.upsert("figures", [{**figure, "method": "m", "confidence": 1.0}])
        image = {"sha256": IMAGE, "phash": "0" * 16, "width": 9, "height": 9, "format": "png", "mode": "L"}
        opened.upsert("images", [{**image, "alpha_only": False, "size_bytes": 9}])
        panel = {"figure_id": "figure-1234560000000000", "position": 0, "image_sha256": IMAGE}
        ids = ("panel-1234560000000000", "panel-7777770000000000", "panel-7777771111111111")
        opened.upsert("panels", [{**panel, "panel_id": name} for name in ids])
        record = {"record_id": "record-8888880000000000", "source": "t.csv", "record_key": "9", "raw": "{}"}
        opened.upsert("records", [record, {**record, "record_id": "record-9999990000000000", "record_key": "twice"}])
        opened.upsert("records", [{**record, "record_id": "record-aaaaaa0000000000", "record_key": "twice"}])
        yield opened


def test_the_prefix_is_optional_and_six_digits_are_enough(catalogue: Catalogue) -> None:
    for word in ("figure-123456", "123456", "figure-1234560000000000"):
        assert find(catalogue, word, "figure") == ("figure", "figure-1234560000000000")
    assert find(catalogue, "panel-123456", "figure", "panel") == ("panel", "panel-1234560000000000")
    assert find_papers(catalogue, [PDF, PDF[:6], f"paper-{PDF[:8]}"]) == [f"paper-{PDF[:16]}"]
    assert find_image(catalogue, IMAGE[:6]) == find_image(catalogue, "panel-123456") == IMAGE
    assert (
        find(catalogue, "9", "record") == find(catalogue, "888888", "record") == ("record", "record-8888880000000000")
    )


@pytest.mark.parametrize(
    ("word", "kinds", "said"),
    [
        ("12345", ("figure",), "too short"),
        ("panel-12345", ("panel", "figure"), "too short"),
        ("figure", ("figure",), "No figure has the id 'figure'"),
        ("figure-figure", ("figure",), "No figure has"),
        ("123457", ("panel", "figure"), "No panel or figure has the id '123457'"),
        (
            "123456",
            ("panel", "figure"),
            "Several panels or figures have the id '123456': panel-123456.*, figure-123456",
        ),
        ("777777", ("panel",), "Several panels have"),
        ("twice", ("record",), "Several records have the id 'twice': record-9999990000000000, record-aaaaaa0000000000"),
    ],
)
def test_too_short_none_and_several_are_told_apart(
    catalogue: Catalogue, word: str, kinds: tuple[str, ...], said: str
) -> None:
    with pytest.raises(InputError, match=said) as caught:
        find(catalogue, word, *kinds)  # type: ignore[arg-type]
    assert caught.value.hint


def test_what_was_read_from_a_pdf_comes_with_it(catalogue: Catalogue) -> None:
    found = find_in_pdf(catalogue, "panel", "123456")
    assert (found.paper_id, found.sha256, found.path) == (f"paper-{PDF[:16]}", PDF, "/a.pdf")
    with pytest.raises(InputError, match="was not read from a PDF"):
        find_in_pdf(catalogue, "paper", "ffff00")


def test_an_id_of_something_that_is_gone_begins_by_the_same_rule() -> None:
    assert begins("panel-1234560000000000", "123456") and begins("panel-1234560000000000", "panel-123456")
    assert not begins("panel-1234560000000000", "panel-12345")
    assert not begins("panel-1234560000000000", "figure-123456")
