from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_corpus import BETWEEN, NO, TASK, YES, Corpus

from polydata.catalogue.session import open_session
from polydata.catalogue.splits import images_in_split, split_memberships
from polydata.choices import Protocol
from polydata.errors import InputError, RefusedError, UsageError
from polydata.splits.build import Built, build_split, choose_images
from polydata.splits.manifest import Split
from polydata.splits.options import SplitOptions
from polydata.workspace import Workspace


def build(corpus: Corpus, name: str = "v1", **options: object) -> Built:
    return build_split(corpus.session, name, SplitOptions(**options))  # type: ignore[arg-type]


def check_invariants(split: Split, labelled: set[str]) -> None:
    recipe = split.manifest["recipe"]
    for fold in split.folds:
        assert {i.group for i in fold.train}.isdisjoint(i.group for i in fold.test)
        assert {i.extra["paper_id"] for i in fold.train}.isdisjoint(i.extra["paper_id"] for i in fold.test)
        both = [i.image_sha256 for i in (*fold.train, *fold.test)]
        assert len(both) == len(set(both)) and set(both) == labelled
    if recipe["folds"]:
        for repeat in range(1, recipe["repeats"] + 1):
            tested = [i.image_sha256 for f in split.folds if f.repeat == repeat for i in f.test]
            assert sorted(tested) == sorted(labelled)


# A world: for each panel its paper, the number of its picture (shared numbers are shared pictures), its label.
WORLDS = st.lists(
    st.tuples(st.integers(0, 14), st.integers(0, 60), st.sampled_from([YES, NO])), min_size=10, max_size=20
)


@given(WORLDS, st.sampled_from([(0, 1), (2, 1), (3, 2)]), st.integers(0, 2), st.randoms())
@settings(deadline=None, max_examples=8)
def test_invariants_and_digest_hold_for_any_corpus(tmp_path_factory, world, folds, seed, random) -> None:  # type: ignore[no-untyped-def]
    label_of = {picture: label for _, picture, label in world}
    digests = []
    for _ in range(2):
        workspace = Workspace.init(tmp_path_factory.mktemp("any"))
        with open_session(workspace) as session:
            corpus = Corpus(session)
            shown = {}
            with session.catalogue.transaction():
                for paper in dict.fromkeys(p for p, _, _ in world):
                    corpus.paper(f"p{paper}")
                for paper, number, _ in world:
                    # The id of a panel comes from the paper, not from the order in which it was read.
                    corpus.panels = 1000 * paper + number
                    shown[number] = corpus.image(f"p{paper}", number, file=label_of[number])
            try:
                built = build(corpus, folds=folds[0], repeats=folds[1], seed=seed)
            except (InputError, RefusedError) as error:
                digests.append(str(error))
            else:
                check_invariants(built.split, set(shown.values()))
                assert built.split.leakage is None
                digests.append(built.split.digest)
        shutil.rmtree(workspace.root)
        world = list(set(world))
        random.shuffle(world)
    assert digests[0] == digests[1]


def test_a_plain_split(corpus: Corpus) -> None:
    images = corpus.standard()
    built = build(corpus, "v1")
    assert built.new and built.excluded == {}
    check_invariants(built.split, set(images))
    counts = built.split.manifest["counts"]
    assert counts["images"] == len(images) == sum(s["images"] for s in counts["sides"])
    assert counts["groups"] == 12 == sum(s["groups"] for s in counts["sides"])
    labels = Counter(i.label for i in (*built.split.folds[0].train, *built.split.folds[0].test))
    assert {k: v["images"] for k, v in counts["by_class"].items()} == labels
    assert (built.split.classes, built.split.positive) == ((YES, NO), YES)
    item = built.split.folds[0].test[0]
    assert built.split.image_path(item).is_file() and not Path(item.path).is_absolute()
    assert [m["side"] for m in split_memberships(corpus.catalogue, item.image_sha256)] == ["test"]
    assert images_in_split(corpus.catalogue) == len(images)


def test_folds_and_repeats(corpus: Corpus) -> None:
    images = corpus.standard()
    split = build(corpus, folds=4, repeats=3).split
    assert len(split.folds) == 12 and {f.repeat for f in split.folds} == {1, 2, 3}
    check_invariants(split, set(images))
    first, second = (frozenset(i.image_sha256 for i in split.folds[n].test) for n in (0, 4))
    assert first != second  # a repeat shares them out anew
    assert [f.name for f in sorted(split.folder.glob("*.csv"))][:2] == ["fold_10_test.csv", "fold_10_train.csv"]
    assert len(split_memberships(corpus.catalogue, images[0])) == 12


