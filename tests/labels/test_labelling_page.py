"""The labelling page as a reviewer sees it, in a real browser on a real server."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import Reviewer, reviewer, screenshot
from label_studio_server import LabelStudioServer
from review_scene import Api, add_images, make_workspace
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from polydata.catalogue.session import open_session
from polydata.files.predictions import Prediction, Predictions
from polydata.labels.projects import Target
from polydata.labels.pull import pull
from polydata.labels.push import push
from polydata.task import Task

pytestmark = [pytest.mark.labelstudio, pytest.mark.browser, pytest.mark.realdata, pytest.mark.slow]
TASK = Task.load()
WIDE, HIGH = "100_page5_image2_0.png", "239_page5_image5_0.png"
BAR = {"version": 1, "value": 5.0, "unit": "µm", "value_um": 5.0, "length_px": 82.0, "confidence": 0.9,
       "x0": 10.0, "x1": 92.0, "y": 5.0}  # fmt: skip


def bar_fits(who: Reviewer) -> bool:
    """Whether the drawn bar is as long as that of the image, as both are shown now: a page is laid out in steps."""
    natural, _, shown = who.image() or (1.0, 1.0, 0.0)
    drawn = float(who.driver.find_element(By.CSS_SELECTOR, "[style*='border-top']").rect["width"])
    return drawn == pytest.approx(BAR["length_px"] * shown / natural, rel=0.02)


def submit(who: Reviewer, api: Api, title: str, count: int) -> None:
    who.press(Keys.CONTROL, Keys.ENTER)
    tasks = api.project(title)
    who.until(lambda: api.call("GET", f"/api/projects/{tasks}")["total_annotations_number"] == count, "the annotation")


def test_a_reviewer_answers_in_the_browser(
    shared_data: Path, label_studio: LabelStudioServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYDATA_LABEL_STUDIO_TOKEN", label_studio.token)
    title, api = "in the browser", Api(label_studio)
    workspace = make_workspace(
        label_studio.document_root / "browser", label_studio.url, title, document_root=str(label_studio.document_root)
    )
    files = [shared_data / "nims/images" / name for name in (WIDE, HIGH)]
    first, second = images = add_images(workspace, [f.read_bytes() for f in files])
    with open_session(workspace) as session:
        session.catalogue.upsert("scale_readings", [BAR | {"image_sha256": image.sha256} for image in images])
        push(session)
        with reviewer(label_studio) as who:
            assert who.open_next_task(api.project(title))[0] == first.width
            screenshot(who, tmp_path / "page.png")
            words = who.text()
            assert TASK.question in words
            assert "partially compatible" in words and "_compatible" not in words
            assert "regions" not in words  # the server's panels for what this page has not
            assert "blend <b>0</b>" in words  # the caption as it is, not as markup
            assert "PLA; PBAT" in words
            assert "5 µm" in words
            who.until(lambda: bar_fits(who), "a bar as long as that of the image")
            assert who.cut_off() < 1
            assert who.chosen() == 0  # nothing leads the reviewer
            who.press("2")
            who.until(lambda: who.chosen() == 1, "the choice")
            submit(who, api, title, 1)
            assert pull(session).new == 1
            assert session.catalogue.tuples("SELECT image_sha256, choice FROM annotations") == [
                (first.sha256, TASK.labels[1])
            ]

            # What a model says is chosen already where that was wanted; the reviewer only submits.
            said = Predictions("model", {second.sha256: Prediction(TASK.labels[2], (0.1, 0.2, 0.7))})
            assert push(session, predictions=said).predicted == 1
            who.open_next_task(api.project(title))
            who.until(lambda: bar_fits(who), "a bar as long as that of the image")
            assert who.cut_off() < 1
            who.until(lambda: who.chosen() == 1, "the prediction")
            screenshot(who, tmp_path / "prediction.png")
            submit(who, api, title, 2)
            assert pull(session).new == 1
            choice = session.catalogue.value("SELECT choice FROM annotations WHERE image_sha256 = ?", [second.sha256])
            assert choice == TASK.labels[2]

            session.catalogue.run(
                "INSERT INTO split_images SELECT 'v1', 1, 'test', sha256, 'compatible', sha256 FROM images"
            )
            blind = push(session, "all", target=Target("blind page", "blind", "v1"))
            who.open_next_task(blind.project.id)
            screenshot(who, tmp_path / "blind.png")
            assert TASK.question in who.text()
            assert not any(word in who.text() for word in ("<b>", "PLA; PBAT", "one.pdf", "This panel", "5 µm"))
