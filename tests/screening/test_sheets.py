"""Contact sheets: what stands on them, that they need nothing else, and that no text gets out of its place."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import chromium
from commands import run
from PIL import Image
from screen_scene import HOSTILE, Scene, make_scene
from selenium.webdriver.common.by import By

from polydata.catalogue.screenings import shown_screenings
from polydata.errors import InputError, RefusedError, UsageError
from polydata.images.html import TICKS, small_jpeg, template
from polydata.images.picture import open_picture
from polydata.screening import sheets as contactsheets
from polydata.screening.sheets import SIDE, write_sheets
from polydata.screening.workflow import screen


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = make_scene(tmp_path / "w")
    with made.session() as session:
        screen(session, "micrograph", reject=[made.panel(0)])
    return made


def draw(scene: Scene, folder: Path) -> contactsheets.Sheets:
    with scene.session() as session:
        return write_sheets(session, folder)


class Page(HTMLParser):
    """Tags of a page, its pictures and its links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""
        self.found: dict[str, list[str]] = {"src": [], "href": [], "id": []}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), name
            if name in self.found:
                self.found[name].append(value or "")

    def handle_data(self, data: str) -> None:
        self.words += data


def test_every_image_stands_on_a_sheet_once(scene: Scene, tmp_path: Path) -> None:
    result = draw(scene, tmp_path / "sheets")
    pages = {p.name: Page(p.read_text(encoding="utf-8")) for p in result.index.parent.glob("*.html")}
    assert sorted(i for page in pages.values() for i in page.found["id"] if i != "ticked") == [
        scene.panel(n) for n in range(5)
    ]
    assert len(pages) == result.pages + 1
    for page in pages.values():
        assert all(src.startswith("data:image/jpeg;base64,") for src in page.found["src"])
        for href in page.found["href"]:
            assert href in pages or re.fullmatch(r"file:///.*/a%20b\.pdf#page=\d", href), href
    assert "rejected by hand" in "".join(p.words for p in pages.values())


def test_the_index_shows_each_page_and_counts_as_the_screening_does(scene: Scene, tmp_path: Path) -> None:
    with scene.session() as session:
        session.catalogue.run("UPDATE screenings SET score = 0.6 WHERE image_sha256 = ?", [scene.images[1]])
        counts = screen(session).counts
    result = draw(scene, tmp_path / "sheets")
    assert result.counts == counts == {"accepted": 2, "rejected": 3, "decided by hand": 1, "borderline": 1}
    text = result.index.read_text(encoding="utf-8")
    index = Page(text)
    assert len(index.found["src"]) == text.count('loading="lazy"') == 5
    assert index.found["href"][1:] == [f"{name}-1.html" for name in contactsheets.SECTIONS] * 2
    assert "borderline-1 · 1 image accepted-1 · 1 image rejected-1 · 3 images" in " ".join(index.words.split())
    assert len(text) < len((tmp_path / "sheets/rejected-1.html").read_text(encoding="utf-8"))


def test_texts_stay_texts(scene: Scene, tmp_path: Path) -> None:
    result = draw(scene, tmp_path / "sheets")
    texts = [p.read_text(encoding="utf-8") for p in result.index.parent.iterdir()]
    pages = [Page(text) for text in texts]
    assert not any("<i>a</i>" in text or HOSTILE in text for text in texts)
    assert {"i", "iframe", "link"}.isdisjoint(tag for page in pages for tag in page.tags)
    script = template(TICKS).render()
    assert all(page.tags.count("script") == text.count(script) <= 1 for page, text in zip(pages, texts, strict=True))
    assert any(HOSTILE in page.words for page in pages)


@pytest.mark.browser
def test_ticks_gather_into_one_command(scene: Scene, tmp_path: Path) -> None:
    result = draw(scene, tmp_path / "sheets")
    (page,) = result.index.parent.glob("rejected-1.html")
    with scene.session() as session:
        rows = shown_screenings(session.catalogue)
    rejected = [row["panel_id"] for row in rows if row["decision"] == "rejected" and not row["borderline"]]
    assert scene.panel(0) in rejected and len(rejected) > 1
    other = next(panel for panel in rejected if panel != scene.panel(0))
    with chromium() as browser:
        browser.get(page.as_uri())
        made = browser.find_element(By.ID, "ticked")
        assert made.get_property("value") == ""
        assert not browser.find_elements(By.CSS_SELECTOR, f'input[value="--undo {other}"]')
        for asked in (f"--accept {other}", f"--reject {other}", f"--accept {other}", f"--undo {scene.panel(0)}"):
            browser.find_element(By.CSS_SELECTOR, f'input[value="{asked}"]').click()
        command = str(made.get_property("value"))
    assert command.startswith("polydata screen --") and len(command.split()) == 6
    run(*command.split(), workspace=scene.workspace.root)
    with scene.session() as session:
        decided = {row["panel_id"]: (row["by"], row["decision"]) for row in shown_screenings(session.catalogue)}
    assert decided[other] == ("hand", "accepted") and decided[scene.panel(0)][0] != "hand"


def test_long_sets_go_on_and_old_pages_go(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "sheets"
    monkeypatch.setattr(contactsheets, "PER_PAGE", 1)
    assert draw(scene, folder).pages == 5
    monkeypatch.undo()
    (folder / "keep").mkdir()
    mine = folder / "accepted-77.html"
    mine.write_text("notes")
    short = draw(scene, folder)
    assert len(list(folder.glob("*.html"))) == short.pages + 2
    assert (folder / "keep").is_dir()
    assert mine.read_text() == "notes"


def test_a_page_of_others_in_the_folder_is_refused(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(scene, tmp_path / "sheets")
    mine = tmp_path / "sheets/rejected-2.html"
    mine.write_text("notes")
    monkeypatch.setattr(contactsheets, "PER_PAGE", 1)
    with pytest.raises(RefusedError, match=r"rejected-2\.html"):
        draw(scene, tmp_path / "sheets")
    assert mine.read_text() == "notes"


def test_a_lost_image_is_named_and_leaves_its_place(scene: Scene, tmp_path: Path) -> None:
    for path in scene.workspace.store.rglob(f"{scene.images[1]}*"):
        path.unlink()
    result = draw(scene, tmp_path / "sheets")
    assert len(result.failures) == 1
    assert sum(p.read_text().count("cannot be opened") for p in result.index.parent.iterdir()) == 1


def test_nothing_screened_and_no_place(tmp_path: Path, scene: Scene) -> None:
    empty = make_scene(tmp_path / "other")
    with pytest.raises(UsageError, match="nothing to show"):
        draw(empty, tmp_path / "sheets")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        draw(scene, tmp_path / "file" / "sheets")


@pytest.mark.parametrize("size", [(2000, 1500), (10, 10), (5000, 3), (3, 5000), (1, 1)])
def test_thumbnails_are_small_and_never_empty(size: tuple[int, int]) -> None:
    small = open_picture(small_jpeg(Image.new("RGB", size, "gray"), SIDE))
    assert 1 <= min(small.size) <= max(small.size) <= SIDE
