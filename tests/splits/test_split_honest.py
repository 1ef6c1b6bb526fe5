"""The honest part of a leaky split."""

from __future__ import annotations

import json

import jsonschema
import pytest
from split_corpus import Corpus

from polydata.choices import Protocol
from polydata.errors import InputError, RefusedError
from polydata.resources import schemas
from polydata.splits.build import build_split
from polydata.splits.evidence import find_leaks, read_evidence
from polydata.splits.honest import honest_part
from polydata.splits.manifest import MANIFEST, Split
from polydata.splits.options import SplitOptions


def leaky(corpus: Corpus, **options: object) -> Split:
    """Single images shared out at random; papers with one image alone can stand on one side."""
    corpus.standard()
    words = [corpus.session.task.positive, corpus.session.task.negative]
    with corpus.catalogue.transaction():
        for n in range(20):
            corpus.paper(f"single{n:02d}")
            corpus.image(f"single{n:02d}", 7000 + n, file=words[n % 2])
    options |= {"protocol": Protocol.RANDOM, "test_fraction": 0.3}
    return build_split(corpus.session, "leaky", SplitOptions(**options), "as others do").split  # type: ignore[arg-type]


def test_what_is_left_shares_nothing_with_the_training_side(corpus: Corpus) -> None:
    whole = leaky(corpus)
    made = honest_part(corpus.session, "leaky", "clean")
    (before,), (after,) = whole.folds, made.folds
    assert made.leakage is None and whole.leakage is not None
    trained = {item.group for item in before.train}
    assert after.train == before.train
    assert list(after.test) == [item for item in before.test if item.group not in trained]
    assert 0 < len(after.test) < len(before.test)
    assert made.manifest["counts"]["excluded"] == {"leaks from training": len(before.test) - len(after.test)}
    assert made.manifest["recipe"]["honest_part_of"] == whole.digest
    assert not find_leaks(made.folds, read_evidence(corpus.catalogue, made.items))
    schema = json.loads((schemas() / "split.schema.json").read_text())
    jsonschema.validate(json.loads((made.folder / MANIFEST).read_text()), schema)
    assert honest_part(corpus.session, "leaky", "clean").digest == made.digest


def test_the_validation_side_is_honest_too(corpus: Corpus) -> None:
    whole = leaky(corpus, val_fraction=0.2)
    (fold,) = honest_part(corpus.session, "leaky", "clean").folds
    trained = {item.group for item in fold.train}
    assert 0 < len(fold.val) < len(whole.folds[0].val) and trained.isdisjoint(item.group for item in fold.val)


def test_what_has_no_honest_part_is_refused(corpus: Corpus) -> None:
    corpus.standard()
    build_split(corpus.session, "good", SplitOptions())
    with pytest.raises(RefusedError, match="all of it is honest"):
        honest_part(corpus.session, "good", "x")
    with pytest.raises(InputError):
        honest_part(corpus.session, "none", "x")
    bad = SplitOptions(protocol=Protocol.RANDOM, test_fraction=0.05, seed=1)
    build_split(corpus.session, "bad", bad, "as others do")
    with pytest.raises(RefusedError, match="all of it leaks"):
        honest_part(corpus.session, "bad", "x")
