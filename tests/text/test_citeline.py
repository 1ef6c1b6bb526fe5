"""The line in which a first page cites its own paper."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pdf_sheet import Sheet

from polydata.extraction.document.meta import paper_meta
from polydata.extraction.document.page import Sheet as PageSheet
from polydata.extraction.document.page import read_page
from polydata.text.reference import cite_line, find_cite_line


@pytest.mark.parametrize(
    ("line", "journal", "year", "volume", "page"),
    [
        ("European Polymer Journal 42 (2006) 1866–1874", "European Polymer Journal", 2006, "42", "1866"),
        ("GLIA 24:39–49 (1998)", "GLIA", 1998, "24", "39"),
        ("Macromolecules 2006, 39, 9041-9048", "Macromolecules", 2006, "39", "9041"),
        ("Polym. Adv. Technol. 2008; 19: 291–298", "Polym. Adv. Technol.", 2008, "19", "291"),
        (
            "Journal of Polymer Science: Part B: Polymer Physics, Vol. 44, 3135–3147 (2006)",
            "Journal of Polymer Science: Part B: Polymer Physics",
            2006,
            "44",
            "3135",
        ),
        ("Polymer Vol. 36 No. 5, pp. 1001-1010, 1995", "Polymer", 1995, "36", "1001"),
        ("Cite this: Soft Matter, 2013, 9, 2325", "Soft Matter", 2013, "9", "2325"),
        ("Cite This: Macromolecules 2019, 52, 1234−1245", "Macromolecules", 2019, "52", "1234"),
        (
            "How to cite this article: Doe J. Blends of two things. J Appl Polym Sci. 2020;137:e48600.",
            "J Appl Polym Sci.",
            2020,
            "137",
            "e48600",
        ),
        (
            "© 2009 Wiley Periodicals, Inc. J Appl Polym Sci 114: 2000–2010, 2009",
            "J Appl Polym Sci",
            2009,
            "114",
            "2000",
        ),
        ("Polymers 2019, 11, 123; doi:10.3390/polym11010123", "Polymers", 2019, "11", "123"),
        ("Polymer 45 (13), 4567 (2004)", "Polymer", 2004, "45", "4567"),
        ("Nature Materials VOLUME 14 | NUMBER 2 | FEBRUARY 2011", "Nature Materials", 2011, "14", None),
    ],
)
def test_styles(line: str, journal: str, year: int, volume: str, page: str | None) -> None:
    found = cite_line(line)
    assert found is not None
    assert (found.journal, found.year, found.volume, found.first_page) == (journal, year, volume, page)


@pytest.mark.parametrize(
    "line",
    [
        "Received 12 September 2005; revised 6 March 2006; accepted 13 March 2006",
        "Atlanta, Georgia 30332-0400",
        "PO Box 12, 2006, 13, 14",
        "Downloaded from 10 (2006) 12 by",
        "blends of 20, 2006, 30, 40",
        "",
        "Figure 3, 12 (2001)",
    ],
)
def test_other_lines_are_none(line: str) -> None:
    assert cite_line(line) is None


def test_lines_of_the_body_count_only_where_they_speak_of_the_paper() -> None:
    assert find_cite_line([], ["Polymer 45 (2004) 4567"]) is None
    found = find_cite_line([], ["Cite this: Polymer 45 (2004) 4567"])
    assert found is not None
    assert found.first_page == "4567"


@given(st.text(st.sampled_from("AaJo. ,:;()–-0123456789Vol©"), max_size=300))
def test_no_line_breaks_it(line: str) -> None:
    found = cite_line(line)
    assert found is None or 1930 <= found.year < 2050


@pytest.mark.parametrize("piece", ["A ", "Aa 20, ", "J. ", "2006, ", "Inc. ", "A(", "Journal 1 (2"])
def test_long_lines_take_no_time(piece: str) -> None:
    start = time.process_time()
    cite_line(piece * 5000)
    assert time.process_time() - start < 2


def meta_of(*lines: tuple[float, str]) -> tuple[str | None, str | None, int | None, str | None]:
    sheet = Sheet()
    for y, text in lines:
        sheet.doc[0].insert_text((50, y), text, fontsize=18 if y == 120 else 9)
    document = sheet.doc
    page = read_page(PageSheet(document[0]))
    meta = paper_meta(document, page)
    return meta.title, meta.journal, meta.year, meta.doi


def test_a_first_page() -> None:
    title, journal, year, doi = meta_of(
        (40, "Polymer 45 (2004) 4567-4573"),
        (120, "Morphology of blends of two polymers"),
        (200, "Received 1 May 2003; accepted 7 June 2004"),
        (400, "1. A. Author, doi:10.1016/other.1998"),
        (820, "doi:10.1016/j.polymer.2004.01.001"),
    )
    assert (title, journal, year, doi) == (
        "Morphology of blends of two polymers",
        "Polymer",
        2004,
        "10.1016/j.polymer.2004.01.001",
    )


def test_years_in_the_text_are_no_year_of_the_paper() -> None:
    _, journal, year, doi = meta_of((300, "In 1998 and 1998 others found"), (400, "References"), (420, "10.1002/app.1"))
    assert (journal, year, doi) == (None, None, None)
    assert meta_of((200, "Received 1 May 2003; accepted 7 June 2004"))[2] == 2004
    assert meta_of((700, "© 2007 Some House, Inc."))[2] == 2007
