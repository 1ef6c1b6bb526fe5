"""Writes docs/images/*.png: pages that the programs make of a generated corpus, as a browser shows them.

    pictures.py [FOLDER] [--only NAME ...]

FOLDER has a workspace ``blends`` as at the end of the tutorial; without it one is made, which takes minutes. Needs
Chromium, which opens no window, and for the pages on which people answer the Label Studio of ``polydata label serve``,
which it installs where it is missing.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notebook import BIN, made_workspace
from PIL import Image

IMAGES = Path(__file__).parent / "images"
COLOURS = 48
LOADED = """return document.images.length > 0 && [...document.images]
            .every(i => i.getBoundingClientRect().top > innerHeight || (i.complete && i.naturalWidth > 0))"""
"""Asked of a page: whether all that it shows is there."""
SHOWN = "return [...document.images].some(i => i.complete && i.naturalWidth && i.getBoundingClientRect().width > 100)"
"""Asked of a page with a task: whether its image is there."""
GUIDE = "Labeling Instructions"
"""Said above the guide, with which the page opens."""
CARD = """<meta charset="utf-8"><style>body {{ font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto }}
table {{ border-collapse: collapse }} td, th {{ border: 1px solid #ccc; padding: .2em .6em }} img {{ max-width: 100% }}
</style>{}"""


@dataclass(frozen=True)
class Page:
    """A page to show.

    Attributes:
        command: makes it.
        path: of it in the workspace.
        width, height: pixels that are shown.
    """

    command: str
    path: str
    width: int
    height: int


PAGES = {
    "sheet": Page("polydata sheets", "exports/sheets/accepted-1.html", 972, 700),
    "candidates": Page("polydata list candidates --html candidates.html", "candidates.html", 1200, 690),
    "gallery": Page("polydata gallery v1", "exports/gallery-v1/index.html", 1200, 690),
    "report": Page("polymodel report first", "exports/first-report.html", 1200, 1000),
    "card": Page("polydata card v1", "exports/v1-card.md", 1040, 840),
}


@dataclass(frozen=True)
class AnswerPage:
    """A page of a Label Studio on which people answer.

    Attributes:
        commands: make its task.
        project: ends its project's name.
        width, height: pixels of the window.
        keys: that are pressed on it.
    """

    commands: tuple[str, ...]
    project: str
    width: int = 1060
    height: int = 600
    keys: str = ""


ANSWERED = {
    "label": AnswerPage(("polydata label push --limit 3",), ""),
    "boxes": AnswerPage(("polydata label push --task boxes --limit 3",), "boxes"),
    "quality": AnswerPage(
        ("polydata quality draw --again", "polydata label push --task quality-images --limit 3"), "quality-images",
        keys="1",
    ),
}  # fmt: skip


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    programs = [p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chromedriver")) if p]
    if len(programs) < 2:
        raise SystemExit("Chromium and its driver are not installed: apt-get install chromium chromium-driver")
    options: Any = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for argument in ("headless=new", "no-sandbox", "hide-scrollbars", "allow-file-access-from-files"):
        options.add_argument(f"--{argument}")
    driver = webdriver.Chrome(options, Service(programs[-1]))
    try:
        yield driver
    finally:
        driver.quit()


def as_html(path: Path) -> Path:
    """The page itself, or what a Markdown file looks like beside it."""
    if path.suffix != ".md":
        return path
    from markdown import markdown

    page = path.with_suffix(".html")
    page.write_text(CARD.format(markdown(path.read_text("utf-8"), extensions=["tables"])), "utf-8")
    return page


def show(driver: Any, address: str, width: int, height: int) -> None:
    """Open a page in a window of this size."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.get(address)


def until(driver: Any, look: Callable[[Any], object]) -> None:
    """Wait until something is there, while the page is being drawn."""
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(driver, 120, ignored_exceptions=[WebDriverException]).until(look)


def shot(driver: Any) -> bytes:
    """A PNG of what is shown; with few colours, so that it stays small."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(driver.get_screenshot_as_png())) as image:
        image.convert("RGB").quantize(COLOURS).save(out, "PNG", optimize=True)
    return out.getvalue()


def picture(driver: Any, path: Path, width: int, height: int) -> bytes:
    """A picture of the upper end of a page, once its images are there."""
    show(driver, path.as_uri(), width, height)
    until(driver, lambda driver: driver.execute_script(LOADED))
    return shot(driver)


def command(workspace: Path, words: str) -> None:
    """Run one on the workspace, in its folder."""
    program, *rest = words.split()
    subprocess.run([BIN / program, "-w", workspace, *rest], cwd=workspace, check=True)


def answered(driver: Any, workspace: Path, wanted: Mapping[str, AnswerPage]) -> Iterator[tuple[str, bytes]]:
    """Pictures of pages on which people answer, on a server of the workspace that has not run yet."""
    from polydata.labels import localserver
    from polydata.workspace import Workspace

    found = Workspace.open(workspace)
    if not localserver.needs_login(found):
        raise SystemExit(f"{localserver.data_folder(found)} has a server's data, and its password is not known here.")
    installation = localserver.Installation.in_folder(localserver.cache_folder())
    installation.ensure()
    with localserver.serving(found, installation, localserver.default_port(found)) as (server, login):
        assert login is not None and login.token is not None
        os.environ["POLYDATA_LABEL_STUDIO_TOKEN"] = login.token
        log_in(driver, server.url, login.email, login.password)
        for name, page in wanted.items():
            for words in page.commands:
                command(workspace, words)
            title = f"{found.settings.label_studio.project} {page.project}".strip()
            yield name, answer_page(driver, f"{server.url}/projects/{number_of(server.url, login.token, title)}", page)


def number_of(url: str, token: str, title: str) -> int:
    """The project's number on the server."""
    import httpx

    asked = {"title": title, "page_size": 100}
    head = {"Authorization": f"Token {token}"}
    found = httpx.get(f"{url}/api/projects", params=asked, headers=head, trust_env=False).raise_for_status().json()
    return next(int(one["id"]) for one in found["results"] if one["title"] == title)


def log_in(driver: Any, url: str, email: str, password: str) -> None:
    """Log in to the server."""
    driver.get(f"{url}/user/login")
    driver.find_element("name", "email").send_keys(email)
    driver.find_element("name", "password").send_keys(password)
    driver.find_element("css selector", "button[type=submit]").click()
    until(driver, lambda driver: "/user/login" not in driver.current_url)


def answer_page(driver: Any, project: str, page: AnswerPage) -> bytes:
    """The first task of a project as somebody sees it who has read the guide."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    def text(driver: Any) -> str:
        return str(driver.find_element("tag name", "body").text)

    show(driver, f"{project}/data?labeling=1", page.width, page.height)
    until(driver, lambda driver: GUIDE in text(driver))
    ActionChains(driver).send_keys(Keys.ESCAPE).perform()
    until(driver, lambda driver: GUIDE not in text(driver) and driver.execute_script(SHOWN))
    for key in page.keys:
        ActionChains(driver).send_keys(key).perform()
    time.sleep(2)  # the page is laid out in steps
    return shot(driver)


def main() -> None:
    """Make each page and write its picture."""
    parser = argparse.ArgumentParser(description="Writes docs/images/*.png.")
    parser.add_argument("folder", nargs="*", metavar="FOLDER", help="has a workspace blends; otherwise one is made")
    parser.add_argument("--only", action="append", choices=[*PAGES, *ANSWERED], help="this picture alone; repeat it")
    asked = parser.parse_args()
    only = asked.only or [*PAGES, *ANSWERED]
    with made_workspace(asked.folder) as folder, browser() as driver:
        workspace = (folder / "blends").resolve()
        for name, page in PAGES.items():
            if name in only:
                command(workspace, page.command)
                keep(name, picture(driver, as_html(workspace / page.path), page.width, page.height))
        wanted = {name: page for name, page in ANSWERED.items() if name in only}
        for name, data in answered(driver, workspace, wanted) if wanted else ():
            keep(name, data)


def keep(name: str, data: bytes) -> None:
    """Write a picture to its place."""
    (IMAGES / f"{name}.png").write_bytes(data)
    sys.stdout.write(f"{name}.png {len(data) // 1000} kB\n")


if __name__ == "__main__":
    main()
