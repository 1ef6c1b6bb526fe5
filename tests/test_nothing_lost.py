"""Sequences of commands drawn at random, some of them killed: no word of a person is lost that no command takes back.

Papers are extracted once by the real method; the sequences then write them as extraction does, as another version of
the method that encodes pictures otherwise would, and as a PDF that was saved again. What a pull writes is written as by
a pull. POLYDATA_SEQUENCES says how many sequences of ten steps are drawn.
"""

from __future__ import annotations

import copy
import io
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from people_said import Said, Spot
from PIL import Image
from workspaces import extracted

from polydata.catalogue import annotations as stored
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.papers import load_paper
from polydata.catalogue.resolution import distinct_images
from polydata.catalogue.session import Session, open_session
from polydata.choices import Kind
from polydata.extraction import editing, workflow
from polydata.ids import paper_id, sha256_bytes
from polydata.labels import resolve
from polydata.papers.remove import plan_removal, remove
from polydata.records.join import link, unlink
from polydata.screening.workflow import screen
from polydata.types import Paper
from polydata.upkeep.backup import backup, restore
from polydata.upkeep.check import check
from polydata.upkeep.merge import merge
from polydata.workspace import Workspace

pytestmark = pytest.mark.slow
SEQUENCES = int(os.environ.get("POLYDATA_SEQUENCES", "6"))
WORDS = ("compatible", "incompatible", "partially_compatible", "mixes")
OLD, NEW = "mixes", "compatible"
PEOPLE = ("a@x.org", "b@x.org")
SERVER, MARK = "https://label.example.org", "0123456789ab"
RECORDS = ("record-0123456789", "record-9876543210")


class Killed(BaseException):
    """As if the process ended here."""


