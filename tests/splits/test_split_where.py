"""The filter language: what it means, and that nothing of it reaches the database as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from split_corpus import YES, Corpus

from polydata.catalogue.splits import COLUMNS, Combined, Comparison, images_where
from polydata.errors import UsageError
from polydata.splits.where import read_where

TEXTS = sorted(name for name, column in COLUMNS.items() if not column.is_number)
NUMBERS = sorted(name for name, column in COLUMNS.items() if column.is_number)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
FIGURES = st.floats(-1e9, 1e9).map(lambda x: float(f"{x:.6g}"))
COMPARISONS = st.one_of(
    st.builds(Comparison, st.sampled_from(TEXTS), st.sampled_from(["=", "!=", "contains", "<="]), st.tuples(WORDS)),
    st.builds(Comparison, st.sampled_from(NUMBERS), st.sampled_from(["=", "<", ">="]), st.tuples(FIGURES)),
    st.builds(Comparison, st.sampled_from(TEXTS), st.just("in"), st.lists(WORDS, min_size=1, max_size=3).map(tuple)),
    st.builds(Comparison, st.sampled_from(TEXTS), st.just("null"), st.just(())),
)
CONDITIONS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds(Combined, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Combined, st.just("not"), st.tuples(inner)),
    ),
    max_leaves=6,
)


@given(CONDITIONS)
def test_what_is_written_down_means_the_same(condition: Combined | Comparison) -> None:
    again = read_where(str(condition))
    assert again == condition or str(again) == str(condition)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_where(text)
    except UsageError as error:
        assert "filter" in error.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "year",
        "year > 'x'",
        "journal > 3",
        "1 = 1",
        "year = 2000; DROP TABLE panels",
        "year = 2000 -- and",
        "read_csv('/etc/passwd') = 1",
        "journal = (SELECT 1)",
        "journal = 'a' UNION SELECT 1",
        "sha256 = 'x'",
        "journal contains",
        "year in ()",
        "(" * 60 + "year > 1" + ")" * 60,
        "year > 1 " * 500,
        "year contains 2",
        "not",
    ],
)
def test_what_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_where(text)


def test_a_constant_of_another_type_is_named() -> None:
    for text, words in (("year > '2000'", "year is compared with a number"), ("journal = 3", "with a text in quotes")):
        with pytest.raises(UsageError, match=words):
            read_where(text)


def shown(corpus: Corpus, text: str) -> set[str]:
    return images_where(corpus.catalogue, read_where(text))


def test_columns_mean_what_they_say(corpus: Corpus) -> None:
    corpus.paper("old", year=1999, journal="Polymer's Journal")
    corpus.paper("new", year=2010, doi="10.1000/1")
    a = corpus.image("old", 1, file=YES)
    b = corpus.image("new", 2, caption='a "quoted" SEM caption', file=YES)
    c = corpus.image("new", 3)
    rows = corpus.catalogue.tuples("SELECT panel_id, image_sha256 FROM panels")
    for panel, image in rows:
        if image != a:
            corpus.catalogue.run(
                "UPDATE panels SET mentions = ? WHERE panel_id = ?",
                ['[{"field": "technique", "value": "SEM", "text": "SEM", "start": 0, "end": 3}]', panel],
            )
    assert shown(corpus, "year > 2000") == {b, c}
    assert shown(corpus, "technique = 'SEM' and label_source = 'file'") == {b}
    assert shown(corpus, "technique != 'SEM'") == set()  # what is unknown fulfils no comparison
    assert shown(corpus, "technique is null") == {a}
    assert shown(corpus, "not (technique is not null)") == {a}
    assert shown(corpus, "journal = 'Polymer''s Journal'") == {a}
    assert shown(corpus, "caption contains 'QUOTED'") == {b}
    assert shown(corpus, "year in (1999, 2010) and not doi in ('10.1000/1')") == set()
    assert shown(corpus, "size >= 40 or year < 0") == {a, b, c}
    assert shown(corpus, "size > 40") == set()
    assert shown(corpus, "paper = 'old' or width = 48 and source = 'nothing'") == {a}
    assert shown(corpus, "journal = 'x'' OR 1=1 --'") == set()
    for column in COLUMNS:
        shown(corpus, f"{column} is null")
