"""Asks a Crossref server for papers, by DOI or title. Its answers are checked: a server may send anything."""

from __future__ import annotations

import hashlib
import json
import math
import re
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
import urllib3

from polydata.errors import ServerError
from polydata.files.atomic import write_text
from polydata.resources import DISTRIBUTION, VERSION
from polydata.text.reference import Reference, find_doi

ROOT = "https://api.crossref.org"
MAX_BYTES = 2_000_000
"""Larger answers are refused."""
TRIES = 4
LONGEST_WAIT_S = 60.0
BUSY = (429, 500, 502, 503, 504)
FIELDS = "DOI,title,container-title,issued,volume,page,author,type"
MAX_ITEMS = 10
MAX_AUTHORS = 100


class Refused(Exception):
    """The server's answer to one question is of no use; others may be."""


def _plain(value: object, longest: int = 500) -> str | None:
    """Text from a server: without tags and control characters, cut off, None where it is none."""
    if not isinstance(value, str):
        return None
    text = re.sub(r"<[^<>]{0,200}>", "", value[: 4 * longest])
    shown = "".join(" " if unicodedata.category(sign).startswith(("C", "Z")) else sign for sign in text)
    return " ".join(shown.split())[:longest] or None


def _first(value: object) -> str | None:
    return _plain(value[0]) if isinstance(value, list) and value else None


def _year(value: object) -> int | None:
    try:
        year = value["date-parts"][0][0]  # type: ignore[index]
    except (KeyError, IndexError, TypeError):
        return None
    return year if isinstance(year, int) and not isinstance(year, bool) and 1500 < year < 2200 else None


def _authors(value: object) -> str | None:
    names = []
    for one in value[:MAX_AUTHORS] if isinstance(value, list) else ():
        if isinstance(one, dict):
            parts = [_plain(one.get(key), 80) for key in ("family", "given")]
            names.append(", ".join(part for part in parts if part) or _plain(one.get("name"), 80))
    return "; ".join(name for name in names if name)[:2000] or None


def read_item(item: object) -> Reference | None:
    """One work of an answer, None where it names no DOI. Never raises."""
    if not isinstance(item, dict):
        return None
    doi = find_doi(_plain(item.get("DOI")))
    if doi is None:
        return None
    return Reference(
        doi=doi,
        title=_first(item.get("title")),
        journal=_first(item.get("container-title")),
        year=_year(item.get("issued")),
        volume=_plain(item.get("volume"), 40),
        pages=_plain(item.get("page"), 40),
        authors=_authors(item.get("author")),
    )


@dataclass
class Crossref:
    """A Crossref server, asked politely: one question after the other, answers kept on disk.

    Attributes:
        cache: folder of the answers, each with the time it was given.
        root: address of the server.
        mailto: address of the user, which the server's owners ask for; None sends none.
        pause_s: seconds between two questions, at least.
        timeout_s: seconds to wait for an answer to begin and between its pieces; in all six times that.
        sleep: waits; tests do not.
    """

    cache: Path
    root: str = ROOT
    mailto: str | None = None
    pause_s: float = 1.0
    timeout_s: float = 20.0
    sleep: Callable[[float], None] = time.sleep
    asked: int = 0
    _last: float = field(default=-math.inf, repr=False)

    def by_doi(self, doi: str) -> Reference | None:
        """The work with a DOI, None where the server knows none or answers with another.

        Raises:
            Refused: if the answer is of no use.
            ServerError: if the server cannot be reached or keeps refusing.
        """
        answer = self._answer(f"/works/{quote(doi, safe='')}", {})
        found = read_item(answer.get("message")) if answer else None
        return found if found and found.doi == doi.lower() else None

    def by_title(self, title: str) -> list[Reference]:
        """Works that may have a title, the likeliest first; raises as ``by_doi``."""
        answer = self._answer("/works", {"query.bibliographic": title[:300], "rows": "5", "select": FIELDS})
        message = answer.get("message") if answer else None
        items = message.get("items") if isinstance(message, dict) else None
        found = (read_item(item) for item in items[:MAX_ITEMS]) if isinstance(items, list) else ()
        return [one for one in found if one]

    def _answer(self, path: str, query: Mapping[str, str]) -> dict[str, Any] | None:
        """The answer to a question, from disk where it was asked before; None for "not found"."""
        key = hashlib.sha256(json.dumps([self.root, path, sorted(query.items())]).encode()).hexdigest()
        kept = self.cache / f"{key}.json"
        known = _kept(kept)
        if known is not None:
            return known or None
        answer = self._ask(path, query)
        asked = {"asked": datetime.now(UTC).isoformat(timespec="seconds"), "path": path, "query": dict(query)}
        write_text(kept, json.dumps({**asked, "answer": answer}))
        return answer

    def _ask(self, path: str, query: Mapping[str, str]) -> dict[str, Any] | None:
        contact = f" (mailto:{self.mailto})" if self.mailto else ""
        headers = {"User-Agent": f"{DISTRIBUTION}/{VERSION}{contact}"}
        for attempt in range(TRIES):
            self.sleep(max(0.0, self._last + self.pause_s - time.monotonic()))
            self._last = time.monotonic()
            self.asked += 1
            try:
                with requests.get(
                    self.root.rstrip("/") + path,
                    params={**query, **({"mailto": self.mailto} if self.mailto else {})},
                    headers=headers,
                    timeout=self.timeout_s,
                    stream=True,
                    allow_redirects=False,
                ) as response:
                    if response.status_code == 404:
                        return None
                    if response.status_code == 200:
                        return _read(response, 6 * self.timeout_s)
                    trouble = f"it answered with status {response.status_code}"
                    wait = _retry_after(response.headers.get("Retry-After"))
                    if response.status_code not in BUSY:
                        raise Refused(trouble)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                trouble, wait = f"it cannot be reached ({type(error).__name__})", None
            if attempt + 1 < TRIES:
                self.sleep(min(LONGEST_WAIT_S, 2.0**attempt if wait is None else wait))
        raise ServerError(
            f"The server {self.root} is of no help now: {trouble}.",
            "What was resolved before is kept; run polydata papers resolve again later. Everything else works without.",
        )


def _kept(path: Path) -> dict[str, Any] | None:
    """An answer kept on disk, empty for "not found"; None where there is none that can be read."""
    try:
        answer = json.loads(path.read_bytes())["answer"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else {} if answer is None else None


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait, from a number or a date."""
    try:
        return urllib3.util.Retry().parse_retry_after(value) if value else None
    except (urllib3.exceptions.HTTPError, ValueError, OverflowError):
        return None


def _read(response: requests.Response, longest_s: float) -> dict[str, Any]:
    """The body as a JSON object, read in pieces so that neither size nor time has no end."""
    end, pieces, size = time.monotonic() + longest_s, [], 0
    while piece := response.raw.read1(65_536, decode_content=True):  # what is there, without waiting for more
        size += len(piece)
        if size > MAX_BYTES or time.monotonic() > end:
            raise Refused(f"its answer is larger than {MAX_BYTES} bytes or takes too long")
        pieces.append(piece)
    try:
        answer = json.loads(b"".join(pieces))
    except (ValueError, RecursionError):
        raise Refused("its answer is no JSON") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("message"), dict):
        raise Refused("its answer is none of Crossref's")
    return answer
