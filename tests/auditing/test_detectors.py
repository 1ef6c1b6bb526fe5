"""Each detector finds what it is for, and nothing in a corpus without it."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from audit_pictures import jpeg, png, texture
from PIL import Image
from split_corpus import BETWEEN, NO, YES, Corpus

from polydata.auditing.run import DETECTORS, Finding, Report, audit, read_opinions
from polydata.auditing.subject import Opinions, Severity
from polydata.catalogue.splits import images_where
from polydata.catalogue.trace import funnel, trace
from polydata.choices import Protocol
from polydata.errors import InputError, UsageError
from polydata.files.predictions import read_embeddings
from polydata.labels.resolve import set_distinct, set_label, undo_distinct
from polydata.splits.build import build_split
from polydata.splits.options import SplitOptions
from polydata.splits.where import read_where
from polydata.task import Task

TASK = Task.load()
SPLIT_ONLY = {"shared-paper", "shared-figure", "thin-side", "stale-label"}


def report(corpus: Corpus, **options: Any) -> Report:
    return audit(corpus.session, **options)


def finding(corpus: Corpus, detector: str, **options: Any) -> Finding:
    (found,) = report(corpus, detectors=[detector], **options).findings
    assert found.detector == detector and found.fix and found.message
    assert found.count == len(found.items) or detector in ("metadata-leak", "paper-lookup", "class-imbalance")
    return found


def caption_says(corpus: Corpus, image: str, technique: str) -> None:
    mention = f'[{{"field": "technique", "value": "{technique}", "text": "x", "start": 0, "end": 1}}]'
    corpus.catalogue.run("UPDATE panels SET mentions = ? WHERE image_sha256 = ?", [mention, image])


@pytest.fixture
def clean(corpus: Corpus) -> Corpus:
    """Papers with micrographs of both labels and nothing wrong with them."""
    for paper in range(10):
        corpus.paper(f"p{paper}")
        for k in range(3):
            image = corpus.image(f"p{paper}", png(texture(100 * paper + k)), file=YES if k == 0 else NO)
            caption_says(corpus, image, "SEM")
    return corpus


def test_names_are_those_that_are_promised() -> None:
    promised = """shared-paper shared-figure near-duplicate alpha-only wrong-extension technique same-citation
        contradiction label-noise metadata-leak class-imbalance tiny-image empty-image scale-outlier image-quality
        paper-lookup thin-side stale-label"""
    assert {d.name for d in DETECTORS} == {*promised.split(), "same-view"}


def test_a_clean_corpus(clean: Corpus) -> None:
    found = report(clean)
    assert {f.detector: f.severity for f in found.findings} == {
        "paper-lookup": Severity.NOTE, "metadata-leak": Severity.NOTE, "class-imbalance": Severity.NOTE
    }  # fmt: skip
    assert set(found.skipped) == {"label-noise", *SPLIT_ONLY}
    assert {d.name for d in DETECTORS} == {f.detector for f in found.findings} | set(found.clean) | set(found.skipped)
    without = report(clean, pixels=False, crops=False)
    blind = {"same-view", "metadata-leak", "empty-image", "image-quality"}
    assert set(without.skipped) == {"label-noise", *SPLIT_ONLY, *blind}


def test_a_leaky_split_is_described(clean: Corpus) -> None:
    options = SplitOptions(protocol=Protocol.RANDOM)
    build_split(clean.session, "leaky", options, "a test")
    build_split(clean.session, "good", SplitOptions())
    leaky = {f.detector: f for f in report(clean, split="leaky", pixels=False).findings}
    assert leaky["shared-paper"].severity is Severity.ERROR
    assert leaky["shared-paper"].count == leaky["shared-figure"].count > 0
    assert {"fold", "test", "train", "shared", "test_file", "train_file"} == set(leaky["shared-paper"].items[0])
    assert not SPLIT_ONLY & {f.detector for f in report(clean, split="good", pixels=False).findings}


def test_one_paper_with_all_of_a_label_is_said_not_a_crash(corpus: Corpus) -> None:
    for paper in range(6):
        corpus.paper(f"p{paper}")
        for k in range(3):
            corpus.image(f"p{paper}", png(texture(100 * paper + k)), file=YES if paper == 0 else NO)
    images = [image for (image,) in corpus.catalogue.tuples("SELECT image_sha256 FROM labels")]
    features = {image: np.random.default_rng(k).normal(size=4) for k, image in enumerate(images)}
    options = {"detectors": ["label-noise"], "opinions": Opinions({}, features, "a test")}
    assert report(corpus, **options).findings == ()


def test_a_side_that_lacks_a_label_is_said(corpus: Corpus) -> None:
    """Accuracy was 100 there, beside an audit that found no leak."""
    for paper in range(6):
        corpus.paper(f"p{paper}")
        for k in range(3):
            corpus.image(f"p{paper}", png(texture(100 * paper + k)), file=YES if paper == 0 else NO)
    built = build_split(corpus.session, "thin", SplitOptions(test_fraction=0.2)).split
    found = finding(corpus, "thin-side", split="thin", pixels=False)
    side = "test" if {i.label for i in built.folds[0].train} == {YES, NO} else "train"
    assert found.severity is Severity.ERROR
    assert [i["side"] for i in found.items if i["missing"]][:1] == [side] or found.items[0]["groups"] == 1
    assert "labelled" in found.message
    build_split(corpus.session, "lopo", SplitOptions(protocol=Protocol.LEAVE_ONE_PAPER_OUT))
    out = finding(corpus, "thin-side", split="lopo", pixels=False)
    assert [(i["side"], i["missing"]) for i in out.items] == [("train", [YES])]


def test_pairs(clean: Corpus) -> None:
    for name in ("x", "y", "z"):
        clean.paper(name)
    hashed = clean.image("x", jpeg(texture(0)), file=NO)
    cropped = clean.image("y", png(texture(1).crop((30, 20, 260, 230))), file=NO)
    again = clean.image("z", png(texture(2)), file=NO)  # the very bytes of another paper
    found = finding(clean, "near-duplicate")
    assert {(i["a_image"], i["b_image"]) for i in found.items} >= {(again, again)}
    assert {hashed, cropped, again} <= {i["a_image"] for i in found.items} | {i["b_image"] for i in found.items}
    assert found.count == 3 and found.severity is Severity.ERROR  # texture 0 is labelled otherwise
    by_hash = finding(clean, "near-duplicate", crops=False)
    assert by_hash.count == 2 and "hashes alone" in by_hash.message


def test_a_pair_that_differs_keeps_its_labels_but_not_its_sides(clean: Corpus) -> None:
    clean.paper("x")
    other = clean.image("x", jpeg(texture(0)), file=NO)
    found = finding(clean, "near-duplicate", crops=False)
    (pair,) = found.items
    a, b = pair["a_image"], pair["b_image"]
    assert other in (a, b) and f"polydata label distinct {a[:12]} {b[:12]}" in found.fix
    assert set_distinct(clean.session, b[:9], a) == [b, a]
    assert report(clean, detectors=["near-duplicate"], crops=False).clean == ("near-duplicate",)
    built = build_split(clean.session, "whole", SplitOptions(folds=4)).split
    assert len({built.items[image].group for image in (a, b)}) == 1
    build_split(clean.session, "torn", SplitOptions(protocol=Protocol.RANDOM, folds=12), "a test")
    torn = finding(clean, "near-duplicate", split="torn", pixels=False)
    assert torn.severity is Severity.ERROR and torn.items[0]["distinct"] and "0 with different" in torn.message
    assert [way["distinct"][0]["other_sha256"] for way in trace(clean.session, a)] == [b]
    undo_distinct(clean.session, a, b)
    assert finding(clean, "near-duplicate", crops=False).severity is Severity.ERROR
    with pytest.raises(UsageError, match="Nobody said"):
        undo_distinct(clean.session, a, b)
    with pytest.raises(UsageError, match="same bytes"):
        set_distinct(clean.session, a, a)


def test_one_place_taken_twice(clean: Corpus) -> None:
    clean.paper("x")
    for number in (1, 2):
        view = Image.blend(texture(7), texture(9000 + number), 0.15)
        clean.image("x", png(view.crop((0, 0, 160 * number - 20, 260))), file=NO)
    found = finding(clean, "same-view")
    assert found.count == 1 and found.items[0]["agreement"] < 0.98


def test_papers_that_are_one(clean: Corpus) -> None:
    for name in ("x", "y", "z"):
        clean.paper(name, doi="10.1000/7" if name != "z" else "10.1000/8")
        clean.image(name, png(texture(sum(name.encode()))), file=NO)
    found = finding(clean, "same-citation")
    assert [i["names"] for i in found.items] == [["x", "y"]] and found.items[0]["by"] == ["doi:10.1000/7"]


def test_files(clean: Corpus) -> None:
    alpha = io.BytesIO()
    black = Image.new("L", (300, 260))
    Image.merge("LA", (black, texture(55))).save(alpha, "PNG")
    clean.paper("x")
    names = {
        clean.image("x", alpha.getvalue(), file=NO): "alpha.png",
        clean.image("x", jpeg(texture(56)), file=NO): "lies.png",
        clean.image("x", jpeg(texture(57)), file=NO): "right.JPEG",
        clean.image("x", png(texture(58, (90, 200))), file=NO): "small.png",
        clean.image("x", png(Image.new("L", (200, 200), 128)), file=NO): "plain.png",
    }
    for image, name in names.items():
        clean.catalogue.run("UPDATE panels SET file_name = ? WHERE image_sha256 = ?", [name, image])
    for detector, file in {
        "alpha-only": "alpha.png", "wrong-extension": "lies.png", "tiny-image": "small.png", "empty-image": "plain.png"
    }.items():  # fmt: skip
        assert [i["file"] for i in finding(clean, detector).items] == [file]


def test_quality(clean: Corpus) -> None:
    from PIL import ImageFilter

    clean.paper("x")
    blurred = clean.image("x", png(texture(60).filter(ImageFilter.GaussianBlur(9))), file=NO)
    clipped = clean.image("x", png(texture(61).point(lambda v: 255 if v > 110 else 0)), file=NO)
    faults = {i["image"]: i["faults"] for i in finding(clean, "image-quality").items}
    assert "blurred" in faults[blurred] and "clipped" in faults[clipped] and len(faults) == 2


def test_other_techniques(clean: Corpus) -> None:
    clean.paper("x")
    image = clean.image("x", png(texture(70)), file=NO)
    assert "technique" in report(clean, detectors=["technique"]).clean  # nothing is said of it
    caption_says(clean, image, "TEM")
    found = finding(clean, "technique")
    assert [i["image"] for i in found.items] == [image]
    silent = clean.image("x", png(texture(71)), file=NO)
    (where,) = re.findall(r'--where "(.*)"', found.fix)
    kept = images_where(clean.catalogue, read_where(where))
    assert silent in kept and image not in kept and len(kept) == 31


def test_contradictions(clean: Corpus) -> None:
    clean.paper("x")
    plain = clean.image("x", png(texture(80)), file=YES, record=NO)
    clean.image("x", png(texture(81)), file=YES, record=BETWEEN)  # file names cannot say it
    clean.image("x", png(texture(82)), file=YES, rule=NO)  # rules only suggest
    (item,) = finding(clean, "contradiction").items
    assert item["image"] == plain and item["said"] == [f"file={YES}", f"record={NO}"]
    disputed = {row["step"]: row["count"] for row in funnel(clean.session)}["  in conflict"]
    set_label(clean.session, plain, NO, reason="two phases are plain to see")  # as the finding says: that settles it
    assert report(clean, detectors=["contradiction"]).clean
    assert {row["step"]: row["count"] for row in funnel(clean.session)}["  in conflict"] == disputed - 1


def test_scales(clean: Corpus) -> None:
    panels = [p for (p,) in clean.catalogue.tuples("SELECT panel_id FROM panels ORDER BY panel_id")]
    bars = [
        {
            "panel_id": panel,
            "method": "image",
            "value": v,
            "unit": "um",
            "value_um": v,
            "length_px": 100.0,
            "confidence": 1,
        }
        for k, panel in enumerate(panels)
        for v in [1000.0 if k == 3 else 5.0 + k % 7]
    ]
    clean.catalogue.upsert("scale_bars", bars)
    (item,) = finding(clean, "scale-outlier").items
    assert item["um_per_pixel"] == 10.0 and item["deviation"] > 3.5


def test_labels_that_metadata_tell(corpus: Corpus) -> None:
    for paper in range(12):
        corpus.paper(f"p{paper}")
        for k in range(3):
            size = (240, 260) if k == 0 else (300, 260)
            corpus.image(f"p{paper}", png(texture(10 * paper + k, size)), file=YES if k == 0 else NO)
    found = finding(corpus, "metadata-leak")
    telling = {i["control"]: i for i in found.items if i["tells"]}
    assert telling["size_aspect"]["auroc"] > 0.9 and telling["size_aspect"]["p"] <= 0.05
    assert found.severity is Severity.WARNING
    assert found.count == len(telling)
    assert {i["control"] for i in found.items} == {
        "metadata", "print_only", "size_aspect", "vendor_strip"
    }  # fmt: skip


def test_chance_is_seldom_taken_for_a_leak() -> None:
    """The largest of ten areas was above 0.6 in twelve data sets of twelve without one."""
    from controls import warned

    assert warned(40, 12) <= 0.15
    assert warned(40, 12, torn=True) <= 0.15
    assert warned(5, 40, leak=2.0) == 1.0


def test_papers_that_tell_the_label(corpus: Corpus) -> None:
    for paper in range(10):
        corpus.paper(f"p{paper}")
        for k in range(4):
            corpus.image(f"p{paper}", png(texture(10 * paper + k)), file=YES if paper % 3 == 0 else NO)
    build_split(corpus.session, "r", SplitOptions(protocol=Protocol.RANDOM), "a test")
    found = finding(corpus, "paper-lookup", split="r")
    assert {i["where"]: i["auroc"] > 0.9 for i in found.items} == {"random folds": True, "the split": True}
    assert found.severity is Severity.ERROR and found.count == 1
    assert finding(corpus, "class-imbalance").items[0]["papers"] == 4


def test_labels_that_a_model_doubts(clean: Corpus) -> None:
    said = dict(sorted(clean.catalogue.tuples("SELECT image_sha256, label FROM labels")))
    shown = "SELECT image_sha256, paper_id FROM panels JOIN figures USING (figure_id)"
    paper_of = dict(clean.catalogue.tuples(shown))
    random = np.random.default_rng(0)
    wrong = min(said)
    chances = {i: float((0.9 if said[i] == YES else 0.1) + random.uniform(-0.05, 0.05)) for i in said}
    chances[wrong] = 0.02 if said[wrong] == YES else 0.98
    found = finding(clean, "label-noise", opinions=Opinions(chances, {}, "a test"))
    assert [i["image"] for i in found.items] == [wrong]
    assert found.items[0][f"p_{YES}"] == chances[wrong]
    features = {i: random.normal(size=6) + (4 if (said[i] == YES) != (i == wrong) else 0) for i in said}
    found = finding(clean, "label-noise", opinions=Opinions({}, features, "a test"))
    assert wrong in {i["image"] for i in found.items} and found.count < 5
    # A paper of which the model learned from one image is no paper that it had never seen.
    group = [i for i in said if paper_of[i] != paper_of[wrong]][:1]
    found = finding(clean, "label-noise", opinions=Opinions(chances, {}, "a test", frozenset(group)))
    assert "of 3 labelled images it says nothing" in found.message
    negative = {i: 0.2 for i in said if said[i] == NO}
    for others in ({"a" * 64: 0.5}, negative):
        with pytest.raises(InputError, match=f"speaks of {len(others) if others is negative else 0} of the 30"):
            finding(clean, "label-noise", opinions=Opinions(others, {}, "a test"))


def test_opinions_are_read_from_files(tmp_path: Path) -> None:
    def write(name: str, **columns: Any) -> Path:
        path = tmp_path / name
        pd.DataFrame(columns).to_parquet(path, index=False)
        return path

    a, b = "a" * 64, "b" * 64
    logits = {f"logit_{YES}": [1.0, 0.0], f"logit_{NO}": [0.0, 0.0]}
    told = read_opinions(TASK, write("p.parquet", image_sha256=[a, b], trained_on=[True, None], **logits), None)
    assert told == Opinions({b: 0.5}, {}, str(tmp_path / "p.parquet"), frozenset({a}))
    embeddings = read_opinions(TASK, None, write("e.parquet", image_sha256=["a"], f10=[3.0], f0=[1.0], f2=[2.0]))
    assert embeddings is not None and embeddings.features["a"].tolist() == [1.0, 2.0, 3.0]
    assert read_opinions(TASK, None, None) is None
    with pytest.raises(UsageError, match="both"):
        read_opinions(TASK, tmp_path, tmp_path)
    other = {f"logit_{TASK.partial}": [1.0], f"logit_{NO}": [0.0]}
    with pytest.raises(InputError, match="does not predict"):
        read_opinions(TASK, write("o.parquet", image_sha256=[a], **other), None)
    for bad in (
        write("words.parquet", image_sha256=["a"], f0=["x"]),
        write("nan.parquet", image_sha256=["a"], f0=[float("nan")]),
        write("none.parquet", image_sha256=["a"]),
        tmp_path / "none",
    ):
        with pytest.raises(InputError):
            read_embeddings(bad)


def test_an_unknown_detector_and_an_empty_workspace(corpus: Corpus) -> None:
    with pytest.raises(UsageError, match="no detector 'magic'"):
        report(corpus, detectors=["magic"])
    with pytest.raises(InputError, match="no images"):
        report(corpus)
