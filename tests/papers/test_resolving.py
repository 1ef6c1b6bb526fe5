"""Resolving papers at a server that answers well, badly, late, or not at all."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import run, run_json
from crossref_server import Library, Waits, recorder, serving, work
from hypothesis import given
from hypothesis import strategies as st

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.metadata import list_papers, note_papers_changed
from polydata.catalogue.session import open_session
from polydata.errors import ServerError, UsageError
from polydata.papers.bibliography import Resolved, crossref_server, resolve_papers
from polydata.papers.crossref import Crossref, read_item
from polydata.workspace import Workspace

TITLE = "Morphology of blends of two polymers"


@pytest.fixture
def library() -> Iterator[Library]:
    with serving(Library([work("10.1016/j.polymer.2004.01.001", TITLE)])) as found:
        yield found


def workspace_with(folder: Path, *papers: dict[str, Any]) -> Workspace:
    place = Workspace.init(folder / "w")
    with open_session(place) as session:
        for number, paper in enumerate(papers):
            row = {"paper_id": f"paper-{number}", "source": "pdf", "file_name": f"{number}.pdf", "status": "done"}
            columns = {"doi": None, "title": None, "year": None, "first_page_text": None, "extractor": "1"}
            session.catalogue.upsert("papers", [{**row, **columns, **paper}])
        note_papers_changed(session.catalogue)
    return place


def ask(place: Workspace, library: Library, waits: Waits | None = None, **options: Any) -> Resolved:
    service = Crossref(place.root / "cache", root=library.url, timeout_s=1, pause_s=0, mailto="me@example.org")
    service.sleep = recorder([] if waits is None else waits)
    with open_session(place) as session:
        return resolve_papers(session, service, **options)


def rows(place: Workspace) -> list[dict[str, Any]]:
    with open_session(place) as session:
        return session.catalogue.rows("SELECT * FROM paper_resolutions ORDER BY paper_id")


def test_by_doi(tmp_path: Path, library: Library) -> None:
    place = workspace_with(
        tmp_path, {"doi": "10.1016/j.polymer.2004.01.001", "title": TITLE.upper(), "journal": "Mine"}
    )
    result = ask(place, library)
    assert result.leftovers == ()
    row = rows(place)[0]
    assert (row["source"], row["method"], row["score"], row["year"]) == ("crossref", "doi", 1.0, 2004)
    assert (row["journal"], row["volume"], row["pages"]) == ("Polymer", "45", "4567-4573")
    assert row["authors"] == "Doe, Jane; The Group"
    assert row["reference"] == f"Doe, Jane; The Group, {TITLE}, Polymer, 45, 4567-4573 (2004)"
    path, agent = library.asked[0]
    assert "mailto=me" in path
    assert "mailto:me@example.org" in agent
    with open_session(place) as session:
        listed = list_papers(session.catalogue)[0]
        assert session.catalogue.value("SELECT journal FROM papers") == "Mine"
    assert (listed["journal"], listed["volume"], listed["resolved"]) == ("Mine", "45", "crossref 1.00")


def test_answers_are_kept_on_disk(tmp_path: Path, library: Library) -> None:
    place = workspace_with(tmp_path, {"doi": "10.1016/j.polymer.2004.01.001"}, {"doi": "10.1016/unknown"})
    assert ask(place, library).asked == 2
    assert ask(place, library, again=True).asked == 0
    assert len(rows(place)) == 1
    kept = [json.loads(file.read_text()) for file in (place.root / "cache").iterdir()]
    assert all(one["asked"].endswith("+00:00") for one in kept)
    for file in (place.root / "cache").iterdir():
        file.write_text("{broken")
    assert ask(place, library, again=True).asked == 2


def test_by_title_with_its_year(tmp_path: Path, library: Library) -> None:
    place = workspace_with(
        tmp_path,
        {"title": "Morphology of Blends of Two Polymers.", "year": 2003},
        {"title": TITLE, "year": 1990},
        {"title": "Something else altogether, of other things", "year": 2004},
        {"title": "Short"},
        {"doi": "10.1016/j.polymer.2004.01.001", "title": "A wholly different heading of a review"},
    )
    result = ask(place, library)
    assert [(one["paper_id"], one["method"]) for one in result.papers] == [("paper-0", "title")]
    assert {one["paper_id"]: one["reason"] for one in result.leftovers} == {
        "paper-1": "a work of its title is of another year (2004)",
        "paper-2": "no title is like its own",
        "paper-3": "it has neither a DOI nor a title",
        "paper-4": "no title is like its own",
    }


def test_a_busy_server_is_given_time(tmp_path: Path, library: Library) -> None:
    place = workspace_with(tmp_path, {"doi": "10.1016/j.polymer.2004.01.001"})
    library.trouble = [(429, {"Retry-After": "7"}, b""), (503, {}, b"")]
    waits: Waits = []
    assert len(ask(place, library, waits).papers) == 1
    assert [wait for wait in waits if wait] == [7.0, 2.0]
    library.trouble = [(429, {"Retry-After": "99999"}, b"")] * 4
    again = workspace_with(tmp_path / "other", {"doi": "10.1016/j.polymer.2004.01.001"})
    with pytest.raises(ServerError, match="429"):
        ask(again, library, waits)
    assert max(waits) == 60


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b"<html>no json</html>"),
        (200, {}, b"[" * 100_000),
        (200, {}, b"[]"),
        (200, {}, b'{"message": 5}'),
        (200, {}, b'"' + b"x" * 3_000_000 + b'"'),
        (302, {"Location": "http://127.0.0.1:1/"}, b""),
        (403, {}, b""),
    ],
)
def test_a_bad_answer_costs_one_paper(
    tmp_path: Path, library: Library, answer: tuple[int, dict[str, str], bytes]
) -> None:
    place = workspace_with(tmp_path, {"doi": "10.1016/a"}, {"doi": "10.1016/j.polymer.2004.01.001"})
    library.trouble = [answer]
    result = ask(place, library)
    assert [one["paper_id"] for one in result.papers] == ["paper-1"]
    assert "of no use" in result.leftovers[0]["reason"]
    assert len(list((place.root / "cache").iterdir())) == 1  # a bad answer is not kept


def test_an_endless_answer_ends(tmp_path: Path, library: Library) -> None:
    place = workspace_with(tmp_path, {"doi": "10.1016/j.polymer.2004.01.001"})
    library.drip, library.trouble = True, [(200, {}, b" " * 100_000)]
    service = Crossref(place.root / "cache", root=library.url, timeout_s=0.1, pause_s=0)
    start = time.monotonic()
    with open_session(place) as session:
        result = resolve_papers(session, service)
    assert time.monotonic() - start < 20
    assert "too long" in result.leftovers[0]["reason"]


def test_an_answer_about_another_paper_is_refused(tmp_path: Path, library: Library) -> None:
    place = workspace_with(tmp_path, {"doi": "10.1016/asked"})
    library.trouble = [(200, {}, json.dumps({"message": work("10.1016/other", TITLE)}).encode())]
    assert ask(place, library).papers == ()


def test_no_network_loses_nothing(tmp_path: Path, library: Library) -> None:
    place = workspace_with(tmp_path, {"doi": "10.1016/j.polymer.2004.01.001"})
    ask(place, library)
    with open_session(place) as session:
        before = session.catalogue.fingerprint()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        service = Crossref(place.root / "cache", root=url, pause_s=0, timeout_s=1, sleep=recorder([]))
        with open_session(place) as session, pytest.raises(ServerError, match="cannot be reached"):
            resolve_papers(session, service, again=True)
    with open_session(place) as session:
        assert session.catalogue.fingerprint() == before


def test_the_commands(tmp_path: Path, library: Library) -> None:
    place = workspace_with(
        tmp_path,
        {"doi": "10.1016/j.polymer.2004.01.001", "title": TITLE, "file_name": "doe.pdf"},
        {"title": "Supporting Information", "file_name": "doe_SI.pdf", "first_page_text": "Supporting Information"},
    ).root
    words = ("polydata", "papers", "resolve", "--server", library.url, "--mailto", "me@example.org")
    found = run_json(*words, workspace=place)
    assert [one["doi"] for one in found["papers"]] == ["10.1016/j.polymer.2004.01.001"]
    assert found["supplements"] == 1
    listed = run_json("polydata", "list", "papers", workspace=place)
    assert [(one["file"], one["supplement_of"]) for one in listed] == [("doe.pdf", None), ("doe_SI.pdf", "doe.pdf")]
    assert "doe_SI.pdf" in run("polydata", "list", "papers", workspace=place).stdout
    assert run(*words, "--again", workspace=place).stdout


def test_papers_that_stay_unresolved_are_listed_and_the_status_says_so(tmp_path: Path, library: Library) -> None:
    place = workspace_with(
        tmp_path, {"doi": "10.1016/j.polymer.2004.01.001", "title": TITLE}, {"file_name": "nameless.pdf"}
    ).root
    words = ("polydata", "papers", "resolve", "--server", library.url)
    said = run(*words, workspace=place, expect=3)
    assert "Not resolved: nameless.pdf: it has neither a DOI nor a title" in said.stderr
    assert "1 papers are not resolved" in said.stderr
    found = run_json(*words, workspace=place, expect=3)
    assert [one["file"] for one in found["leftovers"]] == ["nameless.pdf"]
    assert found["papers"] == []  # the other one was resolved before
    said = run("polydata", "papers", "resolve", "--server", "ftp://x", workspace=place, expect=2).stderr
    assert "no address of a server" in said


def test_addresses_are_checked(tmp_path: Path) -> None:
    place = Workspace.init(tmp_path)
    for mailto, root in (("no address", None), ("a@b\r\nX: y", None), (None, "file:///etc/passwd")):
        with pytest.raises(UsageError):
            crossref_server(place, mailto, root)


KEYS = ["DOI", "title", "container-title", "issued", "date-parts", "volume", "page", "author", "family"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("10.1016/a"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)


@given(JSON)
def test_no_answer_breaks_the_reader(item: object) -> None:
    found = read_item(item)
    assert found is None or (found.doi and found.text() is not None)


def test_the_fingerprint_covers_what_was_resolved(tmp_path: Path, library: Library) -> None:
    place = workspace_with(tmp_path, {"doi": "10.1016/j.polymer.2004.01.001"})
    with Catalogue.open(place.catalogue) as catalogue:
        before = catalogue.fingerprint()
    ask(place, library)
    with Catalogue.open(place.catalogue) as catalogue:
        assert catalogue.fingerprint() != before
