"""A small real HTTP server on loopback that speaks Crossref's language, well or badly."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit


def work(doi: str, title: str, year: int = 2004) -> dict[str, Any]:
    return {
        "DOI": doi.upper(),
        "title": [title],
        "container-title": ["Polymer"],
        "issued": {"date-parts": [[year, 5]]},
        "volume": "45",
        "page": "4567-4573",
        "author": [{"family": "Doe", "given": "Jane"}, {"name": "The <b>Group</b>"}],
    }


@dataclass
class Library:
    """What the server knows, and how it behaves.

    ``trouble`` holds what is sent instead of the next answers: a status with headers, or raw bytes.
    """

    works: list[dict[str, Any]] = field(default_factory=list)
    trouble: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    drip: bool = False
    url: str = ""


def _handler(library: Library) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            library.asked.append((self.path, self.headers.get("User-Agent", "")))
            if library.trouble:
                self.send(*library.trouble.pop(0))
                return
            parts = urlsplit(self.path)
            if parts.path == "/works":
                answer: Any = {"items": library.works}
            else:
                wanted = unquote(parts.path.removeprefix("/works/")).lower()
                answer = next((one for one in library.works if one["DOI"].lower() == wanted), None)
            if answer is None:
                self.send(404, {}, b"Resource not found.")
            else:
                self.send(200, {}, json.dumps({"status": "ok", "message": answer}).encode())

        def send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            step = 1 if library.drip else max(1, len(body))
            try:
                for start in range(0, len(body), step):
                    self.wfile.write(body[start : start + step])
                    if library.drip:
                        self.wfile.flush()
                        time.sleep(0.02)
            except OSError:
                pass

    return Handler


@contextmanager
def serving(library: Library) -> Iterator[Library]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(library))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    library.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield library
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


Waits = list[float]


def recorder(waits: Waits) -> Callable[[float], None]:
    return waits.append
