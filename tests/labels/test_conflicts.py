"""Disagreements about labels: each kind is found, ranked, shown."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from audit_pictures import png, texture
from commands import run, run_json
from screen_scene import HOSTILE, Scene, make_scene
from split_corpus import Corpus

from polydata.auditing.run import audit
from polydata.auditing.subject import Severity
from polydata.catalogue.session import open_session
from polydata.errors import InputError, UsageError
from polydata.images.html import TICKS, script_hash
from polydata.labels.conflicts import page
from polydata.labels.conflicts.find import Conflicts, TableOptions, find_conflicts
from polydata.labels.conflicts.page import write_conflicts
from polydata.labels.resolve import set_distinct, set_label, undo_distinct
from polydata.records.rules import write_votes
from polydata.task import Task
from polydata.workspace import Workspace

TASK = Task.load()
YES, NO, BETWEEN = TASK.positive, TASK.negative, TASK.partial


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return make_scene(tmp_path / "w")


def vote(scene: Scene, number: int, source: str, label: str, record: str = "") -> None:
    with scene.session() as session:
        row = {
            "panel_id": scene.panel(number),
            "source": source,
            "record_id": record,
            "label": label,
            "evidence": label,
        }
        session.catalogue.upsert("label_votes", [row])


def answer(scene: Scene, number: int, given: dict[str, str]) -> None:
    rows = [
        {
            "server": "s", "project": 1, "annotation_id": 10 * number + n, "task": 1,
            "image_sha256": scene.images[number], "annotator": who, "choice": choice, "cancelled": False,
            "updated_at": "2026-01-01", "raw": "{}",
        }
        for n, (who, choice) in enumerate(given.items())
    ]  # fmt: skip
    with scene.session() as session:
        session.catalogue.upsert("annotations", rows)


def find(scene: Scene, **more: Any) -> Conflicts:
    with open_session(scene.workspace, read_only=True) as session:
        return find_conflicts(session, **more)


def kinds(found: Conflicts) -> list[tuple[str, list[str]]]:
    return [(c.kind, list(c.images)) for c in found.conflicts]


def test_sources_that_agree_are_no_conflict(scene: Scene) -> None:
    for source in ("file", "record", "rule"):
        vote(scene, 0, source, YES)
    answer(scene, 0, {"ann": YES, "ben": YES})
    assert find(scene).conflicts == ()
    assert find(scene).counts == {"settled": 0}


@pytest.mark.parametrize(
    ("votes", "answers", "kind"),
    [
        ({"file": YES, "record": NO}, {}, ["contradiction"]),
        ({"file": YES, "record": BETWEEN}, {}, ["partial"]),
        ({"record": YES, "rule": NO}, {}, ["text"]),
        ({"file": YES, "rule": NO}, {}, ["text"]),
        ({"file": YES, "record": NO, "rule": NO}, {}, ["contradiction"]),
        ({"file": YES}, {"ann": NO}, ["review"]),
        ({"file": YES, "record": BETWEEN}, {"ann": BETWEEN}, ["partial"]),  # the file name cannot say it
        ({"record": YES}, {"ann": YES, "ben": NO}, ["tie"]),
        ({"record": YES}, {"ann": YES, "ben": NO, "cat": YES}, ["disputed"]),
        ({"record": YES}, {"ann": TASK.not_a_micrograph}, ["review"]),
        ({}, {"ann": YES}, []),
    ],
)
def test_each_kind(scene: Scene, votes: dict[str, str], answers: dict[str, str], kind: list[str]) -> None:
    for source, label in votes.items():
        vote(scene, 1, source, label)
    answer(scene, 1, answers)
    found = find(scene)
    assert kinds(found) == [(k, [scene.images[1]]) for k in kind]
    for conflict in found.conflicts:
        assert 0 < conflict.severity <= 1 and conflict.says
        assert {v.label for v in conflict.statements} <= set(votes.values()) | set(answers.values())


def test_two_records_of_one_image(scene: Scene) -> None:
    vote(scene, 0, "record", YES, "r1")
    vote(scene, 0, "record", NO, "r2")
    assert kinds(find(scene)) == [("records", [scene.images[0]])]


@pytest.mark.parametrize("second", ["Kim , Polymer , 45 , 3 , 12-19 (2004)", "Kim, Polymer 45(3), 12-19 (2004)."])
def test_records_of_one_paper_are_no_conflict(scene: Scene, second: str) -> None:
    references = {
        "r1": "Kim , Polymer , 45 , 3 , 12-19 (2004)",
        "r2": second,
        "r3": "Lee , Macromolecules , 1 , 2 (1999)",
    }
    rows = [
        {"record_id": r, "source": "s", "record_key": "7_page1", "reference": text, "raw": "{}", "compatibility": YES,
         "journal": "Polymer", "volume": "45", "pages": "12-19", "year": 2004}
        for r, text in references.items()
    ]  # fmt: skip
    rows[2] |= {"journal": "Macromolecules", "volume": "1", "pages": "2", "year": 1999}
    with scene.session() as session:
        session.catalogue.upsert("records", rows)
        links = [{"panel_id": scene.panel(0), "record_id": r, "method": "key", "score": 0.5} for r in ("r1", "r2")]
        session.catalogue.upsert("links", links)
    assert find(scene).conflicts == ()
    with scene.session() as session:
        session.catalogue.upsert("links", [{**links[0], "record_id": "r3"}])
    (conflict,) = find(scene).conflicts
    assert conflict.kind == "key" and conflict.says == "the key 7_page1 names 2 papers"


def test_a_record_is_shown_with_its_table_and_row(scene: Scene, tmp_path: Path) -> None:
    rows = [{"record_id": f"r{n}", "source": "mine.csv", "source_row": n, "raw": "{}"} for n in (7, 9)]
    with scene.session() as session:
        session.catalogue.upsert("records", rows)
    vote(scene, 0, "record", YES, "r7")
    vote(scene, 0, "record", NO, "r9")
    vote(scene, 1, "record", BETWEEN)
    vote(scene, 1, "rule", NO)
    found = find(scene)
    with scene.session() as session:
        shown = write_conflicts(session, found, tmp_path / "c.html").path.read_text("utf-8")
    assert (
        '<div class="muted">mine.csv, row 7</div>' in shown
        and "mine.csv, row 9" in shown
        and f"<b>{BETWEEN.replace('_', ' ')}</b>" in shown
    )


def test_one_picture_under_two_labels(scene: Scene) -> None:
    vote(scene, 0, "file", YES)
    vote(scene, 1, "file", NO)
    assert find(scene).conflicts == ()
    with scene.session() as session:
        phash = session.catalogue.value("SELECT phash FROM images WHERE sha256 = ?", [scene.images[0]])
        near = f"{int(phash, 16) ^ 0b101:016x}"
        session.catalogue.run("UPDATE images SET phash = ? WHERE sha256 = ?", [near, scene.images[1]])
    (conflict,) = find(scene).conflicts
    assert (conflict.kind, conflict.images) == ("duplicate", (scene.images[0], scene.images[1]))
    assert "nearly the same picture (2 of 64 bits" in conflict.says and not conflict.settled
    with scene.session() as session:
        set_distinct(session, scene.images[1], scene.images[0])
    assert [c.settled for c in find(scene).conflicts] == [True]
    with scene.session() as session:
        undo_distinct(session, scene.images[0], scene.images[1])
    assert [c.settled for c in find(scene).conflicts] == [False]
    vote(scene, 1, "file", YES)
    assert find(scene).conflicts == ()


def test_the_weightiest_first_and_settled_ones_last(scene: Scene) -> None:
    vote(scene, 0, "record", YES)
    vote(scene, 0, "rule", NO)
    for number in (1, 2):
        vote(scene, number, "file", YES)
        vote(scene, number, "record", NO)
    vote(scene, 2, "rule", YES)
    order = [("contradiction", 2), ("contradiction", 1), ("text", 2), ("text", 0)]
    assert kinds(find(scene)) == [(kind, [scene.images[n]]) for kind, n in order]
    with scene.session() as session:
        set_label(session, scene.images[2], NO, reason="looked at it")
    found = find(scene)
    assert [(c.kind, c.settled) for c in found.conflicts] == [
        ("contradiction", False), ("text", False), ("contradiction", True), ("text", True),
    ]  # fmt: skip
    assert found.counts == {"contradiction": 1, "text": 1, "settled": 2}


def test_a_table_of_people(scene: Scene, tmp_path: Path) -> None:
    for number, label in enumerate((YES, NO, NO, YES)):
        vote(scene, number, "file", label)
    with scene.session() as session:
        session.catalogue.run("UPDATE panels SET file_name = 'k_1.png' WHERE panel_id = ?", [scene.panel(0)])
    path = tmp_path / "t.csv"
    rows = [
        ("k", 0, 0, 0, 1), (scene.images[1], 1, 0, 0, 0), (scene.panel(2), 0, 1, "", 1), (scene.panel(3), 1, 1, 1, 1),
        ("nowhere", 1, 1, 1, 1), (scene.panel(4), "often", 1, 1, 1),
    ]  # fmt: skip
    path.write_text("image,truth,R1,R2,R3\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    found = find(scene, table=TableOptions(path, "truth", ("R*",)))
    swap, *people = found.conflicts
    assert (swap.kind, swap.images) == ("table", (scene.images[0], scene.images[1]))
    assert "look swapped" in swap.says and "row 2" in swap.says
    assert [(c.images[0], c.says.split(",")[0]) for c in people] == [
        (scene.images[2], f"2 of 2 raters say {YES}"), (scene.images[0], f"2 of 3 raters say {NO}"),
    ]  # fmt: skip
    assert people[0].severity > people[1].severity
    assert found.problems == ("row 6: 'nowhere' names no image", "row 7: often is no label")
    truth_alone = find(scene, table=TableOptions(path, "truth"))
    assert [c.kind for c in truth_alone.conflicts] == ["table"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"truth": "t"}, "no column 't'"),
        ({"truth": "truth", "raters": ("X*",)}, r"no column of raters 'X\*'"),
        ({"truth": "truth", "key": "id"}, "no column 'id'"),
        ({"truth": "truth"}, "names an image"),
    ],
)
def test_a_table_that_does_not_fit(scene: Scene, tmp_path: Path, options: dict[str, Any], message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text("image,truth,R1\nx,1,1\n")
    with pytest.raises(InputError, match=message):
        find(scene, table=TableOptions(path, **options))


def predict(path: Path, rows: dict[str, tuple[float, float]]) -> Path:
    """Predictions as ``polymodel predict`` writes them: image -> logits of yes and no."""
    frame = pd.DataFrame(
        [
            {"path": "x", "image_sha256": image, "label": YES if yes > no else NO, f"p_{YES}": 0.5,
             f"logit_{YES}": yes, f"logit_{NO}": no}
            for image, (yes, no) in rows.items()
        ]
    )  # fmt: skip
    frame.to_parquet(path)
    return path


def test_a_model(scene: Scene, tmp_path: Path) -> None:
    for number, label in enumerate((YES, NO, BETWEEN, YES)):
        vote(scene, number, "record", label)
    logits = {0: (0.0, 3.0), 1: (0.2, 0.0), 2: (1.0, 0.0), 3: (2.0, 0.0), 4: (1.0, 0.0)}
    path = predict(tmp_path / "model.parquet", {scene.images[n]: values for n, values in logits.items()})
    found = find(scene, predictions=[path])
    assert kinds(found) == [("model", [scene.images[0]]), ("model", [scene.images[1]])]
    assert "model predicts incompatible (probability 0.95)" in found.conflicts[0].says


def test_no_images(tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path / "w")
    with open_session(workspace) as session, pytest.raises(UsageError, match="no images"):
        find_conflicts(session)


class Page(HTMLParser):
    """Tags, words and addresses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.words = ""
        self.marked = ""
        self.addresses: list[str] = []
        self._marking = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self._marking = tag == "mark"
        for name, value in attrs:
            assert not name.startswith("on"), name
            if name in ("src", "href"):
                self.addresses.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._marking = False

    def handle_data(self, data: str) -> None:
        self.words += data
        self.marked += data if self._marking else ""


