from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from polydata.errors import UsageError
from polydata.files.find import companions, find_pdfs, path_as_text, path_from_text


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


def test_what_macos_writes_beside_files_is_skipped_and_told(folder: Path) -> None:
    for name in ("._b.pdf", "deep/._c.pdf", "deep/._x.csv"):
        (folder / name).write_bytes(b"\0\5\x16\7")
    assert {p.name for p in find_pdfs([str(folder)])} == {"b.pdf", "a.PDF", "c.pdf", "odd\nname.pdf"}
    assert companions([folder, folder / "b.pdf"], (".pdf",)) == [folder / "._b.pdf", folder / "deep/._c.pdf"]
    assert [p.name for p in find_pdfs([str(folder / "._b.pdf")])] == ["._b.pdf"]  # who names it means it


NAME = st.binary(min_size=1, max_size=8).filter(lambda name: not set(name) & {0, 0x2F} and name not in (b".", b".."))


@given(st.lists(NAME, min_size=1))
@example([b"\xff.pdf"])
@example([b"file:", b"%ff.pdf"])
def test_a_path_is_kept_whatever_bytes_it_has(parts: list[bytes]) -> None:
    path = Path(os.fsdecode(b"/" + b"/".join(parts)))
    assert path_as_text(path).encode()
    assert path_from_text(path_as_text(path)) == path