def test_the_seed_and_every_option_stand_in_the_digest(corpus: Corpus) -> None:
    corpus.standard()
    digests = [
        build(corpus, f"s{n}", **options).split.digest
        for n, options in enumerate(
            ({}, {"seed": 1}, {"test_fraction": 0.3}, {"label_source": "file"}, {"partial": "own-class"}, {"folds": 3})
        )
    ]
    assert len(set(digests)) == len(digests)
    assert build(corpus, "again").split.digest == digests[0]  # the name has no part in it


def test_an_image_in_two_papers_stands_once_and_ties_them(corpus: Corpus) -> None:
    corpus.standard(range(8))
    corpus.paper("x")
    twice = [corpus.image(p, 999, file=YES) for p in ("x", "p03")]
    split = build(corpus).split
    everything = (*split.folds[0].train, *split.folds[0].test)
    assert [i.group for i in everything if i.image_sha256 == twice[0]] == ["p03"]
    assert split.manifest["notes"]["merged_papers"][0]["papers"] == ["p03", "x"]


def test_label_sources(corpus: Corpus) -> None:
    corpus.paper("p")
    said: dict[str, dict[str, str | list[str]]] = {
        "file only": {"file": YES},
        "both": {"file": YES, "record": NO},
        "finer": {"file": YES, "record": BETWEEN},
        "rule only": {"rule": NO},
        "two records": {"record": [YES, NO]},
        "two records and a rule": {"record": [YES, NO], "rule": NO},
        "reviewed": {"file": YES, "rule": YES},
        "nothing": {},
        "tie": {"file": NO},
    }
    names = {corpus.image("p", n, **votes): name for n, (name, votes) in enumerate(said.items())}
    images = {name: image for image, name in names.items()}
    corpus.answer(images["reviewed"], NO, NO, YES)
    corpus.answer(images["tie"], NO, YES)

    def chosen(source: str) -> tuple[dict[str, str], set[str], dict[str, int]]:
        result = choose_images(corpus.session, SplitOptions(label_source=source, partial="own-class"))
        return (
            {names[i]: label for i, (label, _) in result.labels.items()},
            {names[c["image_sha256"]] for c in result.contradictory},
            dict(result.excluded),
        )

    assert chosen("auto") == (
        {"file only": YES, "both": YES, "finer": BETWEEN, "rule only": NO, "two records and a rule": NO,
         "reviewed": NO},
        {"two records", "tie"},
        {"contradictory labels": 1, "no label": 1, "reviewers disagree": 1},
    )  # fmt: skip
    assert chosen("file") == (
        {"file only": YES, "both": YES, "finer": YES, "reviewed": YES}, {"tie"},
        {"no label": 4, "reviewers disagree": 1},
    )  # fmt: skip
    assert chosen("record") == (
        {"both": NO, "finer": BETWEEN}, {"two records", "two records and a rule", "tie"},
        {"contradictory labels": 2, "no label": 4, "reviewers disagree": 1},
    )  # fmt: skip
    assert chosen("rule")[0] == {"rule only": NO, "two records and a rule": NO, "reviewed": YES}
    assert chosen("review") == ({"reviewed": NO}, {"tie"}, {"reviewers disagree": 1, "no label": 7})
    (tie,) = choose_images(corpus.session, SplitOptions(label_source="review")).contradictory
    assert tie["said"] == sorted((f"review={YES}", f"review={NO}"))


def test_answers_that_are_no_label_keep_an_image_out(corpus: Corpus) -> None:
    images = corpus.standard()
    corpus.answer(images[0], TASK.not_a_micrograph)
    corpus.answer(images[1], TASK.unsure, TASK.unsure, YES)
    corpus.paper("x")
    corpus.answer(corpus.image("x", 9001), TASK.not_a_micrograph)  # nothing else was said of it
    corpus.image("x", 9002)
    rejected = corpus.image("x", 9003)
    corpus.screening(rejected, "rejected")
    corpus.screening(images[2], "rejected")  # but labelled: whoever labelled it has the last word
    for source in ("auto", "file"):
        built = build(corpus, source, label_source=source)
        assert built.excluded == {
            "no label": 1, "no label, rejected by screening": 1, "reviewers: no micrograph": 2, "reviewers: unsure": 1
        }  # fmt: skip
        everything = (*built.split.folds[0].train, *built.split.folds[0].test)
        assert {i.image_sha256 for i in everything} == set(images[2:])
        assert built.split.manifest["counts"]["excluded"] == built.excluded


