"""What is worked out of a part of the catalogue is what all of it would give."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polydata.catalogue import by_hand
from polydata.catalogue.annotations import images_to_review, review_texts
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.papers import Reading, move_papers, save_paper, save_papers
from polydata.catalogue.remove import remove_papers
from polydata.catalogue.successors import SPOKEN_OF, adopt, note_successors
from polydata.ids import sha256_bytes
from polydata.images.hashes import NEAR
from polydata.types import Box, Figure, ImageInfo, Panel, Paper, PaperMeta

MANY = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = st.sampled_from("abcdefgh")
LOOKS = {"a": 0, "b": 1, "c": 3, "d": 7, "e": 2**40, "f": 2**40 + 1, "g": 2**60, "h": 15}
PICTURES = [(name, f"{number:016x}") for name, number in LOOKS.items()]
PANELS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(PICTURES)), max_size=4, unique_by=lambda one: one[0])
"""Where the panels of a paper stand, and their pictures."""


def paper(number: int, panels: Sequence[tuple[int, tuple[str, str]]], shift: int = 0) -> Paper:
    parts = tuple(
        Panel(Box(100 * place + shift, 0, 100 * place + 90, 90), "ab"[place % 2], None, None, image)
        for place, (name, phash) in panels
        for image in [ImageInfo(sha256_bytes(name.encode()), phash, 90, 90, "PNG", "L", False, 1)]
    )
    figure = Figure(1, Box(0, 0, 400, 90), "Figure 1", "words", None, "m", 1.0, 300, parts)
    return Paper(sha256_bytes(bytes([number])), f"{number}.pdf", 1, PaperMeta(), (figure,) if parts else (), ())


def speak(catalogue: Catalogue, name: str, number: int) -> None:
    row = {"server": "s", "project": 1, "annotation_id": number, "task": 1, "image_sha256": sha256_bytes(name.encode())}
    row |= {"annotator": "one", "choice": "x", "cancelled": False, "updated_at": "2026-01-01", "raw": "{}"}
    catalogue.upsert("annotations", [row])


def snapshot(catalogue: Catalogue, *tables: str) -> list[Any]:
    return [catalogue.tuples(f"FROM {table} ORDER BY ALL") for table in tables]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(0, 2), PANELS, st.integers(0, 30)),
        st.tuples(st.just("remove"), st.integers(0, 2)),
        st.tuples(st.just("speak"), NAMES),
        st.tuples(st.just("link"), st.integers(0, 3), st.integers(0, 5)),
        st.tuples(st.just("unlink"), st.integers(0, 3)),
    ),
    max_size=6,
)


def take(catalogue: Catalogue, number: int, step: tuple[Any, ...]) -> str | None:
    """Do one step; the id of a paper that was read."""
    match step:
        case "read", which, panels, shift:
            made = paper(which, panels, shift)
            save_paper(catalogue, made, Path("/p"), "1")
            return str(catalogue.value("SELECT paper_id FROM papers WHERE sha256 = ?", [made.sha256]))
        case "remove", which:
            sql = "SELECT paper_id FROM papers WHERE file_name = ?"
            remove_papers(catalogue, catalogue.column(sql, [f"{which}.pdf"]))
        case "speak", name:
            speak(catalogue, name, number)
        case "link", record, place:
            panels = catalogue.column("SELECT panel_id FROM panels ORDER BY ALL") or ["panel-none"]
            link = by_hand.ManualLink(f"record-{record}", "panel", panels[place % len(panels)])
            with catalogue.transaction():
                by_hand.add_manual_links(catalogue, [link])
        case "unlink", record:
            with catalogue.transaction():
                by_hand.remove_manual_links(catalogue, f"record-{record}")
    return None


PHASH = {sha256_bytes(name.encode()): int(value, 16) for name, value in PICTURES}


def adoptable(catalogue: Catalogue, images: Sequence[str]) -> list[str]:
    """Lost images like which exactly one of these looks: known ones of which people said something, that no panel
    shows, nor a picture in their place."""
    lost = catalogue.column(
        f"""SELECT image_sha256 FROM {SPOKEN_OF} WHERE image_sha256 NOT IN (SELECT image_sha256 FROM panels)
            AND image_sha256 NOT IN (SELECT image_sha256 FROM image_successors
                                     WHERE successor IN (SELECT image_sha256 FROM panels))
            AND image_sha256 IN (SELECT sha256 FROM images UNION SELECT image_sha256 FROM seen_images)"""
    )
    return [old for old in lost if sum((PHASH[old] ^ PHASH[new]).bit_count() <= NEAR for new in images) == 1]


@MANY
@given(STEPS)
def test_links_and_adoptions_are_those_of_the_whole_catalogue(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]]
) -> None:
    with Catalogue.open(tmp_path_factory.mktemp("steps") / "c.duckdb") as catalogue:
        catalogue.upsert("records", [{"record_id": f"record-{n}", "source": "t", "raw": "{}"} for n in range(3)])
        for number, step in enumerate(steps):
            read = take(catalogue, number, step)
            tables = ("manual_links", "links", "figure_links")
            before = snapshot(catalogue, *tables)
            by_hand.settle_manual_links(catalogue)
            assert snapshot(catalogue, *tables) == before
            linked = catalogue.tuples("SELECT record_id, panel_id FROM links ORDER BY ALL")
            assert linked == catalogue.tuples(
                """SELECT record_id, panel_id FROM manual_links JOIN panels ON panel_id = target_id
                   JOIN records USING (record_id) ORDER BY ALL"""
            )
            if read is not None:
                sql = "SELECT DISTINCT image_sha256 FROM panels JOIN figures USING (figure_id) WHERE paper_id = ?"
                assert not adoptable(catalogue, catalogue.column(sql, [read]))
        with catalogue.transaction():
            adopt(catalogue)
        assert not adoptable(catalogue, catalogue.column("SELECT DISTINCT image_sha256 FROM panels"))


OWN = [[(f"{name}{n}", f"{number ^ mask:016x}") for name, number in LOOKS.items()] for n, mask in
       enumerate((0, 0x5555555555555555, 0x3333333333333333))]  # fmt: skip
"""Pictures of three papers, none of which looks like one of another."""
SPOKEN = st.lists(st.tuples(st.integers(0, 2), NAMES), max_size=4)


@MANY
@given(*(2 * [st.lists(st.tuples(PANELS, st.integers(0, 30)), min_size=3, max_size=3)]), SPOKEN, SPOKEN)
def test_papers_written_together_are_what_one_after_the_other_gives(
    tmp_path_factory: pytest.TempPathFactory,
    first: list[Any],
    second: list[Any],
    spoken: list[tuple[int, str]],
    linked: list[tuple[int, str]],
) -> None:
    def readings(drawn: list[Any]) -> list[Reading]:
        names = dict(zip(PICTURES, range(len(PICTURES)), strict=True))
        of = [[(place, OWN[n][names[picture]]) for place, picture in panels] for n, (panels, _) in enumerate(drawn)]
        return [Reading(paper(n, of[n], shift), Path(f"/{n}")) for n, (_, shift) in enumerate(drawn)]

    found = []
    for together in (True, False):
        with Catalogue.open(tmp_path_factory.mktemp("papers") / "c.duckdb") as catalogue:
            save_papers(catalogue, readings(first), "1")
            catalogue.upsert("records", [{"record_id": f"record-{n}", "source": "t", "raw": "{}"} for n in range(4)])
            for number, (n, name) in enumerate(spoken):
                speak(catalogue, f"{name}{n}", number)
                row = {"image_sha256": sha256_bytes(f"{name}{n}".encode()), "decision": "rejected"}
                catalogue.upsert("screening_corrections", [row])
            panels = catalogue.column("SELECT panel_id FROM panels ORDER BY 1")
            with catalogue.transaction():
                for number, (n, name) in enumerate(linked if panels else ()):
                    panel = panels[(8 * n + ord(name)) % len(panels)]
                    by_hand.add_manual_links(catalogue, [by_hand.ManualLink(f"record-{number}", "panel", panel)])
            again = readings(second)
            for some in [again] if together else [[one] for one in again]:
                save_papers(catalogue, some, "2")
            found.append(snapshot(catalogue, "papers", "figures", "panels", "images", "manual_links", "links",
                                  "image_successors", "screening_corrections"))  # fmt: skip
    assert found[0] == found[1]


PAIRS = st.dictionaries(NAMES, NAMES, max_size=5)


@MANY
@given(PANELS, PAIRS, PAIRS, st.booleans(), st.dictionaries(NAMES, st.sampled_from(["accepted", "rejected"])))
def test_successors_are_those_of_one_after_the_other(
    tmp_path_factory: pytest.TempPathFactory,
    panels: list[Any],
    known: dict[str, str],
    new: dict[str, str],
    shown: bool,
    decided: dict[str, str],
) -> None:
    tables, of = ("image_successors", "screening_corrections"), {n: sha256_bytes(n.encode()) for n in "abcdefgh"}
    images = {of[old]: of[to] for old, to in new.items()}
    with Catalogue.open(tmp_path_factory.mktemp("pairs") / "c.duckdb") as catalogue:
        save_paper(catalogue, paper(0, panels), Path("/p"), "1")
        catalogue.upsert(tables[0], [{"image_sha256": of[a], "successor": of[b]} for a, b in known.items()])
        catalogue.upsert(tables[1], [{"image_sha256": of[a], "decision": word} for a, word in decided.items()])
        catalogue.run("BEGIN")
        note_successors(catalogue, images, of.values(), shown=shown)
        found = snapshot(catalogue, *tables)
        catalogue.run("ROLLBACK")
        there = "IN (SELECT image_sha256 FROM panels)"
        for old, to in images.items():
            catalogue.run(
                f"INSERT OR REPLACE INTO image_successors SELECT $1, $2 WHERE $1 <> $2 AND ($3 OR $1 NOT {there})",
                [old, to, shown],
            )
            catalogue.run(
                f"""UPDATE image_successors SET successor = $2
                    WHERE successor = $1 AND image_sha256 <> $2 AND $1 NOT {there}""",
                [old, to],
            )
            catalogue.run(
                """INSERT OR IGNORE INTO screening_corrections
                   SELECT $2, decision FROM screening_corrections WHERE image_sha256 = $1""",
                [old, to],
            )
            catalogue.run(f"DELETE FROM screening_corrections WHERE image_sha256 = $1 AND $1 NOT {there}", [old])
        catalogue.run(f"DELETE FROM image_successors WHERE image_sha256 {there} AND successor NOT {there}")
        assert snapshot(catalogue, *tables) == found


@MANY
@given(st.lists(PANELS, max_size=3))
def test_reviewers_see_the_first_place_of_an_image(
    tmp_path_factory: pytest.TempPathFactory, papers: list[list[Any]]
) -> None:
    with Catalogue.open(tmp_path_factory.mktemp("review") / "c.duckdb") as catalogue:
        for number, panels in enumerate(papers):
            save_paper(catalogue, paper(number, panels), Path("/p"), "1")
        rows = catalogue.tuples(
            """SELECT image_sha256, papers.file_name, panels.label FROM panels JOIN figures USING (figure_id)
               JOIN papers USING (paper_id) ORDER BY file_name, paper_id, page, figure_id, position, panel_id"""
        )
        first = {image: (name, label) for image, name, label in reversed(rows)}
        order = list(dict.fromkeys(image for image, _, _ in rows))
        assert [row["image_sha256"] for row in images_to_review(catalogue)] == order
        texts = review_texts(catalogue, order)
        assert {image: (row["paper"], row["panel"]) for image, row in texts.items()} == first
        places = {image: [one for one, _, _ in rows].count(image) for image in order}
        assert {image: row["places"] for image, row in texts.items()} == places


def test_paths_are_noted_for_all_files_at_once(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path / "c.duckdb") as catalogue:
        for number in range(3):
            save_paper(catalogue, paper(number, []), Path(f"/old/{number}"), "1")
        catalogue.upsert("failures", [{"path": f"/{n}", "reason": "broken", "detail": ""} for n in (1, 2)])
        move_papers(catalogue, {paper(n, []).sha256: Path(f"/{n}") for n in (0, 1)})
        paths = catalogue.column("SELECT path FROM papers ORDER BY file_name")
        assert paths == ["/0", "/1", "/old/2"]
        assert catalogue.column("SELECT path FROM failures") == ["/2"]
        move_papers(catalogue, {})
