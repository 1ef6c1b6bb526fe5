"""Writes docs/images/*.png: pages that the programs make of a generated corpus, as a browser shows them.

    pictures.py [FOLDER]

FOLDER has a workspace ``blends`` as at the end of the tutorial; without it one is made, which takes minutes. Needs
Chromium, which opens no window.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections.abc import Iterator
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
    "gallery": Page("polydata gallery v1", "exports/gallery-v1/index.html", 1200, 690),
    "report": Page("polymodel report first", "exports/first-report.html", 1200, 1000),
    "card": Page("polydata card v1", "exports/v1-card.md", 1040, 840),
}


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


def picture(driver: Any, path: Path, width: int, height: int) -> bytes:
    """A PNG of the upper end of a page, once its images are there; with few colours, so that it stays small."""
    from selenium.webdriver.support.ui import WebDriverWait

    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.get(path.as_uri())
    WebDriverWait(driver, 60).until(lambda driver: driver.execute_script(LOADED))
    out = io.BytesIO()
    with Image.open(io.BytesIO(driver.get_screenshot_as_png())) as image:
        image.convert("RGB").quantize(COLOURS).save(out, "PNG", optimize=True)
    return out.getvalue()


def main() -> None:
    """Make each page and write its picture."""
    with made_workspace(sys.argv[1:]) as folder, browser() as driver:
        workspace = (folder / "blends").resolve()
        for name, page in PAGES.items():
            program, *words = page.command.split()
            subprocess.run([BIN / program, "-w", workspace, *words], check=True)
            data = picture(driver, as_html(workspace / page.path), page.width, page.height)
            (IMAGES / f"{name}.png").write_bytes(data)
            sys.stdout.write(f"{name}.png {len(data) // 1000} kB\n")


if __name__ == "__main__":
    main()
