"""Files that are broken, locked, too large or meant to harm: each fails alone and with its reason."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import pymupdf
import pytest
from make_hostile import image
from make_pdf import below, encrypted
from pdf_bombs import image_bomb, slow_pdf
from pdf_sheet import MARGIN, WIDTH, Sheet, jpeg, micrograph
from PIL import Image

from polydata.extraction.document.meta import safe_name
from polydata.extraction.document.open import ExtractionFailure
from polydata.extraction.paper import extract_paper
from polydata.extraction.pool import Readers
from polydata.images.picture import ImageStore
from polydata.types import Failure, Paper
from polydata.workspace import ExtractSettings


def reason(path: Path, limits: ExtractSettings | None = None) -> str:
    with pytest.raises(ExtractionFailure) as caught:
        extract_paper(path, ImageStore(path.parent / "store"), limits or ExtractSettings())
    assert str(path.name) in caught.value.message or "page" in caught.value.message
    return caught.value.reason


@pytest.mark.parametrize(
    "data",
    [b"", b"hello " * 1000, b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n" + bytes(100), b"%PDF-1.4\n" + bytes(range(256)) * 50],
)
def test_what_is_no_pdf_is_broken(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file.pdf"
    path.write_bytes(data)
    assert reason(path) == "broken"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_truncated_files_are_broken_or_repaired(tmp_path: Path, share: float) -> None:
    whole = tmp_path / "whole.pdf"
    below(whole)
    data = whole.read_bytes()
    path = tmp_path / "cut.pdf"
    path.write_bytes(data[: int(share * len(data))])
    try:
        paper = extract_paper(path, ImageStore(tmp_path / "store"), ExtractSettings())
    except ExtractionFailure as error:
        assert error.reason == "broken"
    else:
        assert paper.pages == 1


def test_missing_files_and_folders_are_unreadable(tmp_path: Path) -> None:
    assert reason(tmp_path / "none.pdf") == "unreadable"
    assert reason(tmp_path) == "unreadable"


def test_an_empty_user_password_opens(tmp_path: Path) -> None:
    path = tmp_path / "open.pdf"
    encrypted(path, user_password="")
    paper = extract_paper(path, ImageStore(tmp_path / "store"), ExtractSettings())
    assert [one.label for one in paper.figures] == ["Figure 1", "Figure 2"]


def test_a_password_that_is_asked_for_is_encrypted(tmp_path: Path) -> None:
    path = tmp_path / "locked.pdf"
    encrypted(path, user_password="secret")
    assert reason(path) == "encrypted"


def test_limits_of_size_and_pages(tmp_path: Path) -> None:
    path = tmp_path / "two.pdf"
    with pymupdf.open() as document:
        document.new_page()
        document.new_page()
        document.save(path)
    assert reason(path, ExtractSettings(max_pages=1)) == "too-large"
    assert reason(path, ExtractSettings(max_megabytes=0)) == "too-large"


def test_an_image_that_would_fill_the_memory_is_refused_unseen(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pdf"
    image_bomb(path)
    assert reason(path) == "too-large"


def test_a_huge_page_is_looked_at_coarsely(tmp_path: Path) -> None:
    path = tmp_path / "huge.pdf"
    with pymupdf.open() as document:
        page = document.new_page(width=14400, height=14400)
        page.draw_rect(pymupdf.Rect(100, 100, 9000, 9000), color=(0, 0, 0), fill=(0.5, 0.5, 0.5))
        page.insert_text((100, 9400), "Figure 1. A poster.", fontsize=200)
        document.save(path)
    paper = extract_paper(path, ImageStore(tmp_path / "store"), ExtractSettings())
    for figure in paper.figures:
        for panel in figure.panels:
            assert panel.image.width * panel.image.height <= 26_000_000


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("a\nb\x00c\u202e.pdf", "a_b_c_.pdf"),
        ("..", "unnamed.pdf"),
        ("C:\\papers\\one.pdf", "one.pdf"),
        ("x" * 500 + ".pdf", "x" * 200),
        ("論文 1.pdf", "論文 1.pdf"),
    ],
)
def test_names_are_only_names(name: str, shown: str) -> None:
    assert safe_name(name) == shown


def test_a_name_with_a_line_break_is_extracted(tmp_path: Path) -> None:
    path = tmp_path / "evil\nname.pdf"
    below(path)
    paper = extract_paper(path, ImageStore(tmp_path / "store"), ExtractSettings())
    assert paper.file_name == "evil_name.pdf"


def outcomes(stream: Iterator[tuple[Path, Paper | Failure]]) -> list[Paper | Failure]:
    return [outcome for _, outcome in stream]


@pytest.mark.slow
def extracted(
    paths: list[Path], store: ImageStore, settings: ExtractSettings, workers: int
) -> Iterator[tuple[Path, Paper | Failure]]:
    yield from Readers(store, settings, workers=workers).each((path, extract_paper, ()) for path in paths)


def test_the_pool_survives_bad_files(tmp_path: Path) -> None:
    good = [tmp_path / f"good{index}.pdf" for index in range(3)]
    for path in good:
        below(path)
    broken, slow, locked = tmp_path / "broken.pdf", tmp_path / "slow.pdf", tmp_path / "locked.pdf"
    broken.write_bytes(b"%PDF-1.4 nothing")
    slow_pdf(slow)
    encrypted(locked, user_password="secret")
    results = outcomes(
        extracted(
            [good[0], broken, slow, good[1], locked, tmp_path / "none.pdf", good[2]],
            ImageStore(tmp_path / "store"),
            ExtractSettings(seconds_per_file=8, memory_mb=4096),
            workers=2,
        )
    )
    papers = [one for one in results if isinstance(one, Paper)]
    failures = {Path(one.path).name: one.reason for one in results if isinstance(one, Failure)}
    assert sorted(one.file_name for one in papers) == ["good0.pdf", "good1.pdf", "good2.pdf"]
    assert failures == {
        "broken.pdf": "broken",
        "slow.pdf": "too-slow",
        "locked.pdf": "encrypted",
        "none.pdf": "unreadable",
    }


def test_memory_over_the_limit_fails_that_file_alone(tmp_path: Path) -> None:
    greedy, good = tmp_path / "greedy.pdf", tmp_path / "good.pdf"
    below(good)
    greedy.write_bytes(image(9500, 9500, zlib.compress(bytes(9500 * 9500 * 3), 1)))
    results = outcomes(
        extracted(
            [greedy, good],
            ImageStore(tmp_path / "store"),
            ExtractSettings(seconds_per_file=60, memory_mb=900),
            workers=1,
        )
    )
    assert [one.reason for one in results if isinstance(one, Failure)] == ["out-of-memory"]
    assert [one.file_name for one in results if isinstance(one, Paper)] == ["good.pdf"]


@pytest.mark.slow
def test_figures_as_large_as_journals_place_them_fit_into_a_worker(tmp_path: Path) -> None:
    """Six pages, each with a figure of 19 million pixels: what one needs is given back before the next."""
    path, sheet = tmp_path / "large.pdf", Sheet()
    for number in range(6):
        if number:
            sheet.new_page()
        large = micrograph(number, 450, 420).resize((4500, 4200), Image.Resampling.BILINEAR)
        sheet.picture((MARGIN, 60, WIDTH - MARGIN, 520), jpeg(large))
        sheet.caption(f"Figure {number + 1}. SEM micrograph of blend {number + 1}.", MARGIN, 530, WIDTH - MARGIN)
    sheet.save(path)
    settings = ExtractSettings(seconds_per_file=120, memory_mb=700)
    (paper,) = outcomes(extracted([path], ImageStore(tmp_path / "store"), settings, workers=1))
    assert isinstance(paper, Paper) and [len(figure.panels) for figure in paper.figures] == [1] * 6


def test_stopping_early_ends_the_workers(tmp_path: Path) -> None:
    paths = [tmp_path / f"paper{index}.pdf" for index in range(4)]
    for path in paths:
        below(path)
    settings = ExtractSettings(seconds_per_file=60, memory_mb=4096)
    stream = extracted(paths, ImageStore(tmp_path / "store"), settings, workers=1)
    assert isinstance(next(stream)[1], Paper)
    stream.close()  # what an interrupted loop does: must return, leaving no worker behind


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7, 0.95])
def test_a_file_that_is_cut_short_is_broken_even_where_it_can_be_repaired(share: float, tmp_path: Path) -> None:
    whole = tmp_path / "whole.pdf"
    with pymupdf.open() as document:
        for number in range(3):
            document.new_page().insert_text((72, 72), f"Page {number} of a paper")
        document.save(whole)
    assert extract_paper(whole, ImageStore(tmp_path / "store"), ExtractSettings()).pages == 3
    path = tmp_path / "cut.pdf"
    path.write_bytes(whole.read_bytes()[: round(share * whole.stat().st_size)])
    assert reason(path) == "broken"
