from __future__ import annotations

from pathlib import Path

import pytest

from polydata.errors import UsageError
from polydata.files.find import find_pdfs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.pdf", "a.PDF", "deep/c.pdf", "notes.txt", "odd\nname.pdf"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


def test_folders_files_and_globs_name_each_file_once(folder: Path) -> None:
    found = find_pdfs([str(folder), str(folder / "b.pdf"), str(folder / "*.pdf")])
    assert found == sorted(found)
    assert {p.name for p in found} == {"b.pdf", "a.PDF", "c.pdf", "odd\nname.pdf"}
    assert len(found) == 4


def test_a_file_named_itself_is_taken(folder: Path) -> None:
    assert [p.name for p in find_pdfs([str(folder / "notes.txt")])] == ["notes.txt"]


@pytest.mark.parametrize("argument", ["missing.pdf", "none*.pdf", "empty"])
def test_what_names_nothing_is_wrong_usage(argument: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError):
        find_pdfs([str(tmp_path / argument)])
