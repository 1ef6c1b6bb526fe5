from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from workspaces import bare_session

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.screenings import save_readings
from polydata.catalogue.session import Session, open_session
from polydata.errors import InputError
from polydata.ids import sha256_bytes
from polydata.images.picture import open_picture
from polydata.published.layout import LINES, parent_key, parse_blocks, parse_key, read_layout
from polydata.published.workflow import PublishedReport, import_published
from polydata.records.importer import import_records
from polydata.records.record import make_record
from polydata.splits.manifest import load_split
from polydata.text.normalise import clean, decode
from polydata.types import ScaleBar
from polydata.workspace import Workspace

REFERENCE = "Kim, H. , Polymer , 45 , 3 , 12-19 (2004)"
KEYS = {"1_page4_image1_a": "1", "1_page4_image1_b": "0", "2_page3_image1": "0", "3_a": "1"}
WORDS = {"1_page4_image1_a": "Incompatible", "2_page3_image1": "Partially compatible"}


def picture(seed: int, kind: str = "PNG") -> bytes:
    out = BytesIO()
    Image.radial_gradient("L").rotate(20 * seed).resize((40 + seed, 30)).save(out, kind)
    return out.getvalue()


def write_records(path: Path, keys: list[str]) -> None:
    blocks = [
        f"{k}\nSEM of PP/PA: ({k[-1]}) S{i}\nnone\nNo phase separation\n10\n{WORDS.get(k, 'Compatible')}\n{REFERENCE}"
        for i, k in enumerate(keys)
    ]
    path.write_bytes("\r\n\r\n".join(b.replace("\n", "\r\n") for b in blocks).encode())


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A small data set in one folder: two images a side."""
    root = tmp_path / "plain"
    (root / "images").mkdir(parents=True)
    for seed, (key, label) in enumerate(KEYS.items()):
        (root / "images" / f"{key}_{label}.png").write_bytes(picture(seed, "GIF" if seed == 3 else "PNG"))
    write_records(root / "NIMS_image_data_total.txt", [*KEYS, "9_page1_image1"])
    with open(root / "published_split.csv", "w", newline="") as handle:
        rows = [[f"{k}_{v}.png", "train" if i % 2 else "test"] for i, (k, v) in enumerate(KEYS.items())]
        csv.writer(handle).writerows([["file_name", "subset"], *rows])
    return root


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.init(tmp_path / "workspace")


@pytest.fixture
def catalogue(workspace: Workspace) -> Iterator[Catalogue]:
    with open_session(workspace) as opened:
        yield opened.catalogue


def authors_layout(plain: Path, target: Path) -> Path:
    """The same data set as its authors lay it out; training images only as augmented copies."""
    folders = {
        name: target / "NIMS_image" / name for name in ("Total_checked", "Total_checked_Train", "Total_checked_Test")
    }
    for folder in folders.values():
        folder.mkdir(parents=True)
    shutil.copy(plain / "NIMS_image_data_total.txt", target)
    with open(plain / "published_split.csv", newline="") as handle:
        side = {row["file_name"]: row["subset"] for row in csv.DictReader(handle)}
    for path in (plain / "images").iterdir():
        shutil.copy(path, folders["Total_checked"])
        key, label = path.stem.rsplit("_", 1)
        if side[path.name] == "test":
            shutil.copy(path, folders["Total_checked_Test"])
        else:
            for augmentation in ("flip_h", "rot90"):
                (folders["Total_checked_Train"] / f"{key}_{augmentation}_{label}.jpg").touch()
    return target


def test_both_sources_of_labels_are_kept(plain: Path, workspace: Workspace, catalogue: Catalogue) -> None:
    task = workspace.task()
    seen: list[tuple[str, int, int]] = []
    report = import_published(Session(workspace, catalogue), plain, lambda *told: seen.append(told))
    assert ("Importing", 4, 4) in seen
    assert (report.images, report.papers, report.figures, report.records) == (4, 3, 3, 5)
    assert report.labels == {task.positive: 2, task.negative: 2}
    assert (report.contradictions, report.finer) == (("1_page4_image1_a", "1_page4_image1_b"), ("2_page3_image1",))
    assert report.records_without_image == 1
    assert report.wrong_extensions == ("3_a_1.png",)
    assert report.problems == ()
    assert report.split == {"train": 2, "test": 2}
    assert report.leakage["shared-paper"] == 1
    conflict = catalogue.value(
        "SELECT sources FROM labels JOIN panels USING (image_sha256) WHERE file_name = '1_page4_image1_a_1.png'"
    )
    assert conflict == [f"file={task.positive}", f"record={task.negative}", f"rule={task.positive}"]
    page, label, own, stem = catalogue.tuples(
        "SELECT page, figures.label, panels.caption, caption_stem FROM panels JOIN figures USING (figure_id) "
        "WHERE panels.label = 'b'"
    )[0]
    assert (page, label, own, stem) == (4, "image1", "S1", "SEM of PP/PA")


def test_again_changes_nothing(plain: Path, workspace: Workspace, catalogue: Catalogue) -> None:
    first = import_published(Session(workspace, catalogue), plain)
    before = catalogue.fingerprint()
    assert import_published(Session(workspace, catalogue), plain) == first
    assert catalogue.fingerprint() == before


def test_records_that_another_file_corrected_are_kept(
    plain: Path, tmp_path: Path, workspace: Workspace, catalogue: Catalogue
) -> None:
    task = workspace.task()
    first = import_published(Session(workspace, catalogue), plain)
    table = tmp_path / "corrected.csv"
    with open(table, "w", newline="") as handle:
        rows = [["2_page3_image1", "SEM", task.negative, REFERENCE, "1999"]]
        csv.writer(handle).writerows([["key", "caption", "label", "reference", "year"], *rows])
    assert import_records(bare_session(catalogue, task), [table]).records.replaced == 1
    before = catalogue.fingerprint()
    again = import_published(Session(workspace, catalogue), plain)
    assert (first.kept, again.kept) == (0, 1)
    assert replace(again, kept=0) == first
    assert catalogue.fingerprint() == before
    word = catalogue.value("SELECT compatibility FROM records WHERE record_key = '2_page3_image1'")
    assert word == task.negative


def test_the_split_tells_what_the_data_set_says_whatever_else_is_read(
    plain: Path, workspace: Workspace, catalogue: Catalogue
) -> None:
    first = import_published(Session(workspace, catalogue), plain)
    split = load_split(workspace.splits / "published")
    for item in split.folds[0].everything:
        assert (item.extra["journal"], item.extra["year"], item.extra["scale_um"]) == ("Polymer", "2004", "10")
    images = [item.image_sha256 for item in split.folds[0].everything]
    save_readings(catalogue, 1, [(image, ScaleBar(3, "µm", 3, 80, "image", 1.0)) for image in images])
    seen = {"rule": "r", "version": 1, "score": 1, "decision": "accepted", "reason": "-", "technique": "AFM"}
    catalogue.upsert("screenings", [{"image_sha256": image, **seen} for image in images])
    assert import_published(Session(workspace, catalogue), plain) == first
    assert load_split(workspace.splits / "published").digest == split.digest


def test_again_beside_a_paper_that_shows_the_same_bytes(
    plain: Path, workspace: Workspace, catalogue: Catalogue
) -> None:
    first = import_published(Session(workspace, catalogue), plain)
    digest = load_split(workspace.splits / "published").digest
    named = "file_name IN ('2_page3_image1_0.png', '3_a_1.png')"
    shas = [sha for (sha,) in catalogue.tuples(f"SELECT image_sha256 FROM panels WHERE {named} ORDER BY 1")]
    assert len(shas) == 2
    paper = {"paper_id": "a", "source": "pdf", "file_name": "a.pdf", "status": "done", "extractor": "1"}
    catalogue.upsert("papers", [paper])
    catalogue.upsert("figures", [{"figure_id": "a/f", "paper_id": "a", "method": "m", "confidence": 1.0}])
    shown = [
        {"panel_id": f"a{n}", "figure_id": "a/f", "position": n, "image_sha256": sha} for n, sha in enumerate(shas)
    ]
    catalogue.upsert("panels", shown)
    assert import_published(Session(workspace, catalogue), plain) == first
    shutil.rmtree(workspace.splits / "published")
    catalogue.run("DELETE FROM splits")
    assert import_published(Session(workspace, catalogue), plain) == first
    assert load_split(workspace.splits / "published").digest == digest


def test_both_layouts_give_the_same_catalogue(
    plain: Path, tmp_path: Path, workspace: Workspace, catalogue: Catalogue
) -> None:
    one = import_published(Session(workspace, catalogue), plain)
    other = Workspace.init(tmp_path / "other")
    with open_session(other) as second:
        two = import_published(second, authors_layout(plain, tmp_path / "authors"))
        assert second.catalogue.fingerprint() == catalogue.fingerprint()
    assert one == two
    assert load_split(other.splits / "published").digest == load_split(workspace.splits / "published").digest


def test_what_cannot_be_read_is_listed_and_the_rest_imported(
    plain: Path, workspace: Workspace, catalogue: Catalogue
) -> None:
    (plain / "images" / "3_a_1.png").write_bytes(b"no image")
    (plain / "images" / "notes_x.png").write_bytes(b"")
    with open(plain / "NIMS_image_data_total.txt", "ab") as handle:
        handle.write(b"\r\n\r\n8_page1_image1\r\nonly two lines\r\n")
    report = import_published(Session(workspace, catalogue), plain)
    assert report.images == 3
    assert sorted(p.split(":")[0] for p in report.problems) == [
        "3_a_1.png",
        "NIMS_image_data_total.txt, block 6",
        "notes_x.png",
    ]


def test_what_left_the_data_set_leaves_the_catalogue(plain: Path, workspace: Workspace, catalogue: Catalogue) -> None:
    (plain / "published_split.csv").unlink()
    import_published(Session(workspace, catalogue), plain)
    (plain / "images" / "2_page3_image1_0.png").unlink()
    report = import_published(Session(workspace, catalogue), plain)
    assert report.split == {}
    counts = [catalogue.value(f"SELECT count(*) FROM {t}") for t in ("papers", "figures", "panels", "links", "records")]
    assert counts == [2, 2, 3, 3, 5]


def test_another_folder_is_refused(tmp_path: Path, workspace: Workspace, catalogue: Catalogue) -> None:
    with pytest.raises(InputError, match="not the published data set"):
        import_published(Session(workspace, catalogue), tmp_path / "workspace")
    with pytest.raises(InputError, match="no folder"):
        import_published(Session(workspace, catalogue), tmp_path / "nowhere")


def test_keys() -> None:
    key = parse_key("145_page4_image2_b1")
    assert (key.paper, key.page, key.image, key.panel, key.figure) == ("145", 4, 2, "b1", "145_page4_image2")
    assert (parse_key("304_a").figure, parse_key("304_a").page) == ("304", None)
    known = {"1_page4_image1": 0, "1_page4_image1_a": 0}
    assert parent_key("1_page4_image1_a_rot90_1", known) == "1_page4_image1_a"
    assert parent_key("1_page4_image1_flip_1", known) == "1_page4_image1"
    assert parent_key("1_page4_image11_1", known) is None


@given(st.text(max_size=300))
def test_any_text_is_parsed(text: str) -> None:
    parse_key(text)
    for block in parse_blocks(text):
        assert isinstance(block, str) or tuple(block) == LINES


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30), min_size=7, max_size=7)
)
def test_a_block_of_seven_lines_is_read_back(lines: list[str]) -> None:
    lines = ["key_1", *(clean(line) or "x" for line in lines[1:])]
    (block,) = parse_blocks("\n".join(lines))
    assert isinstance(block, dict)
    assert list(block.values()) == lines


@pytest.mark.realdata
def test_the_published_text_agrees_with_its_tidied_table(shared_data: Path) -> None:
    blocks = parse_blocks(decode((shared_data / "nims" / "NIMS_image_data_total.txt").read_bytes()))
    with open(shared_data / "nims" / "records.csv", newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert len(blocks) == len(rows) == 556
    columns = ("key", "caption", "polyinfo_morphology", "literature_description", "scale_raw", "label_raw", "reference")
    for block, row in zip(blocks, rows, strict=True):
        assert isinstance(block, dict)
        assert [clean(v) for v in block.values()] == [clean(row[c]) for c in columns]
        cells = {"record_key": block["key"], "scale_um": block["scale"]}
        found = make_record(cells, source="t", raw={})
        assert found.values["scale_um"] == (float(row["scale_um"]) if row["scale_um"] else None)


def real_import(place: Workspace, folder: Path) -> tuple[PublishedReport, str]:
    with open_session(place) as session:
        report = import_published(session, folder)
        return report, session.catalogue.fingerprint()


@pytest.mark.realdata
@pytest.mark.slow
def test_the_published_data_set(shared_data: Path, workspace: Workspace, tmp_path: Path) -> None:
    root = shared_data / "nims"
    report, fingerprint = real_import(workspace, root)
    task = workspace.task()
    assert report.labels == {task.positive: 101, task.negative: 416}
    assert (report.images, report.records, len(report.problems)) == (517, 556, 0)
    assert (len(report.wrong_extensions), len(report.alpha_only)) == (92, 4)
    assert (len(report.contradictions), len(report.finer)) == (7, 42)
    assert report.shared_keys == ("145_page4_image2",)
    assert report.split == {"train": 400, "test": 117}
    assert (report.leakage["shared-paper"], report.leakage["shared-figure"]) == (114, 99)
    split = load_split(workspace.splits / "published")
    assert split.leakage is not None

    with open_session(workspace, read_only=True) as session:
        said = session.catalogue.tuples("SELECT sources FROM labels WHERE conflict")
        pairs = ((task.positive, task.negative), (task.negative, task.positive))
        plain = [s for (s,) in said if any(f"file={f}" in s and f"record={r}" in s for f, r in pairs)]
        assert len(plain) == 7
        rows = session.catalogue.tuples(
            "SELECT file_name, sha256, format FROM panels JOIN images ON sha256 = image_sha256 ORDER BY file_name"
        )
    assert len(rows) == 517
    for name, sha256, kind in rows[::40]:
        stored = workspace.store / sha256[:2]
        (path,) = stored.glob(f"{sha256}.*")
        assert sha256_bytes((root / "images" / name).read_bytes()) == sha256_bytes(path.read_bytes()) == sha256, kind
    for name in report.alpha_only:
        assert open_picture(root / "images" / name).convert("L").getextrema()[1] > 0  # type: ignore[operator]

    other = Workspace.init(tmp_path / "other")
    again, same = real_import(other, authors_layout(root, tmp_path / "authors"))
    assert (again, same) == (report, fingerprint)
    assert load_split(other.splits / "published").digest == split.digest


def test_a_layout_without_a_split_says_so(plain: Path, tmp_path: Path, workspace: Workspace) -> None:
    root = authors_layout(plain, tmp_path / "authors")
    shutil.rmtree(root / "NIMS_image" / "Total_checked_Test")
    found = read_layout(root, workspace.task().file_suffixes)
    assert found.sides == {}
    assert any("Total_checked_Test" in problem for problem in found.problems)
