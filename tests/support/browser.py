"""A headless Chromium that works on the labelling page as a reviewer would."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from label_studio_server import ACCOUNTS, LabelStudioServer
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

SECONDS = 40
CHOSEN = "return [...document.querySelectorAll('input[type=radio],input[type=checkbox]')].filter(e => e.checked).length"
IMAGE = """return [...document.images].filter(i => i.complete && i.naturalWidth)
           .map(i => [i.naturalWidth, i.naturalHeight, i.getBoundingClientRect().width])
           .filter(([, , shown]) => shown > 100)[0]"""  # what else the page shows is small
CUT = """const image = [...document.images].filter(i => i.getBoundingClientRect().width > 100)[0];
         const [all, seen] = [image, image.parentElement.parentElement].map(e => e.getBoundingClientRect());
         return Math.max(seen.left - all.left, all.right - seen.right, seen.top - all.top, all.bottom - seen.bottom)"""
Found = TypeVar("Found")


class Reviewer:
    """Somebody logged in, in a browser."""

    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        self.driver = driver
        self.url = url

    def until(self, look: Callable[[], Found | None], what: str) -> Found:
        """Wait for something to be there."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            try:
                if found := look():
                    return found
            except WebDriverException:
                pass  # the page is being drawn
            time.sleep(0.1)
        raise AssertionError(f"never seen: {what}; the page says: {self.text()[:1500]}")

    def text(self) -> str:
        """The words on the page."""
        return str(self.driver.find_element(By.TAG_NAME, "body").text)

    def log_in(self, email: str, password: str) -> None:
        self.driver.get(f"{self.url}/user/login")
        self.driver.find_element(By.NAME, "email").send_keys(email)
        self.driver.find_element(By.NAME, "password").send_keys(password)
        self.driver.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
        self.until(lambda: "/user/login" not in self.driver.current_url, "the page after logging in")

    def open_next_task(self, project: int) -> list[float]:
        """Begin to label, close the guide; gives natural width and height and shown width of the image."""
        self.driver.get(f"{self.url}/projects/{project}/data?labeling=1")
        self.until(lambda: "Labeling Instructions" in self.text(), "the guide")
        self.press(Keys.ESCAPE)
        self.until(lambda: "Labeling Instructions" not in self.text(), "the page without the guide")
        return self.until(self.image, "the image")

    def image(self) -> list[float]:
        """Natural width and height and shown width of the image, as it is now; nothing before it is there."""
        return self.driver.execute_script(IMAGE) or []

    def cut_off(self) -> float:
        """Pixels of the image that its frame hides at the worst edge; none or fewer where all of it is seen."""
        return float(self.driver.execute_script(CUT))

    def chosen(self) -> int:
        """How many answers are chosen."""
        return int(self.driver.execute_script(CHOSEN))

    def press(self, *keys: str) -> None:
        """Press keys together."""
        actions = ActionChains(self.driver)
        for key in keys[:-1]:
            actions.key_down(key)
        actions.send_keys(keys[-1])
        for key in keys[:-1]:
            actions.key_up(key)
        actions.perform()


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    """A browser without a window; skips where there is no Chromium with its driver."""
    programs = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    browser, driver = next((p for p in programs if p), None), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("Chromium and chromedriver are not installed (apt-get install chromium chromium-driver)")
    options: Any = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "no-proxy-server", "window-size=1500,1000"):
        options.add_argument(f"--{argument}")
    chrome = webdriver.Chrome(options, Service(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


@contextmanager
def reviewer(server: LabelStudioServer) -> Iterator[Reviewer]:
    """The first account's owner at a browser."""
    with chromium() as chrome:
        found = Reviewer(chrome, server.url)
        found.log_in(ACCOUNTS[0].email, ACCOUNTS[0].password)
        yield found


def screenshot(who: Reviewer, path: Path) -> None:
    """A picture of what the reviewer sees."""
    assert who.driver.save_screenshot(str(path))


def open_page(driver: webdriver.Chrome, folder: Path, address: str = "") -> str:
    """Open a gallery from disk; gives what it says of the number of images shown.

    Args:
        folder: of the gallery.
        address: what follows ``index.html``, such as ``#label=a``.
    """
    driver.get("about:blank")  # otherwise only the part after # changes, and nothing is loaded
    driver.get(f"{(folder / 'index.html').as_uri()}{address}")
    return str(driver.find_element(By.ID, "count").text)