def test_the_page_needs_nothing_and_shows_texts_as_texts(scene: Scene, tmp_path: Path) -> None:
    with scene.session() as session:
        row = {"record_id": "r", "source": "s", "record_key": HOSTILE, "compatibility": YES, "raw": "{}",
               "morphology": f"{HOSTILE} Clearly immiscible, <i>sea-island</i>."}  # fmt: skip
        session.catalogue.upsert("records", [row])
        session.catalogue.upsert(
            "links", [{"panel_id": scene.panel(2), "record_id": "r", "method": "key", "score": 1.0}]
        )
        write_votes(session)
    vote(scene, 2, "file", NO)
    path = tmp_path / "out" / "conflicts.html"
    found = find(scene)
    with scene.session() as session:
        done = write_conflicts(session, found, path)
    text = path.read_text(encoding="utf-8")
    shown = Page(text)
    assert (done.cards, done.left_out, done.failures) == (1, 0, ())
    assert {"iframe", "link", "i"}.isdisjoint(shown.tags) and shown.tags["script"] == 1  # our own, by its hash
    assert f"script-src 'sha256-{script_hash(TICKS)}'" in text and f'value="{scene.panel(2)} {NO}"' in text
    assert HOSTILE not in text and HOSTILE in shown.words
    assert shown.marked == "immiscible"
    assert all(a.startswith(("data:image/jpeg;base64,", "file:///")) for a in shown.addresses)
    assert "contradiction" in shown.words and scene.panel(2) in shown.words