class People(RuleBasedStateMachine):
    """A workspace that people work in."""

    place: ClassVar[Path]

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=self.place))
        shutil.copytree(self.place / "empty", self.folder / "w")
        self.papers: list[Paper] = list(PAPERS)
        self.said, self.number = Said(), 0
        self.backups: list[tuple[Path, Said]] = []

    def teardown(self) -> None:
        shutil.rmtree(getattr(self, "folder", "nowhere"), ignore_errors=True)

    def session(self) -> Session:
        return open_session(Workspace.open(self.folder / "w"))

    def step(self, act: Callable[[Session], Any], then: Callable[[Said], Any], kill: int) -> None:
        """Do something; killed at its ``kill``-th statement it is done whole or not at all."""
        after = copy.deepcopy(self.said)
        then(after)
        run, left = Catalogue.run, [kill]

        def counted(catalogue: Catalogue, sql: str, parameters: Any = ()) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            run(catalogue, sql, parameters)

        try:
            Catalogue.run = counted  # type: ignore[method-assign]
            with self.session() as session:
                act(session)
        except Killed:
            Catalogue.run = run  # type: ignore[method-assign]
            with self.session() as session:
                assert self.faults(session, self.said) == [] or self.faults(session, after) == []
                self.said = after if self.faults(session, after) == [] else self.said
                assert {fault.what for fault in check(session, repair=True)} <= {"orphan"}  # images without a paper yet
        else:
            self.said = after
        finally:
            Catalogue.run = run  # type: ignore[method-assign]

    def panels(self, session: Session, paper: int) -> list[tuple[str, str]]:
        """Id and image of a paper's panels."""
        return session.catalogue.tuples(
            """SELECT panel_id, image_sha256 FROM panels JOIN figures USING (figure_id) WHERE paper_id = ?
               ORDER BY page, figures.y0, figures.x0, position""",
            [paper_id(self.papers[paper].sha256)],
        )

    def faults(self, session: Session, said: Said) -> list[str]:
        """What is not as people said it."""
        found, images = [], dict[Spot, str]()
        reviews = dict(session.catalogue.tuples("SELECT image_sha256, choice FROM reviews"))
        screened = dict(session.catalogue.tuples("SELECT image_sha256, decision FROM screening_corrections"))
        links = set(session.catalogue.tuples("SELECT record_id, panel_id FROM links WHERE method = 'manual'"))
        for paper in range(len(self.papers)):
            panels = self.panels(session, paper)
            if bool(panels) is not (paper in said.here):
                found.append(f"paper {paper} is {'there' if panels else 'gone'}")
            for number, (panel, image) in enumerate(panels):
                spot = (paper, number)
                images[spot] = image
                if reviews.get(image) != said.label(spot):
                    found.append(f"{spot}: {reviews.get(image)} instead of {said.label(spot)}")
                if screened.get(image) != said.screened.get(spot):
                    found.append(f"{spot}: screened {screened.get(image)} instead of {said.screened.get(spot)}")
                found += [
                    f"{record} is {'not ' if spot in spots else ''}linked to {spot}"
                    for record, spots in said.links.items()
                    if ((record, panel) in links) is not (spot in spots)
                ]
            if panels and paper in said.captions:
                figures = load_paper(session.catalogue, paper_id(self.papers[paper].sha256)).figures
                if said.captions[paper] not in [figure.caption for figure in figures]:
                    found.append(f"the caption of {paper} is lost")
        pairs = distinct_images(session.catalogue)
        found += [
            f"{a} and {b} are {'not ' if {a, b} in said.distinct else ''}two pictures"
            for a, b in combinations(images, 2)
            if ((images[a], images[b]) in pairs) is not ({a, b} in said.distinct)
        ]
        live = session.catalogue.value("SELECT count(*) FROM annotations WHERE NOT deleted AND server = ?", [SERVER])
        mine = sum(who in PEOPLE for answers in said.answers.values() for who in answers)
        return [*found, *([] if live == mine else [f"{live} answers instead of {mine}"])]

    @invariant()
    def nothing_is_lost(self) -> None:
        if hasattr(self, "said"):
            with self.session() as session:
                assert self.faults(session, self.said) == []
                assert check(session) == []

    kills = st.one_of(st.just(0), st.just(0), st.integers(1, 12))

    @rule(paper=st.integers(0, 1), other_bytes=st.booleans(), kill=kills)
    def extract(self, paper: int, other_bytes: bool, kill: int) -> None:
        def act(session: Session) -> None:
            read = stored_as(self.papers[paper], session, jpeg=other_bytes)
            with workflow.editor(session) as by:
                workflow._save(session.catalogue, by, [(self.place / "pdfs" / read.file_name, read)])

        self.step(act, lambda said: said.here.add(paper), kill)

    @rule(paper=st.integers(0, 1))
    def save_the_pdf_again(self, paper: int) -> None:
        """Its older reading is removed, as polydata remove paper --older does."""
        if paper not in self.said.here:
            return
        older = self.papers[paper]
        again = replace(older, sha256=sha256_bytes(older.sha256.encode()))
        with self.session() as session:
            with workflow.editor(session) as by:
                stored_as(again, session, jpeg=False)
                workflow._save(session.catalogue, by, [(self.place / "pdfs" / older.file_name, again)])
            take_out(session, older)
        self.papers[paper] = again
        self.backups = []  # they hold the older one

    @rule(paper=st.integers(0, 1), kill=kills)
    def remove(self, paper: int, kill: int) -> None:
        if paper in self.said.here:
            self.step(lambda session: take_out(session, self.papers[paper]), lambda s: s.here.discard(paper), kill)

    def _spot(self, session: Session, paper: int, number: int) -> tuple[Spot, str, str] | None:
        panels = self.panels(session, paper)
        if not panels:
            return None
        number %= len(panels)
        return (paper, number), *panels[number]

    spots: ClassVar[dict[str, st.SearchStrategy[int]]] = {"paper": st.integers(0, 1), "number": st.integers(0, 3)}

    @rule(**spots, who=st.sampled_from(PEOPLE), word=st.sampled_from(WORDS), kill=kills)
    def pull_an_answer(self, paper: int, number: int, who: str, word: str, kill: int) -> None:
        with self.session() as session:
            found = self._spot(session, paper, number)
            renamed = stored.renames(session.catalogue).get(word, word)
        if found is None:
            return
        spot, _, image = found
        before = self.said.answers.get(spot, {}).get(who)
        self.number += 1
        row = {
            "server": SERVER, "project": 1, "annotation_id": before[0] if before else self.number, "task": self.number,
            "image_sha256": image, "annotator": who, "choice": renamed, "comment": None, "cancelled": False,
            "deleted": False, "updated_at": f"2026-01-01 00:{self.number // 60 % 60:02}:{self.number % 60:02}",
            "raw": "{}", "role": "label", "mark": MARK,
        }  # fmt: skip

        def act(session: Session) -> None:
            with session.catalogue.transaction():
                stored.save_pull(session.catalogue, SERVER, 1, MARK, annotations=[row], deleted=[], pulled_to=None)
                resolve.follow(session.catalogue)

        answer = (int(row["annotation_id"]), renamed)  # type: ignore[call-overload]
        self.step(act, lambda said: said.answers.setdefault(spot, {}).update({who: answer}), kill)

    @rule(**spots, who=st.sampled_from(PEOPLE))
    def pull_a_deletion(self, paper: int, number: int, who: str) -> None:
        """The one thing that a pull takes away: what a person deleted on the server."""
        answer = self.said.answers.get((paper, number), {}).pop(who, None)
        if answer is not None:
            with self.session() as session, session.catalogue.transaction():
                stored.save_pull(
                    session.catalogue, SERVER, 1, MARK, annotations=[], deleted=[answer[0]], pulled_to=None
                )
                resolve.follow(session.catalogue)

    @rule(kill=kills)
    def rename(self, kill: int) -> None:
        def then(said: Said) -> None:
            new = {OLD: NEW}
            said.answers = {
                spot: {who: (n, new.get(word, word)) for who, (n, word) in answers.items()}
                for spot, answers in said.answers.items()
            }

        self.step(lambda session: resolve.rename(session, OLD, NEW, by="me"), then, kill)

    @rule(**spots, word=st.sampled_from(WORDS[:3]), kill=kills)
    def set_a_label(self, paper: int, number: int, word: str, kill: int) -> None:
        with self.session() as session:
            found = self._spot(session, paper, number)
        if found is not None:
            spot, _, image = found
            self.step(
                lambda session: resolve.set_label(session, image, word, reason="seen", by="me"),
                lambda said: said.decisions.append((spot, word)),
                kill,
            )

    @precondition(lambda self: hasattr(self, "said") and self.said.decisions)
    @rule(kill=kills)
    def undo_the_last(self, kill: int) -> None:
        self.step(lambda session: resolve.undo(session, by="me"), lambda said: said.decisions.pop(), kill)

    @rule(**spots, accept=st.booleans())
    def screen_by_hand(self, paper: int, number: int, accept: bool) -> None:
        with self.session() as session:
            found = self._spot(session, paper, number)
            if found is not None:
                screen(session, accept=[found[2]] if accept else (), reject=() if accept else [found[2]])
                self.said.screened[found[0]] = "accepted" if accept else "rejected"

    @rule(**spots, beside=st.tuples(st.integers(0, 1), st.integers(0, 3)), undo=st.booleans(), kill=kills)
    def tell_apart(self, paper: int, number: int, beside: Spot, undo: bool, kill: int) -> None:
        with self.session() as session:
            one, other = self._spot(session, paper, number), self._spot(session, *beside)
        if one is None or other is None or one == other:
            return
        pair = frozenset((one[0], other[0]))
        if not undo:
            act, then = resolve.set_distinct, lambda said: said.distinct.add(pair)
        elif pair in self.said.distinct:
            act, then = resolve.undo_distinct, lambda said: said.distinct.discard(pair)
        else:
            return
        self.step(lambda session: act(session, one[2], other[2]), then, kill)

    @rule(**spots, record=st.sampled_from(RECORDS), kill=kills)
    def link_a_record(self, paper: int, number: int, record: str, kill: int) -> None:
        with self.session() as session:
            found = self._spot(session, paper, number)
        if found is not None:
            spot, panel, _ = found
            then = lambda said: said.links.setdefault(record, set()).add(spot)  # noqa: E731
            self.step(lambda session: link(session, record, panel), then, kill)

    @rule(record=st.sampled_from(RECORDS))
    def unlink_a_record(self, record: str) -> None:
        if self.said.links.pop(record, None):
            with self.session() as session:
                unlink(session, record)

    @rule(paper=st.integers(0, 1), text=st.sampled_from(("What it shows.", "Another caption.")))
    def correct_a_caption(self, paper: int, text: str) -> None:
        if paper in self.said.here:
            with self.session() as session:
                figure = session.catalogue.value(
                    "SELECT figure_id FROM figures WHERE paper_id = ? ORDER BY page, y0, x0",
                    [paper_id(self.papers[paper].sha256)],
                )
                editing.edit(session, "figure", figure, editing.correction(caption=text, kind=Kind.MICROGRAPH))
            self.said.captions[paper] = text

    @rule()
    def back_up(self) -> None:
        with self.session() as session:
            self.backups.append((backup(session, images=True).file, copy.deepcopy(self.said)))

    @precondition(lambda self: getattr(self, "backups", None))
    @rule(data=st.data())
    def restore_a_backup(self, data: st.DataObject) -> None:
        file, said = data.draw(st.sampled_from(self.backups))
        restore(self.folder / "w", file)
        self.said = copy.deepcopy(said)

    @precondition(lambda self: hasattr(self, "said") and not self.said.merged)
    @rule(kill=kills)
    def merge_another(self, kill: int) -> None:
        """It has the first paper as it was read first, and an answer on its first panel."""
        if self.papers[0] is not PAPERS[0]:
            return

        def then(said: Said) -> None:
            said.here.add(0)
            said.answers.setdefault((0, 0), {})["c@x.org"] = (0, "incompatible")
            said.merged = True

        other = Workspace.open(self.place / "other")
        self.step(lambda session: merge(session, other), then, kill)


