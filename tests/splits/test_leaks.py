from __future__ import annotations

from dataclasses import replace

from split_corpus import NO, YES, Corpus

from polydata.images.copies import Copy
from polydata.images.keypoints import Match
from polydata.splits.evidence import find_leaks, read_evidence
from polydata.splits.manifest import Item, Sides


def item(image: str, group: str) -> Item:
    return Item(image, YES, group, "", {})


def test_every_kind_of_leak_on_every_side(corpus: Corpus) -> None:
    for name, doi in {"a": "10.1000/1", "b": "10.1000/1", "c": None, "d": None, "e": None}.items():
        corpus.paper(name, doi=doi)
    a, b, c1, c2, d, e = (corpus.image(p, n, file=NO) for n, p in enumerate("abccde"))
    evidence = read_evidence(corpus.catalogue, [a, b, c1, c2, d, e])
    match = Match(50, 0.99, 0.9, 0.5, 1.0, mirrored=False)
    evidence = replace(evidence, copies=(Copy(*sorted((d, e)), match),))

    def found(train: list[str], val: list[str], test: list[str]) -> dict[str, list[tuple[str, str]]]:
        sides = Sides(*([item(i, i) for i in side] for side in (train, test, val)))
        return {
            leak.detector: [(i.get("side", "test"), i["test"]) for i in leak.items]
            for leak in find_leaks([sides], evidence)
        }

    assert found([a, c1, c2, d, e], [], [b]) == {"same-citation": [("test", b)]}
    assert found([a, b, d, e], [c1], [c2]) == {"shared-paper": [("test", c2)], "shared-figure": [("test", c2)]}
    assert found([a, b, d], [e], [c1, c2]) == {"near-duplicate": [("val", e)]}
    assert found([a, b, c1, c2], [], [d, e]) == {}