def test_a_pair_has_the_command_that_settles_it_ready(scene: Scene, tmp_path: Path) -> None:
    vote(scene, 0, "file", YES)
    vote(scene, 1, "file", NO)
    with scene.session() as session:
        phash = session.catalogue.value("SELECT phash FROM images WHERE sha256 = ?", [scene.images[0]])
        session.catalogue.run("UPDATE images SET phash = ? WHERE sha256 = ?", [phash, scene.images[1]])

    def written() -> str:
        found = find(scene)
        with scene.session() as session:
            write_conflicts(session, found, tmp_path / "c.html")
        return (tmp_path / "c.html").read_text("utf-8")

    (command,) = re.findall(r'<code class="command">(polydata label distinct .*?)</code>', written())
    run(*command.split(), workspace=scene.workspace.root)
    assert "label distinct" not in written()


def test_pairs_are_those_that_the_audit_makes_an_error_of(tmp_path: Path) -> None:
    """A crop is told by its keypoints alone; that both labels were set by hand settles no pair."""
    place, whole = tmp_path / "w", texture(1)
    pictures = [whole, whole.crop((30, 20, 260, 230)), whole.crop((10, 40, 250, 240))]
    with open_session(Workspace.init(place)) as session:
        corpus = Corpus(session)
        for name in "xyz":
            corpus.paper(name)
        labels = (YES, NO, NO)
        images = [corpus.image(n, png(p), file=said) for n, p, said in zip("xyz", pictures, labels, strict=True)]
        for image, label in zip(images, labels, strict=True):
            set_label(session, image, label, reason="looked at it")
        found = audit(session, detectors=["near-duplicate", "same-view"], pixels=False).findings
        items = [item for finding in found if finding.severity is Severity.ERROR for item in finding.items]
        wrong = {frozenset((i["a_image"], i["b_image"])) for i in items if i["a_label"] != i["b_label"]}
        listed = find_conflicts(session)
        assert not find_conflicts(session, crops=False).conflicts
    assert wrong == {frozenset((images[0], other)) for other in images[1:]}
    assert {frozenset(c.images) for c in listed.conflicts if c.kind == "duplicate" and not c.settled} == wrong
    (command,) = listed.apart
    assert set(command.split()[3:]) == {image[:12] for image in images}
    assert f"all labels right: {command}" in run("polydata", "conflicts", workspace=place).stdout
    run(*command.split(), workspace=place)
    assert run_json("polydata", "conflicts", workspace=place)["counts"] == {"settled": 2}
    run(*command.split(), "--undo", workspace=place)
    assert run_json("polydata", "conflicts", workspace=place)["apart"] == [command]
    run(*command.split()[:5], "--undo", workspace=place, expect=2)


