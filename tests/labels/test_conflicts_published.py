"""All disagreements about labels that are known in the published data."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from polydata.catalogue.session import Session, open_session
from polydata.labels.conflicts.find import Conflicts, TableOptions, find_conflicts
from polydata.labels.conflicts.page import write_conflicts
from polydata.published.workflow import import_published
from polydata.workspace import Workspace


@pytest.fixture(scope="module")
def published(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Session, Conflicts]]:
    workspace = Workspace.init(tmp_path_factory.mktemp("published"))
    with open_session(workspace) as session:
        import_published(session, shared_data / "nims")
        table = TableOptions(shared_data / "nims/human_labels.csv", "workbook_label01", ("R*",))
        yield session, find_conflicts(session, table=table)


def names(found: Conflicts, kind: str) -> list[list[str]]:
    return [[str(found.evidence.pictures[i]["file_name"]) for i in c.images] for c in found.conflicts if c.kind == kind]


@pytest.mark.realdata
def test_what_is_known_of_the_published_data(published: tuple[Session, Conflicts]) -> None:
    found = published[1]
    assert sorted(name for (name,) in names(found, "contradiction")) == [
        "266_page4_image1_b_1.png", "266_page4_image1_c_1.png", "5_page10_image1_d_0.png", "82_page4_image1_d_1.jpg",
        "82_page4_image1_e_1.jpg", "82_page4_image1_g_1.jpg", "82_page4_image1_h_1.jpg",
    ]  # fmt: skip
    fates = Counter(name.rsplit(".", 1)[0][-1] for (name,) in names(found, "partial"))
    assert fates == {"0": 30, "1": 12}
    assert names(found, "key") == [["145_page4_image2_0.png"]]
    assert names(found, "table") == [["658_page10_image1_c_0.png", "658_page9_image1_a_1.png"]]
    assert "look swapped" in next(c.says for c in found.conflicts if c.kind == "table")
    assert [c.kind for c in found.conflicts[:9]] == ["contradiction"] * 7 + ["key", "table"]
    assert names(found, "duplicate") == []
    json.dumps(found.as_json(), allow_nan=False)


@pytest.mark.realdata
def test_evidence_stands_where_it_is_said_to(published: tuple[Session, Conflicts]) -> None:
    voices = [v for voices in published[1].evidence.statements.values() for v in voices if v.source == "rule"]
    assert len(voices) > 300
    for voice in voices:
        pieces = [" ".join(t["text"][a:b].lower().split()) for t in voice.texts for a, b in t["spans"]]
        assert sorted(re.sub("[‐-―−]", "-", piece) for piece in pieces) == sorted(voice.evidence.split(" | "))


@pytest.mark.realdata
def test_the_page_of_the_published_data(published: tuple[Session, Conflicts], tmp_path: Path) -> None:
    done = write_conflicts(*published, tmp_path / "c.html")
    assert done.cards > 50 and done.failures == ()
    assert (tmp_path / "c.html").read_text(encoding="utf-8").count("<section") == done.cards
    assert (tmp_path / "c.html").stat().st_size < 10_000_000