PAPERS: list[Paper] = []


def take_out(session: Session, paper: Paper) -> None:
    remove(session, plan_removal(session, [paper_id(paper.sha256)]))


def stored_as(paper: Paper, session: Session, *, jpeg: bool) -> Paper:
    """The paper with its pictures in the store, as they are or as a version of the method would keep them as JPEG."""

    def other(sha256: str) -> Any:
        data = (People.place / "images" / sha256).read_bytes()
        if not jpeg:
            return session.images.put(data)
        with Image.open(io.BytesIO(data)) as picture:
            out = io.BytesIO()
            picture.convert("L").save(out, "JPEG", quality=85)
        return session.images.put(out.getvalue())

    return replace(
        paper,
        figures=tuple(
            replace(f, panels=tuple(replace(p, image=other(p.image.sha256)) for p in f.panels)) for f in paper.figures
        ),
    )


def test_no_word_of_a_person_is_lost(tmp_path: Path) -> None:
    extracted(tmp_path / "all", ["below", "above"], tmp_path / "pdfs")
    (tmp_path / "images").mkdir()
    PAPERS.clear()
    with open_session(tmp_path / "all") as session:
        for identifier in session.catalogue.column("SELECT paper_id FROM papers ORDER BY file_name"):
            PAPERS.append(load_paper(session.catalogue, identifier))
        for sha256, form in session.catalogue.tuples("SELECT sha256, format FROM images"):
            (tmp_path / "images" / sha256).write_bytes(session.images.read(sha256, form))
        session.catalogue.upsert("records", [{"record_id": r, "source": "s", "raw": "{}"} for r in RECORDS])
    shutil.copytree(tmp_path / "all", tmp_path / "empty")
    with open_session(tmp_path / "empty") as session:
        remove(session, plan_removal(session, session.catalogue.column("SELECT paper_id FROM papers")))
    shutil.copytree(tmp_path / "all", tmp_path / "other")
    with open_session(tmp_path / "other") as session:
        take_out(session, PAPERS[1])
        session.catalogue.run("DELETE FROM records")
        image = PAPERS[0].figures[0].panels[0].image.sha256
        row = {"server": "https://other.example.org", "project": 7, "annotation_id": 7, "task": 7, "role": "label"}
        row |= {"image_sha256": image, "annotator": "c@x.org", "choice": "incompatible", "cancelled": False}
        row |= {"deleted": False, "updated_at": "2025-01-01 00:00:00", "raw": "{}"}
        session.catalogue.upsert("annotations", [row])
    People.place = tmp_path
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        People,
        settings=settings(
            max_examples=SEQUENCES, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
