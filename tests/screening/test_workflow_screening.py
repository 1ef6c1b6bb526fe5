"""Screening a workspace: threshold, decisions by hand, and who reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from screen_scene import Scene, make_scene

from polydata.catalogue.annotations import images_to_review
from polydata.catalogue.described import panel_exports
from polydata.catalogue.screenings import final_decisions, list_screenings
from polydata.catalogue.trace import funnel
from polydata.errors import InputError, UsageError
from polydata.labels.push import select_images
from polydata.screening.workflow import screen


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return make_scene(tmp_path / "w")


def decide(scene: Scene, **choices: object) -> dict[str, int]:
    """Screen with these choices; counts, and how many images changed side."""
    with scene.session() as session:
        result = screen(session, "micrograph", **choices)  # type: ignore[arg-type]
        return {**result.counts, "changed": result.changed, "screened": result.screened}


def accepted(scene: Scene) -> list[int]:
    with scene.session() as session:
        found = final_decisions(session.catalogue)
        return [n for n, sha256 in enumerate(scene.images) if found.get(sha256) == "accepted"]


def test_the_rule_alone(scene: Scene) -> None:
    counts = decide(scene)
    assert accepted(scene) == [0, 1, 2]
    assert (counts["screened"], counts["changed"], counts["decided by hand"]) == (5, 0, 0)
    assert decide(scene)["screened"] == 0


def test_a_threshold_is_kept_and_says_what_it_changed(scene: Scene) -> None:
    decide(scene)
    with scene.session() as session:
        scores = {row["image_sha256"]: row["score"] for row in list_screenings(session.catalogue)}
    low = max(scores[scene.images[3]], 0.001)
    assert decide(scene, threshold=low)["changed"] == sum(scores[scene.images[n]] >= low for n in (3, 4))
    assert 3 in accepted(scene)
    assert decide(scene)["changed"] == 0  # again without the option
    assert 3 in accepted(scene)
    assert decide(scene, threshold=0.5)["rejected"] == 2
    with scene.session() as session:
        again = screen(session, "micrograph", again=True)
    assert (again.screened, again.changed, again.threshold) == (5, 0, 0.5)


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.1, float("nan")])
def test_a_threshold_without_meaning_is_refused(scene: Scene, threshold: float) -> None:
    with pytest.raises(UsageError, match="above 0 and at most 1"):
        decide(scene, threshold=threshold)


def test_a_decision_by_hand_wins_until_it_is_taken_back(scene: Scene) -> None:
    decide(scene)
    counts = decide(scene, accept=[scene.images[3][:12]], reject=[scene.panel(0)])
    assert (counts["decided by hand"], counts["changed"]) == (2, 2)
    for choices in ({}, {"threshold": 0.99}, {"threshold": 0.01}):
        decide(scene, **choices)
        assert 3 in accepted(scene)
        assert 0 not in accepted(scene)
    decide(scene, threshold=0.5)
    assert decide(scene, undo=[scene.images[3], scene.panel(0)])["changed"] == 2
    assert accepted(scene) == [0, 1, 2]


def test_a_decision_by_hand_needs_no_rule_before(scene: Scene) -> None:
    store = scene.workspace.store
    for path in store.rglob(f"{scene.images[4]}*"):
        path.unlink()
    counts = decide(scene, accept=[scene.panel(4)])
    assert (counts["accepted"], counts["screened"]) == (4, 4)  # the lost image was never screened


def test_ids_that_name_no_single_image_are_refused_and_nothing_is_written(scene: Scene) -> None:
    decide(scene)
    for choices, error, words in (
        ({"accept": ["panel-"]}, InputError, "too short"),
        ({"accept": ["panel-999999"]}, InputError, "No image or panel"),
        ({"accept": ["panel-000000"]}, InputError, "Several images"),
        ({"accept": [scene.images[0]], "reject": [scene.panel(0)]}, UsageError, "two different"),
        ({"accept": [scene.panel(3), "panel-999999"]}, InputError, "No image"),
    ):
        with pytest.raises(error, match=words):
            decide(scene, **choices)
    assert decide(scene)["decided by hand"] == 0


def test_everyone_reads_the_final_decision(scene: Scene) -> None:
    decide(scene, reject=[scene.panel(0)], accept=[scene.panel(3)])
    with scene.session() as session:
        pushed = {row["image_sha256"] for row in select_images(images_to_review(session.catalogue), "accepted", None)}
        exported = {row["image_sha256"] for row in panel_exports(session.catalogue) if row["screening"] == "accepted"}
        counts = {row["step"]: row["count"] for row in funnel(session)}
        before = session.catalogue.fingerprint()
    assert pushed == exported == {scene.images[n] for n in (1, 2, 3)}
    assert (counts["screened"], counts["accepted"]) == (5, 3)
    decide(scene, undo=[scene.panel(0)])
    with scene.session() as session:
        assert session.catalogue.fingerprint() != before


def test_the_caption_goes_before_the_pixels(scene: Scene) -> None:
    decide(scene)
    with scene.session() as session:
        rows = {row["image_sha256"]: row for row in list_screenings(session.catalogue)}
        assert rows[scene.images[0]]["technique_by_caption"] == "TEM"
        assert rows[scene.images[1]]["technique_by_caption"] is None
        session.catalogue.run("UPDATE screenings SET technique = 'SEM'")
        techniques = session.catalogue.tuples(
            "SELECT by_caption, by_image, technique FROM panel_techniques ORDER BY panel_id"
        )
    assert techniques[:2] == [("TEM", "SEM", "TEM"), (None, "SEM", "SEM")]


def test_borderline_images_are_near_the_threshold_and_undecided(scene: Scene) -> None:
    decide(scene)
    with scene.session() as session:
        session.catalogue.run("UPDATE screenings SET score = 0.98")
        for number, score in ((0, 0.4), (1, 0.6), (2, 0.1)):
            session.catalogue.run(
                "UPDATE screenings SET score = ? WHERE image_sha256 = ?", [score, scene.images[number]]
            )
        near = [row["image_sha256"] for row in list_screenings(session.catalogue, borderline=True)]
    assert sorted(near) == sorted(scene.images[:2])
    assert decide(scene, accept=[scene.images[0]])["borderline"] == 1


def test_workers_screen_as_one_process_does(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    decide(scene)
    with scene.session() as session:
        before = list_screenings(session.catalogue)
        (scene.workspace.root / "store").rglob(f"{scene.images[4]}.*").__next__().unlink()
        monkeypatch.setattr("polydata.images.several.FEW", 0)
        result = screen(session, again=True, workers=2)
        assert (result.screened, result.changed) == (4, 0) and scene.images[4] in result.failures[0]
        assert list_screenings(session.catalogue) == before
