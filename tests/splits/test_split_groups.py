from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from split_corpus import NO, YES, Corpus, picture

from polydata.errors import InputError
from polydata.splits.evidence import Evidence, group_images, read_evidence
from polydata.text.reference import citation_key, text_key

FAR = [f"{n * 0x0101010101010101:016x}" for n in range(16)]  # each pair differs in at least 8 bits


def evidence(papers: Mapping[str, set[str]], references: Mapping[str, set[str]], phash: Mapping[str, str]) -> Evidence:
    return Evidence(
        papers={i: tuple(sorted(p)) for i, p in papers.items()},
        figures={},
        references={p: frozenset(k) for p, k in references.items()},
        phash=phash,
        facts={},
    )


PAPERS = st.sampled_from([f"paper {n}" for n in range(8)])
WORLDS = st.tuples(
    st.dictionaries(st.integers(0, 15).map(str), st.sets(PAPERS, min_size=1, max_size=2), min_size=1, max_size=12),
    st.dictionaries(PAPERS, st.sets(st.sampled_from(["doi:1", "doi:2", "citation:3"]), max_size=2)),
    st.lists(st.sampled_from(FAR[:10]), min_size=16, max_size=16),
)


@given(WORLDS, st.randoms())
def test_groups_are_the_smallest_that_tear_nothing_apart(world, random) -> None:  # type: ignore[no-untyped-def]
    papers, references, hashes = world
    known = evidence(papers, references, {i: hashes[int(i)] for i in papers})
    groups = group_images(known).of_image

    def bound(a: str, b: str) -> bool:
        one = {*papers[a], *(k for p in papers[a] for k in references.get(p, ())), known.phash[a]}
        two = {*papers[b], *(k for p in papers[b] for k in references.get(p, ())), known.phash[b]}
        return bool(one & two)

    reached = {i: {i} for i in papers}  # what can be reached over any number of bonds
    for _ in papers:
        for i in papers:
            reached[i] |= {k for j in reached[i] for k in papers if bound(j, k)}
    for i in papers:
        assert {j for j in papers if groups[j] == groups[i]} == reached[i]
        # Papers that are tied by a reference alone, without an image here, cannot name a group.
        assert groups[i] == min(p for j in reached[i] for p in papers[j])
    shuffled = list(papers)
    random.shuffle(shuffled)
    again = evidence({i: papers[i] for i in shuffled}, references, known.phash)
    assert group_images(again) == group_images(known)


def test_near_pictures_bind_over_a_chain() -> None:
    phash = {"1": "0000000000000000", "2": "000000000000000f", "3": "00000000000000ff", "4": "ffffffffffffffff"}
    groups = group_images(evidence({i: {f"p{i}"} for i in phash}, {}, phash))
    assert groups.of_image == {"1": "p1", "2": "p1", "3": "p1", "4": "p4"}
    assert [m["papers"] for m in groups.merged] == [["p1", "p2", "p3"]]


def test_citation_key_sees_through_abbreviation_and_page_style() -> None:
    full = citation_key("Journal of Applied Polymer Science", "81", "1-10", 2001)
    assert full == citation_key("J. Appl. Polym. Sci.", "81", "pp. 1–10", 2001) == "citation:japs|81|1|2001"


@pytest.mark.parametrize(
    "other",
    [
        ("Journal of Applied Polymer Science", "82", "1-10", 2001),
        ("Journal of Applied Polymer Science", "81", "11-20", 2001),
        ("Journal of Applied Polymer Science", "81", "1-10", 2002),
        ("Polymer", "81", "1-10", 2001),
    ],
)
def test_another_citation_has_another_key(other: tuple[str, str, str, int]) -> None:
    assert citation_key(*other) != citation_key("Journal of Applied Polymer Science", "81", "1-10", 2001)


@pytest.mark.parametrize("missing", range(4))
def test_half_a_citation_is_no_key(missing: int) -> None:
    parts = ["Polymer", "81", "1-10", 2001]
    parts[missing] = None  # type: ignore[call-overload]
    assert citation_key(*parts) is None  # type: ignore[arg-type]


def test_text_key_needs_volume_page_and_year() -> None:
    assert text_key("Abad, M. , Polymer  International , 54 , 673–678 (2005)") == text_key(
        "abad, m., polymer international, 54, 673-678 (2005)"
    )
    assert text_key("personal communication, 2005") is None
    assert text_key("in preparation") is None


def test_what_the_catalogue_says_binds_papers(corpus: Corpus) -> None:
    for name, more in {
        "a": {"doi": "10.1000/x1"}, "b": {"doi": "https://doi.org/10.1000/X1"}, "c": {}, "d": {}, "e": {}, "f": {},
        "g": {"citation": "Li, X., Polymer, 7, 100-110 (1999)"}, "h": {"citation": "Li X. Polymer 7; 100 - 110 (1999)"},
        "z": {},
    }.items():  # fmt: skip
        corpus.paper(name, **more)
    cited = {"volume": "54", "pages": "673-678", "year": 2005}
    corpus.record("c", "r1", journal="Polymer International", **cited)
    corpus.record("d", "r2", journal="Polym. Int.", **cited)
    images = {name: corpus.image(name, n, file=YES) for n, name in enumerate("abcdefghz")}
    corpus.image("f", picture(4), file=NO)  # the very bytes that paper e shows
    groups = group_images(read_evidence(corpus.catalogue, images.values()))
    assert {n: groups.of_image[images[n]] for n in images} == {
        "a": "a", "b": "a", "c": "c", "d": "c", "e": "e", "f": "e", "g": "g", "h": "g", "z": "z"
    }  # fmt: skip
    assert [m["papers"] for m in groups.merged] == [["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]]


def test_unknown_images_are_named(corpus: Corpus) -> None:
    with pytest.raises(InputError, match="0123"):
        read_evidence(corpus.catalogue, ["0123"])