@pytest.mark.parametrize("policy", TASK.partial_policies())
def test_policies_for_partial_labels(corpus: Corpus, policy: str) -> None:
    images = corpus.standard()
    corpus.paper("x")
    between = [corpus.image("x", 9000 + n, record=BETWEEN) for n in range(3)]
    split = build(corpus, partial=policy).split
    labels = {i.image_sha256: i.label for i in (*split.folds[0].train, *split.folds[0].test)}
    if policy == "drop":
        assert set(labels) == set(images)
        assert split.manifest["counts"]["excluded"] == {f"{BETWEEN} (--partial own-class keeps them)": 3}
    else:
        wanted = {f"as-{YES}": YES, f"as-{NO}": NO, "own-class": BETWEEN}[policy]
        assert [labels[b] for b in between] == [wanted] * 3
    assert split.classes == ((YES, NO, BETWEEN) if policy == "own-class" else (YES, NO))
    assert split.manifest["recipe"]["partial"] == policy
    assert split.spoken(YES) == (f"{YES} or partial" if policy == f"as-{YES}" else YES)


@pytest.fixture
def without_positive(corpus: Corpus) -> Corpus:
    """Ten papers of two images each: no image of the positive label, some of the partial one."""
    for n in range(10):
        corpus.paper(f"p{n}")
        for k, label in enumerate((NO, BETWEEN)):
            corpus.image(f"p{n}", 10 * n + k, record=label)
    return corpus


def test_labels_without_the_positive_one_make_a_split(without_positive: Corpus) -> None:
    corpus = without_positive
    built = build(corpus, partial="own-class")
    assert (built.split.classes, built.split.positive) == ((NO, BETWEEN), NO)
    assert built.notes == [f"{NO} counts as positive, since no image is labelled {YES}"]
    ordered = corpus.workspace.named_task("compatibility_ordered")
    split = build_split(corpus.session, "ordered", SplitOptions(), task=ordered).split
    assert (split.classes, split.positive) == ((BETWEEN, NO), BETWEEN)
    assert build(corpus, "as", partial=f"as-{YES}").notes == []


def test_one_label_alone_is_refused_with_what_was_left_out(without_positive: Corpus) -> None:
    with pytest.raises(InputError) as refused:
        build(without_positive)
    assert f"found: 10 {NO}. Left out: 10 {BETWEEN} (--partial own-class keeps them)." in refused.value.message
    assert f"in: --partial as-{YES} or --partial own-class." in str(refused.value.hint)
    with pytest.raises(InputError) as refused:
        build(without_positive, partial=f"as-{NO}")
    assert "Left out" not in refused.value.message and "Take the partial" not in str(refused.value.hint)


def test_one_label_alone_is_refused_with_the_tasks_that_find_two(without_positive: Corpus) -> None:
    corpus = without_positive
    with pytest.raises(InputError) as refused:
        build(corpus)
    labels = f"({BETWEEN}, {NO})"
    tasks = f"--task compatibility_ordered {labels}."
    assert f"Ask for other labels: {tasks}" in str(refused.value.hint) and "Missing" not in refused.value.message
    with pytest.raises(InputError) as refused:
        build(corpus, partial=f"as-{NO}")
    assert "--task" not in str(refused.value.hint) and refused.value.message.endswith(f" Missing: {YES}.")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"label_source": "magic"}, "magic"),
        ({"partial": "as-magic"}, "as-magic"),
        ({"test_fraction": 0.0}, "fraction"),
        ({"test_fraction": float("nan")}, "fraction"),
        ({"folds": 1}, "folds"),
        ({"folds": -2}, "folds"),
        ({"repeats": 0, "folds": 2}, "repeats"),
        ({"repeats": 2}, "repeated"),
        ({"val_fraction": 0.8}, "validation"),
        ({"val_fraction": -0.1}, "validation"),
        ({"val_fraction": 0.5, "folds": 2}, "validation"),
        ({"stratify": "year"}, "alike"),
        ({"where": "year >"}, "filter"),
        ({"protocol": Protocol.PUBLISHED, "seed": 1}, "authors"),
        ({"protocol": Protocol.LEAVE_ONE_PAPER_OUT, "folds": 3}, "folds"),
    ],
)
def test_options_that_mean_nothing(corpus: Corpus, options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        build(corpus, **options)


def test_one_label_alone_makes_no_split(corpus: Corpus) -> None:
    for paper in "ab":
        corpus.paper(paper)
        corpus.image(paper, ord(paper), file=YES)
    with pytest.raises(InputError, match=f"found: 2 {YES}"):
        build(corpus)


def test_one_paper_makes_no_split(corpus: Corpus) -> None:
    corpus.paper("a")
    corpus.image("a", 1, file=YES)
    corpus.image("a", 2, file=NO)
    with pytest.raises(RefusedError, match="1 groups"):
        build(corpus)


def test_captions_stand_on_one_line(corpus: Corpus) -> None:
    corpus.standard(range(4))
    corpus.image("p00", 5000, caption='SEM "image",\n<script>alert(1)</script>\r of a blend', file=YES)
    split = build(corpus).split
    captions = {i.extra["caption"] for i in (*split.folds[0].train, *split.folds[0].test)}
    assert captions == {"", 'SEM "image", <script>alert(1)</script> of a blend'}