def test_long_lists_and_lost_images(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (0, 1):
        vote(scene, number, "file", YES)
        vote(scene, number, "record", NO)
    for path in scene.workspace.store.rglob(f"{scene.images[0]}*"):
        path.unlink()
    monkeypatch.setattr(page, "MAX_CARDS", 1)
    found = find(scene)
    with scene.session() as session:
        done = write_conflicts(session, found, tmp_path / "c.html")
    assert (done.cards, done.left_out, len(done.failures)) == (1, 1, 1)
    text = Page((tmp_path / "c.html").read_text()).words
    assert "cannot be opened" in text and "1 more are not shown" in text
    with scene.session() as session, pytest.raises(InputError, match="cannot be written"):
        write_conflicts(session, found, tmp_path / "c.html" / "d.html")


def test_on_the_command_line(scene: Scene, tmp_path: Path) -> None:
    vote(scene, 0, "file", YES)
    vote(scene, 0, "record", NO)
    said = run_json("polydata", "conflicts", workspace=scene.workspace.root)
    assert said["counts"] == {"contradiction": 1, "settled": 0}
    (conflict,) = said["conflicts"]
    assert conflict["images"][0]["image_sha256"] == scene.images[0]
    assert {(e["source"], e["label"]) for e in conflict["evidence"]} == {("file", YES), ("record", NO)}
    target = tmp_path / "c.html"
    out = run("polydata", "conflicts", "--html", target, workspace=scene.workspace.root)
    assert "contradiction" in out.stdout and target.is_file()
    run("polydata", "conflicts", "--truth", "t", workspace=scene.workspace.root, expect=2)
