from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polydata.text.reference import Citation, journal_words, parse_citation, surnames


def test_reads_the_style_of_the_database() -> None:
    text = "Doshev, P.; Lohse, G. , Journal of Applied Polymer Science , 101 , 5 , 2825-2837 (2006)"
    assert parse_citation(text) == Citation(
        "Doshev, P.; Lohse, G.", "Journal of Applied Polymer Science", "101", "5", "2825-2837", 2006, None
    )
    assert parse_citation("A, B. , PMSE Preprints , 99 , 299-300 (2008)").issue is None


@pytest.mark.parametrize(
    ("text", "journal", "volume", "first", "year"),
    [
        ("P. Doshev, G. Lohse, J. Appl. Polym. Sci. 101 (2006) 2825-2837", "J. Appl. Polym. Sci", "101", "2825", 2006),
        ("Doshev P, Lohse G (2006) Polymer 45:1234-1240", "Polymer", "45", "1234", 2006),
        ("H. Kim and S. Lee, Polymer 2004, 45, 1234–1240.", "Polymer", "45", "1234", 2004),
        ("Polymer, 45(3):1234-40 (2004)", "Polymer", "45", "1234", 2004),
        ("Journal of Polymers, Vol. 101, 2825–2837 (2006)", "Journal of Polymers", "101", "2825", 2006),
    ],
)  # fmt: skip
def test_reads_the_styles_of_journals(text: str, journal: str, volume: str, first: str, year: int) -> None:
    found = parse_citation(text)
    assert (found.journal, found.volume, found.first_page, found.year) == (journal, volume, first, year)


def test_surnames_of_both_orders() -> None:
    assert surnames("Doshev, P.; van der Waals, J. D.") == ("doshev", "van der waals")
    assert surnames("P. Doshev, G. Lohse and X. Müller") == ("doshev", "lohse", "muller")
    assert surnames("Kim, H.") == ("kim",)
    assert surnames(None) == ()


def test_journal_words_leave_particles_out() -> None:
    assert journal_words("Journal of the Chemistry & Physics") == ("journal", "chemistry", "physics")


@given(st.text(max_size=400))
def test_any_text_is_accepted(text: str) -> None:
    found = parse_citation(text)
    assert found.year is None or 1800 <= found.year < 2100
    assert found.first_page is None or found.pages


@given(
    st.lists(
        st.sampled_from(["A, B.;", " , ", "(2004)", "12", "-", "10.1000/x", "Polymer", ":", "59th", "("]), max_size=30
    )
)
def test_any_order_of_parts_is_accepted(parts: list[str]) -> None:
    parse_citation(" ".join(parts))


@pytest.mark.realdata
def test_agrees_with_the_published_parts(shared_data: Path) -> None:
    with open(shared_data / "nims" / "records.csv", newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    names = ("authors", "journal", "volume", "issue", "pages", "year")
    wrong = [
        row["key"]
        for row in rows
        for found in [parse_citation(row["reference"])]
        if [str(getattr(found, n) or "") for n in names] != [row[n] for n in names]
    ]
    assert wrong == []
