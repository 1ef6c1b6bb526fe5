"""Papers are matched page by page and captions are kept on disk; what comes out is what all pairs give."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polydata.errors import CatalogueError
from polydata.records import match_papers
from polydata.records.evidence import figure_evidence, record_evidence
from polydata.records.match_figures import MOST_FIGURES, RAREST, Captions
from polydata.records.match_papers import PRIOR, PaperMatcher, choose, cited, weigh_citation
from polydata.records.on_disk import RECENT, OnDisk
from polydata.records.record import make_record

AUTHORS = st.lists(st.sampled_from(["Kim", "Lee", "Okada", "Nakamura"]), min_size=1, max_size=3).map("; ".join)
NUMBERS = st.sampled_from(["12", "45", "1234", "2100"])
YEARS = st.sampled_from(["1999", "2004"])
CITED = st.builds(
    "{}, Journal of Applied Polymer Science, {}, 3, {}-3000 ({})".format, AUTHORS, NUMBERS, NUMBERS, YEARS
)
PAGES = st.builds("On blends {} Polym. J. {} ({}) {}".format, AUTHORS, NUMBERS, YEARS, NUMBERS)


def row_of(reference: str, number: int) -> dict[str, Any]:
    return make_record({"record_key": str(number), "reference": reference}, source="t", raw={}).as_row()


@settings(max_examples=50, deadline=None)
@given(st.lists(PAGES, max_size=6), st.lists(CITED, min_size=1, max_size=4))
def test_citations_find_what_all_pairs_find(pages: list[str], references: list[str]) -> None:
    nothing = dict.fromkeys(("doi", "citation", "title", "journal", "year"))
    papers = [nothing | {"paper_id": f"p{n}", "file_name": "x.pdf", "first_page_text": t} for n, t in enumerate(pages)]
    rows = [row_of(reference, number) for number, reference in enumerate(references)]
    matcher = PaperMatcher(lambda _: papers, Captions(()), {cited(row) for row in rows})
    for row in rows:
        citation, weights = cited(row), {}
        for paper in papers:
            page = match_papers._page(paper)
            if sum(key in page.places for key in match_papers._keys(citation)) >= 2:
                weights[paper["paper_id"]] = PRIOR + weigh_citation(citation, page)
        assert matcher.find(row) == choose(weights, "citation")


VOCABULARY = ["alpha", "beta", "gamma", "delta", "70", "30", "PP", "PA6", "sem", "tem"]
WORDS = st.lists(st.sampled_from(VOCABULARY), max_size=6).map(" ".join)
POLYMERS = st.sampled_from([None, '{"components": ["Nylon"]}'])
FIGURES = st.lists(st.tuples(st.integers(0, 3), WORDS, POLYMERS), max_size=8)


@settings(max_examples=50, deadline=None)
@given(FIGURES, WORDS)
def test_captions_on_disk_are_the_captions(found: list[tuple[int, str, str | None]], caption: str) -> None:
    rows = [
        {"paper_id": f"p{paper}", "figure_id": f"f{n}", "page": 1, "figure_label": None, "figure_caption": words}
        | {"panel_id": f"n{n}", "label": "a", "caption": words, "caption_stem": None, "composition": said}
        | {"kind": None, "scales_um": None}
        for n, (paper, words, said) in enumerate(sorted(found, key=lambda one: one[0]))
    ]
    figures = figure_evidence(rows)
    captions = Captions(figures)
    assert [f for paper in range(4) for f in captions.of_paper(f"p{paper}")] == figures
    last = {figure.whole: figure.words for figure in figures}
    counts = Counter(word for words in last.values() for word in words)
    record = record_evidence(row_of("x", 1) | {"caption": caption})
    for word in {*record.words, *counts, "unheard"}:
        assert math.isclose(captions.share(word), (counts[word] + 1) / (len(last) + 2))
    rare = sorted((w for w in record.words if counts[w]), key=lambda w: (captions.share(w), w))[:RAREST]
    shared = {n: sum(word in figure.words for word in rare) for n, figure in enumerate(figures)}
    ranked = sorted((n for n in shared if shared[n]), key=lambda n: (-shared[n], n))[:MOST_FIGURES]
    assert captions.likely(record) == [figures[n] for n in ranked if shared[n] >= min(2, len(rare))]


def test_things_kept_on_disk_come_back_whole() -> None:
    kept: OnDisk[dict[str, int]] = OnDisk()
    for number in reversed(range(1000, 1000 + 2 * RECENT)):
        kept.put(str(number), {"n": number})
    assert len(kept) == 2 * RECENT and [it["n"] for it in kept.values()] == list(range(1000, 1000 + 2 * RECENT))
    assert kept.get("none") is None


def test_a_full_disk_is_told() -> None:
    kept: OnDisk[str] = OnDisk()
    kept._file.execute("PRAGMA max_page_count = 20")
    with pytest.raises(CatalogueError, match="full") as told:
        for number in range(1000):
            kept.put(str(number), "x" * 1000)
    assert "SQLITE_TMPDIR" in (told.value.hint or "")
